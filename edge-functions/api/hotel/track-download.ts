import { z } from 'zod'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { paths, requireMessages } from './conversation.ts'

export const trackDownload = route({
  row: 'hotel.download',
  method: 'POST',
  path: paths.trackDownload,
  summary: 'Write down that files of a message were downloaded',
  params: hotelSlug,
  body: z.object({
    attachment_ids: z.array(z.uuid()).min(1).max(100),
    download_timestamp: z.iso.datetime({ offset: true }).optional(),
  }),
  answer: z.object({ success: z.literal(true), message: z.string() }),
  async handle(call) {
    const { caller, params, body } = call
    await requireMessages(call, params.message_id)
    await caller.rpc('track_download', {
      p_message_id: params.message_id,
      p_attachment_ids: body.attachment_ids,
      p_downloaded_at: body.download_timestamp,
    })
    return { success: true as const, message: 'Download tracked successfully' }
  },
})
