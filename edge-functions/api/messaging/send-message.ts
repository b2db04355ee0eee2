import { z } from 'zod'
import type { Caller } from '../../_shared/caller.ts'
import { Refusal } from '../../_shared/refusal.ts'
import { attachmentOfKey } from '../../_shared/uploads.ts'
import { type Sending, send } from '../messages.ts'
import { route } from '../route.ts'
import { text } from '../shapes.ts'
import { message, toMessage } from './shapes.ts'

const fileTypes = ['image', 'video', 'audio', 'document', 'file']

export const sendMessage = route({
  row: 'messaging.send',
  method: 'POST',
  path: '/api/messaging/conversations/{conversation_id}/messages/',
  summary: 'Send a text, or a file by its key',
  body: z.object({
    content: text,
    message_type: text.optional(),
    reply_to: z.uuid().nullish(),
    temp_id: text.optional(),
  }),
  status: 201,
  answer: z.object({ success: z.literal(true), message }),
  refusals: [409],
  async handle({ caller, params, body: { content, message_type, reply_to, temp_id } }) {
    const sending = {
      p_room_id: params.conversation_id,
      p_message_type: message_type,
      p_reply_to_id: reply_to ?? undefined,
      ...(fileTypes.includes(message_type ?? '') ? await fileOf(caller, content) : { p_content: content }),
    }
    const sent = await send(caller, sending, temp_id)
    return { success: true as const, message: toMessage(sent.message) }
  },
})

/** @throws Refusal when there is no such file of the caller's */
async function fileOf(caller: Caller, fileKey: string): Promise<Partial<Sending>> {
  // Longer than any key that was given out, and too long to ask for.
  if (fileKey.length > 300) throw new Refusal(404, 'attachment_not_found', 'There is no such file.')
  return { p_attachment_ids: [await attachmentOfKey(caller, fileKey)], p_metadata: { file_key: fileKey } }
}
