import { z } from 'zod'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { timestamp } from '../shapes.ts'
import { utc } from '../time.ts'
import { paths, requireHotel } from './conversation.ts'

const unread = {
  unread_count: z.number(),
  last_read_message_id: z.uuid().nullable(),
  last_message_timestamp: timestamp.nullable(),
}
const unreadRoom = z.object({ room_id: z.uuid(), ...unread })

export const countUnread = route({
  row: 'staff.unread',
  method: 'GET',
  path: paths.unreadCount,
  summary: 'How many messages are unread in each conversation, and in all',
  params: hotelSlug,
  answer: z.object({
    success: z.literal(true),
    total_unread: z.number(),
    conversations: z.array(z.object({ conversation_id: z.uuid(), ...unread })),
  }),
  async handle(call) {
    const found = await call.caller.rpc<{ total_unread: number; rooms: z.infer<typeof unreadRoom>[] }>(
      'unread_counts',
      { p_organization_id: await requireHotel(call) },
    )
    return {
      success: true as const,
      total_unread: found.total_unread,
      conversations: found.rooms.map(({ room_id, last_message_timestamp, ...counted }) => ({
        conversation_id: room_id,
        ...counted,
        last_message_timestamp: utc(last_message_timestamp),
      })),
    }
  },
})
