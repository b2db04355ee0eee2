import { z } from 'zod'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { paths, requireAttachment } from './conversation.ts'

export const deleteAttachment = route({
  row: 'staff.attachment',
  method: 'DELETE',
  path: paths.deleteAttachment,
  summary: 'Take a file off its message',
  params: hotelSlug,
  answer: z.object({ success: z.literal(true), message: z.string(), deleted_attachment_id: z.uuid() }),
  refusals: [409],
  async handle(call) {
    await requireAttachment(call)
    const id = call.params.attachment_id
    await call.caller.rpc('delete_attachment', { p_attachment_id: id })
    return { success: true as const, message: 'Attachment deleted successfully', deleted_attachment_id: id }
  },
})
