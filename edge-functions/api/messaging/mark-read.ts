import { z } from 'zod'
import { route } from '../route.ts'

export const markRead = route({
  row: 'messaging.read',
  method: 'POST',
  path: '/api/messaging/conversations/{conversation_id}/read/',
  summary: 'Read all messages of others',
  answer: z.object({ success: z.literal(true), message: z.string() }),
  async handle({ caller, params }) {
    const read = await caller.rpc<{ updated_count: number }>('mark_read', { p_room_id: params.conversation_id })
    return { success: true as const, message: `Marked ${read.updated_count} messages as read` }
  },
})
