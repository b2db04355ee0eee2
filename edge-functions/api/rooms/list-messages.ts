import { z } from 'zod'
import { pageOf, paging } from '../pages.ts'
import { route } from '../route.ts'
import { message, toMessage } from './shapes.ts'

export const listMessages = route({
  row: 'rooms.messages',
  method: 'GET',
  path: '/api/chat/messages/',
  summary: 'The newest messages of a chat, the oldest of them first',
  query: {
    room_id: z.uuid(),
    before: paging.before,
    after: paging.after,
    limit: paging.limit.transform((limit) => limit ?? 100),
  },
  answer: z.object({ results: z.array(message) }),
  async handle({ caller, request, query: { room_id, ...where } }) {
    const { messages } = await pageOf(caller, request, room_id, where, { withDeleted: false })
    const oldestFirst = where.after === undefined ? messages.toReversed() : messages
    return { results: oldestFirst.map(toMessage) }
  },
})
