import { z } from 'zod'
import { shownMessages } from '../messages.ts'
import { route } from '../route.ts'
import { integer, type Message, text } from '../shapes.ts'
import { message, toMessage } from './shapes.ts'

export const searchMessages = route({
  row: 'rooms.search',
  method: 'GET',
  path: '/api/chat/search/',
  summary: "Search one's chats, or one of them; the newest first",
  query: { q: text, room_id: z.uuid().optional(), limit: integer(1, 100).optional() },
  answer: z.object({ results: z.array(message) }),
  async handle({ caller, query: { q, room_id, limit } }) {
    const found = await caller.rpc<Message[]>('search_messages', { p_query: q, p_room_id: room_id, p_limit: limit })
    const ids = found.map(({ id }) => id)
    const read = new Set(ids.length > 0 ? await caller.rpc<string[]>('read_messages', { p_message_ids: ids }) : [])
    const shown = await shownMessages(caller, found)
    return { results: shown.map((each) => toMessage({ ...each, is_read: read.has(each.id) })) }
  },
})
