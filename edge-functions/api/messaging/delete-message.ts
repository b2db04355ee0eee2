import { z } from 'zod'
import { route } from '../route.ts'
import type { Message } from '../shapes.ts'
import { message, toMessage } from './shapes.ts'

export const deleteMessage = route({
  row: 'messaging.delete',
  method: 'DELETE',
  path: '/api/messaging/messages/{message_id}/',
  summary: 'Delete a message of mine; answers its placeholder',
  answer: z.object({ success: z.literal(true), message }),
  refusals: [409],
  async handle({ caller, params }) {
    const deleted = await caller.rpc<Message>('delete_message', { p_message_id: params.message_id })
    return { success: true as const, message: toMessage(deleted) }
  },
})
