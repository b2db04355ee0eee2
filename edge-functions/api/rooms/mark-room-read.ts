import { z } from 'zod'
import { route } from '../route.ts'

export const markRoomRead = route({
  row: 'rooms.read',
  method: 'POST',
  path: '/api/chat/rooms/{id}/mark_read/',
  summary: 'Read all messages of a chat',
  answer: z.object({ message: z.string(), updated_count: z.number() }),
  async handle({ caller, params: { id } }) {
    const { updated_count } = await caller.rpc<{ updated_count: number }>('mark_read', { p_room_id: id })
    return { message: 'All messages marked as read', updated_count }
  },
})
