import { z } from 'zod'
import { route } from '../route.ts'
import { flag, integer, type Room } from '../shapes.ts'
import { answered, listedRoom, toRooms } from './shapes.ts'

export const listRooms = route({
  row: 'mobile.rooms',
  method: 'GET',
  path: '/api/chat/rooms',
  summary: 'The chats that are not archived, or those that are; the newest first',
  query: { archived: flag.optional(), limit: integer(1, 500).optional() },
  answer: answered(z.object({ rooms: z.array(listedRoom) })),
  async handle({ caller, query: { archived = false, limit = 500 } }) {
    const found = await caller.rpc<Room[]>('get_rooms', { p_archived: archived, p_limit: limit })
    return { success: true as const, data: { rooms: await toRooms(caller, found) } }
  },
})
