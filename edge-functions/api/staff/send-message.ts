import { hotelSlug, newMessage, sendTo, sentMessage } from '../hotels.ts'
import { route } from '../route.ts'
import { paths, requireConversation } from './conversation.ts'

export const sendMessage = route({
  row: 'staff.send',
  method: 'POST',
  path: paths.send,
  summary: 'Send a message',
  params: hotelSlug,
  body: newMessage,
  status: 201,
  answer: sentMessage,
  refusals: [409],
  async handle(call) {
    await requireConversation(call)
    return sendTo(call.caller, call.params.conversation_id, call.body)
  },
})
