import { z } from 'zod'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { text } from '../shapes.ts'
import { paths, requireMessages } from './conversation.ts'

export const bulkDelete = route({
  row: 'hotel.bulk',
  method: 'POST',
  path: paths.bulkDelete,
  summary: 'Delete several messages, all or none',
  params: hotelSlug,
  body: z.object({ message_ids: z.array(z.uuid()).min(1).max(1000), reason: text.nullish() }),
  answer: z.object({ success: z.literal(true), message: z.string(), deleted_message_ids: z.array(z.uuid()) }),
  refusals: [409],
  async handle(call) {
    const { caller, body } = call
    await requireMessages(call, ...body.message_ids)
    const { deleted_message_ids } = await caller.rpc<{ deleted_message_ids: string[] }>('delete_messages', {
      p_message_ids: body.message_ids,
      p_reason: body.reason,
    })
    return { success: true as const, message: 'Messages deleted successfully', deleted_message_ids }
  },
})
