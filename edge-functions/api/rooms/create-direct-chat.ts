import { z } from 'zod'
import { route } from '../route.ts'
import type { Room } from '../shapes.ts'
import { room, toRooms } from './shapes.ts'

export const createDirectChat = route({
  row: 'rooms.direct',
  method: 'POST',
  path: '/api/chat/rooms/create_direct_chat/',
  summary: 'The direct chat with somebody, made if there is none',
  body: z.object({ user_id: z.uuid() }),
  answer: room,
  async handle({ caller, body }) {
    const started = await caller.rpc<Room>('start_direct_chat', { p_user_id: body.user_id })
    const [shown] = await toRooms(caller, [started], caller.id)
    return shown as z.infer<typeof room>
  },
})
