import { z } from 'zod'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { flag, text } from '../shapes.ts'
import { paths, requireMessages } from './conversation.ts'

export const deleteMessage = route({
  row: 'hotel.delete',
  method: 'DELETE',
  path: paths.message,
  summary: 'Delete a message and its files',
  params: hotelSlug,
  query: { hard: flag.optional() },
  body: z.object({ reason: text.nullish() }).optional(),
  answer: z.object({ success: z.literal(true), message: z.string(), deleted_message_id: z.uuid() }),
  refusals: [409],
  async handle(call) {
    const { caller, params, query, body } = call
    await requireMessages(call, params.message_id)
    const { id } = await caller.rpc<{ id: string }>('delete_message', {
      p_message_id: params.message_id,
      p_hard: query.hard,
      p_reason: body?.reason,
    })
    return { success: true as const, message: 'Message deleted successfully', deleted_message_id: id }
  },
})
