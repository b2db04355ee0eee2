import { z } from 'zod'
import { send } from '../messages.ts'
import { route } from '../route.ts'
import { message, text, timestamp } from '../shapes.ts'
import { answered } from './shapes.ts'

// The document sends by `send-message` over its socket, and is told `message-confirmed`: this takes and answers the same.
export const sendMessage = route({
  row: 'mobile.confirm',
  method: 'POST',
  path: '/api/chat/rooms/{id}/messages',
  summary: 'Send a message, in clear text or encrypted',
  body: z.object({
    content: text.optional(),
    message_type: text.optional(),
    reply_to_message_id: z.uuid().optional(),
    attachment_ids: z.array(z.uuid()).max(100).optional(),
    temp_id: text.optional(),
    is_encrypted: z.boolean().optional(),
    encryption_key_id: text.optional(),
    encrypted_content: text.optional(),
  }),
  status: 201,
  answer: answered(
    z.object({
      message,
      temp_id: z.string().nullable(),
      message_id: z.uuid(),
      delivered_to_count: z.number(),
      queued_for_count: z.number(),
      timestamp,
    }),
  ),
  refusals: [409],
  async handle({ caller, params: { id }, body }) {
    const sending = {
      p_room_id: id,
      p_content: body.content,
      p_message_type: body.message_type,
      p_reply_to_id: body.reply_to_message_id,
      p_attachment_ids: body.attachment_ids,
      // Said to be encrypted, and is not: SQL then refuses it, whatever is beside it.
      p_encrypted_content: body.encrypted_content ?? (body.is_encrypted ? '' : undefined),
      p_encryption_key_id: body.encryption_key_id,
    }
    return { success: true as const, data: await send(caller, sending, body.temp_id) }
  },
})
