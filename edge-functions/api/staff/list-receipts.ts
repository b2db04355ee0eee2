import { z } from 'zod'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { timestamp } from '../shapes.ts'
import { utc } from '../time.ts'
import { paths, requireMessage } from './conversation.ts'

const receipt = z.object({ user_id: z.uuid(), delivered: z.boolean(), read_at: timestamp.nullable() })

export const listReceipts = route({
  row: 'staff.read',
  method: 'GET',
  path: paths.receipts,
  summary: 'Who has a message, and when each read it',
  params: hotelSlug,
  answer: z.object({ success: z.literal(true), message_id: z.uuid(), receipts: z.array(receipt) }),
  async handle(call) {
    await requireMessage(call)
    const { message_id } = call.params
    const found = await call.caller.rpc<z.infer<typeof receipt>[]>('message_receipts', { p_message_id: message_id })
    const receipts = found.map((each) => ({ ...each, read_at: utc(each.read_at) }))
    return { success: true as const, message_id, receipts }
  },
})
