import { z } from 'zod'
import { route } from '../route.ts'

export const markMessageRead = route({
  row: 'rooms.read1',
  method: 'POST',
  path: '/api/chat/messages/{id}/mark_read/',
  summary: "Read a message of somebody else's, and all before it",
  answer: z.object({ message: z.string(), id: z.uuid() }),
  async handle({ caller, params: { id } }) {
    await caller.rpc('mark_message_read', { p_message_id: id })
    return { message: 'Message marked as read', id }
  },
})
