import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { paths, requireConversation } from './conversation.ts'
import { conversationNow, foundConversation } from './shapes.ts'

export const getConversation = route({
  row: 'staff.conversations',
  method: 'GET',
  path: paths.conversation,
  summary: 'A conversation',
  params: hotelSlug,
  answer: foundConversation,
  async handle(call) {
    await requireConversation(call)
    return conversationNow(call.caller, call.params.conversation_id)
  },
})
