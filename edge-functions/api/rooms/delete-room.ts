import { z } from 'zod'
import { route } from '../route.ts'

export const deleteRoom = route({
  row: 'rooms.delete',
  method: 'DELETE',
  path: '/api/chat/rooms/{id}/',
  summary: 'Delete a chat for oneself, or leave a group',
  answer: z.object({ message: z.string() }),
  async handle({ caller, params: { id } }) {
    await caller.rpc('delete_chat', { p_room_id: id })
    return { message: 'Room deleted successfully' }
  },
})
