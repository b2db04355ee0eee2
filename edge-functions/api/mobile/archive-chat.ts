import { z } from 'zod'
import { route } from '../route.ts'
import { timestamp } from '../shapes.ts'
import { utc } from '../time.ts'
import { done } from './shapes.ts'

export const archiveChat = route({
  row: 'mobile.archive',
  method: 'PUT',
  path: '/api/chat/rooms/{id}/archive',
  summary: 'Archive a chat for oneself, or take it back',
  body: z.object({ is_archived: z.boolean() }),
  answer: done(z.object({ room_id: z.uuid(), is_archived: z.boolean(), archived_at: timestamp.nullable() })),
  async handle({ caller, params: { id }, body: { is_archived } }) {
    const archived = await caller.rpc<{ archived_at: string | null }>('archive_chat', {
      p_room_id: id,
      p_archived: is_archived,
    })
    return {
      success: true as const,
      message: is_archived ? 'Chat archived successfully' : 'Chat unarchived successfully',
      data: { room_id: id, is_archived, archived_at: utc(archived.archived_at) },
    }
  },
})
