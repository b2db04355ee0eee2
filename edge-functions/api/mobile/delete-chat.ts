import { z } from 'zod'
import { route } from '../route.ts'
import { timestamp } from '../shapes.ts'
import { utc } from '../time.ts'
import { done } from './shapes.ts'

export const deleteChat = route({
  row: 'mobile.delete',
  method: 'DELETE',
  path: '/api/chat/rooms/{id}',
  summary: 'Delete a chat for oneself, or leave a group',
  answer: done(z.object({ room_id: z.uuid(), deleted_at: timestamp })),
  async handle({ caller, params: { id } }) {
    const { deleted_at } = await caller.rpc<{ deleted_at: string }>('delete_chat', { p_room_id: id })
    return {
      success: true as const,
      message: 'Chat deleted successfully',
      data: { room_id: id, deleted_at: utc(deleted_at) },
    }
  },
})
