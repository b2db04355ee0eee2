import { z } from 'zod'
import { route } from '../route.ts'
import { timestamp } from '../shapes.ts'
import { utc } from '../time.ts'
import { answered } from './shapes.ts'

const unreadRoom = z.object({
  room_id: z.uuid(),
  unread_count: z.number(),
  last_read_message_id: z.uuid().nullable(),
})
const unreadRooms = z.object({
  total_unread: z.number(),
  rooms: z.array(unreadRoom.extend({ last_message_timestamp: timestamp.nullable() })),
})

export const countUnread = route({
  row: 'mobile.unread',
  method: 'GET',
  path: '/api/chat/unread-count',
  summary: 'How many messages are unread, in all chats or in one',
  query: { room_id: z.uuid().optional() },
  answer: answered(z.union([unreadRooms, unreadRoom])),
  async handle({ caller, query: { room_id } }) {
    const { total_unread, rooms } = await caller.rpc<z.infer<typeof unreadRooms>>('unread_counts', {
      p_room_id: room_id,
    })
    if (room_id !== undefined) {
      const { unread_count, last_read_message_id } = rooms[0] as z.infer<typeof unreadRoom>
      return { success: true as const, data: { room_id, unread_count, last_read_message_id } }
    }
    const shown = rooms.map((each) => ({ ...each, last_message_timestamp: utc(each.last_message_timestamp) }))
    return { success: true as const, data: { total_unread, rooms: shown } }
  },
})
