import { z } from 'zod'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { flag } from '../shapes.ts'
import { paths, requireMessage } from './conversation.ts'

export const deleteMessage = route({
  row: 'staff.delete',
  method: 'DELETE',
  path: paths.delete,
  summary: 'Delete a message; for good, as managers and admins may',
  params: hotelSlug,
  query: { hard_delete: flag.optional() },
  answer: z.object({
    success: z.literal(true),
    message: z.string(),
    deleted_message_id: z.uuid(),
    hard_delete: z.boolean(),
  }),
  refusals: [409],
  async handle(call) {
    await requireMessage(call)
    const { caller, params, query } = call
    const { hard_delete = false } = query
    const { id } = await caller.rpc<{ id: string }>('delete_message', {
      p_message_id: params.message_id,
      p_hard: hard_delete,
    })
    return { success: true as const, message: 'Message deleted successfully', deleted_message_id: id, hard_delete }
  },
})
