import { changedMessage, editedText, editText, hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { paths, requireMessage } from './conversation.ts'

export const editMessage = route({
  row: 'staff.edit',
  method: 'PATCH',
  path: paths.edit,
  summary: 'Change the text of a message of one’s own',
  params: hotelSlug,
  body: editedText,
  answer: changedMessage,
  refusals: [409],
  async handle(call) {
    await requireMessage(call)
    return editText(call.caller, call.params.message_id, call.body)
  },
})
