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
  body: z.object({ room: z.uuid(), content: text, temp_id: text.optional() }),
  status: 201,
  answer: message,
  async handle({ caller, body: { room, content, temp_id } }) {
    const sent = await send(caller, { p_room_id: room, p_content: content }, temp_id)
    return toMessage({ ...sent.message, is_read: false })
  },
})
