import { z } from 'zod'
import { shownMessages } from '../messages.ts'
import { urlWith } from '../pages.ts'
import { route } from '../route.ts'
import { integer, type Message, text } from '../shapes.ts'
import { message, toMessage } from './shapes.ts'

export const searchMessages = route({
  row: 'rooms.search',
  method: 'GET',
  path: '/api/chat/search/',
  summary: "Search one's chats, or one of them; the newest first",
  query: {
    q: text,
    room_id: z.uuid().optional(),
    limit: integer(1, 100).optional(),
    before: z.iso.datetime().optional(),
    before_id: z.uuid().optional(),
  },
  answer: z.object({ next: z.url().nullable(), results: z.array(message) }),
  async handle({ caller, request, query: { q, room_id, limit = 20, before, before_id } }) {
    const found = await caller.rpc<Message[]>('search_messages', {
      p_query: q,
      p_room_id: room_id,
      p_limit: limit,
      p_before: before,
      p_before_id: before_id,
    })
    const ids = found.map(({ id }) => id)
    const read = new Set(ids.length > 0 ? await caller.rpc<string[]>('read_messages', { p_message_ids: ids }) : [])
    const shown = await shownMessages(caller, found)
    const last = shown.length === limit ? shown.at(-1) : undefined
    return {
      next: last ? urlWith(request, { before: last.created_at, before_id: last.id }) : null,
      results: shown.map((each) => toMessage({ ...each, is_read: read.has(each.id) })),
    }
  },
})
