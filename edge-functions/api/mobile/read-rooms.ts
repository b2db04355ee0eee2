import { z } from 'zod'
import { route } from '../route.ts'

export const readRooms = route({
  row: 'mobile.readall',
  method: 'POST',
  path: '/api/chat/rooms/read-status',
  summary: 'Read several chats at once',
  body: z.object({ room_ids: z.array(z.uuid()).max(1000) }),
  answer: z.object({ success: z.literal(true), rooms_updated: z.number() }),
  async handle({ caller, body: { room_ids } }) {
    const { rooms_updated } = await caller.rpc<{ rooms_updated: number }>('mark_rooms_read', { p_room_ids: room_ids })
    return { success: true as const, rooms_updated }
  },
})
