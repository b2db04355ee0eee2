import { archiveOf } from '../../_shared/archive.ts'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { paths, requireConversation } from './conversation.ts'

export const downloadArchive = route({
  row: 'hotel.archive',
  method: 'GET',
  path: paths.archive,
  summary: 'All files of a conversation, as a ZIP',
  params: hotelSlug,
  async handle(call) {
    await requireConversation(call)
    return archiveOf(call.caller, call.params.conversation_id)
  },
})
