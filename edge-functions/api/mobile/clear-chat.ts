import { z } from 'zod'
import { route } from '../route.ts'
import { flag, timestamp } from '../shapes.ts'
import { utc } from '../time.ts'
import { done } from './shapes.ts'

export const clearChat = route({
  row: 'mobile.clear',
  method: 'DELETE',
  path: '/api/chat/rooms/{id}/messages',
  summary: 'Clear a chat for oneself, or for everyone',
  query: { for_everyone: flag.optional() },
  answer: done(z.object({ room_id: z.uuid(), cleared_at: timestamp, for_everyone: z.boolean() })),
  async handle({ caller, params: { id }, query: { for_everyone = false } }) {
    const cleared = await caller.rpc<{ cleared_at: string }>('clear_chat', {
      p_room_id: id,
      p_for_everyone: for_everyone,
    })
    return {
      success: true as const,
      message: 'Chat cleared successfully',
      data: { room_id: id, cleared_at: utc(cleared.cleared_at), for_everyone },
    }
  },
})
