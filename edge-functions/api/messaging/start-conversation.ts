import { z } from 'zod'
import { route } from '../route.ts'
import { type Room, text } from '../shapes.ts'
import { conversation, toConversation } from './shapes.ts'

export const startConversation = route({
  row: 'messaging.start',
  method: 'POST',
  path: '/api/messaging/start-conversation/',
  summary: 'The conversation with somebody, made if there is none, and a first message',
  body: z.object({
    receiver_id: z.uuid(),
    message: text.nullish(),
    product_id: z.union([text, z.int()]).nullish(),
  }),
  answer: z.object({ success: z.literal(true), message: z.string(), conversation }),
  async handle({ caller, body: { receiver_id, message, product_id } }) {
    const room = await caller.rpc<Room>('start_direct_chat', {
      p_user_id: receiver_id,
      p_product_id: product_id == null ? null : String(product_id),
      // An empty field of a form is no message.
      p_content: message || null,
    })
    return {
      success: true as const,
      message: 'Conversation started successfully',
      conversation: toConversation(room),
    }
  },
})
