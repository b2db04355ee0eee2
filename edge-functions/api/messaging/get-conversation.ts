import { z } from 'zod'
import { page, pageOf, paging } from '../pages.ts'
import { route } from '../route.ts'
import type { Room } from '../shapes.ts'
import { conversation, message, toConversation, toMessage } from './shapes.ts'

export const getConversation = route({
  row: 'messaging.detail',
  method: 'GET',
  path: '/api/messaging/conversations/{conversation_id}/',
  summary: 'A conversation, and a page of its messages, the newest first',
  query: paging,
  answer: z.object({ ...page, success: z.literal(true), conversation, messages: z.array(message) }),
  async handle({ caller, request, params: { conversation_id }, query }) {
    const [rooms, { messages, ...place }] = await Promise.all([
      caller.rpc<[Room]>('get_rooms', { p_room_id: conversation_id }),
      pageOf(caller, request, conversation_id, query, { withDeleted: false }),
    ])
    return {
      ...place,
      success: true as const,
      conversation: toConversation(rooms[0]),
      messages: messages.map(toMessage),
    }
  },
})
