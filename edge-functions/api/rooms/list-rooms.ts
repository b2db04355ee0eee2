import { z } from 'zod'
import { route } from '../route.ts'
import type { Room } from '../shapes.ts'
import { room, toRooms } from './shapes.ts'

export const listRooms = route({
  row: 'rooms.list',
  method: 'GET',
  path: '/api/chat/rooms/',
  summary: 'The chats, the newest first',
  answer: z.object({ results: z.array(room) }),
  async handle({ caller }) {
    const found = await caller.rpc<Room[]>('get_rooms', { p_limit: 500 })
    return { results: await toRooms(caller, found, caller.id) }
  },
})
