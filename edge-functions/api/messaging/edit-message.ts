import { z } from 'zod'
import { shownMessage } from '../messages.ts'
import { route } from '../route.ts'
import { type Message, text } from '../shapes.ts'
import { message, toMessage } from './shapes.ts'

export const editMessage = route({
  row: 'messaging.edit',
  method: 'PUT',
  path: '/api/messaging/messages/{message_id}/',
  summary: 'Change the text of a message of mine',
  body: z.object({ content: text }),
  answer: z.object({ success: z.literal(true), message }),
  refusals: [409],
  async handle({ caller, params, body }) {
    const edited = await caller.rpc<Message>('edit_message', {
      p_message_id: params.message_id,
      p_content: body.content,
    })
    return { success: true as const, message: toMessage(await shownMessage(caller, edited)) }
  },
})
