import { changedMessage, editedText, editText, hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { paths, requireMessages } from './conversation.ts'

export const editMessage = route({
  row: 'hotel.edit',
  method: 'PATCH',
  path: paths.message,
  summary: 'Change the text of a message; its files stay',
  params: hotelSlug,
  body: editedText,
  answer: changedMessage,
  refusals: [409],
  async handle(call) {
    await requireMessages(call, call.params.message_id)
    return editText(call.caller, call.params.message_id, call.body)
  },
})
