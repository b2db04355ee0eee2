import { z } from 'zod'
import { messagePage, paging } from '../pages.ts'
import { route } from '../route.ts'
import { integer, readMessage } from '../shapes.ts'
import { answered } from './shapes.ts'

export const listMessages = route({
  row: 'mobile.messages',
  method: 'GET',
  path: '/api/chat/rooms/{id}/messages',
  summary: 'The messages of a chat, the newest first',
  query: {
    limit: paging.limit,
    offset: integer(0, 999_999_999).optional(),
    before: paging.before,
    after: paging.after,
  },
  answer: answered(z.object({ messages: z.array(readMessage), total: z.number(), has_more: z.boolean() })),
  async handle({ caller, params: { id }, query: { limit = 50, offset = 0, before, after } }) {
    const { count, has_more, messages } = await messagePage(caller, {
      p_room_id: id,
      p_limit: limit,
      p_offset: offset,
      p_before_id: before,
      p_after_id: after,
      p_with_deleted: false,
    })
    return { success: true as const, data: { messages, total: count, has_more } }
  },
})
