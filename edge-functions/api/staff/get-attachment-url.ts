import { z } from 'zod'
import { type SignedUrl, signAttachments } from '../../_shared/attachments.ts'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { timestamp } from '../shapes.ts'
import { paths, requireAttachment } from './conversation.ts'

export const getAttachmentUrl = route({
  row: 'staff.attachment',
  method: 'GET',
  path: paths.attachmentUrl,
  summary: 'A link to a file, good for five minutes',
  params: hotelSlug,
  answer: z.object({
    success: z.literal(true),
    attachment_id: z.uuid(),
    url: z.url(),
    thumbnail_url: z.url().nullable(),
    expires_at: timestamp,
  }),
  async handle(call) {
    await requireAttachment(call)
    const [signed] = await signAttachments(call.caller, [call.params.attachment_id])
    return { success: true as const, ...(signed as SignedUrl) }
  },
})
