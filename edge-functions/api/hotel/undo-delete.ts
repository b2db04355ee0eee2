import { changedMessage, hotelSlug, toChangedMessage } from '../hotels.ts'
import { route } from '../route.ts'
import { paths, requireMessages } from './conversation.ts'

export const undoDelete = route({
  row: 'hotel.undo',
  method: 'POST',
  path: paths.undoDelete,
  summary: 'Bring a message back that was just deleted',
  params: hotelSlug,
  answer: changedMessage,
  refusals: [409],
  async handle(call) {
    const { caller, params } = call
    await requireMessages(call, params.message_id)
    return toChangedMessage(caller, await caller.rpc('undo_delete_message', { p_message_id: params.message_id }))
  },
})
