import { announcement, hotelSlug, uploaded, uploadTo } from '../hotels.ts'
import { route } from '../route.ts'
import { paths, requireConversation } from './conversation.ts'

export const uploadFiles = route({
  row: 'hotel.messages',
  method: 'POST',
  path: paths.upload,
  summary: 'Announce files, or upload a few small ones',
  params: hotelSlug,
  body: announcement,
  form: true,
  answer: uploaded,
  refusals: [409],
  async handle(call) {
    await requireConversation(call)
    return uploadTo(call, call.params.conversation_id, call.body)
  },
})
