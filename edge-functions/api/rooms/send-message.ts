import { z } from 'zod'
import { send } from '../messages.ts'
import { route } from '../route.ts'
import { text } from '../shapes.ts'
import { message, toMessage } from './shapes.ts'

export const sendMessage = route({
  row: 'rooms.send',
  method: 'POST',
  path: '/api/chat/messages/',
  summary: 'Send a message',
  body: z.object({
    room: z.uuid(),
    content: text,
    attachment_ids: z.array(z.uuid()).max(100).optional(),
    temp_id: text.optional(),
  }),
  status: 201,
  answer: message,
  refusals: [409],
  async handle({ caller, body: { room, content, attachment_ids, temp_id } }) {
    const sending = { p_room_id: room, p_content: content, p_attachment_ids: attachment_ids }
    const sent = await send(caller, sending, temp_id)
    return toMessage({ ...sent.message, is_read: false })
  },
})
