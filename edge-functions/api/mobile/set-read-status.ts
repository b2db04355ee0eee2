import { z } from 'zod'
import { route } from '../route.ts'
import { timestamp } from '../shapes.ts'
import { utc } from '../time.ts'
import { answered } from './shapes.ts'

interface Reading {
  last_read_message_id: string | null
  last_read_at: string | null
}

export const setReadStatus = route({
  row: 'mobile.status',
  method: 'PUT',
  path: '/api/chat/rooms/{id}/read-status',
  summary: 'Read a chat, all of it or up to a message; or mark it as unread',
  body: z.object({ is_read: z.boolean(), last_read_message_id: z.uuid().nullish() }),
  answer: answered(
    z.object({
      room_id: z.uuid(),
      unread_count: z.number(),
      last_read_message_id: z.uuid().nullable(),
      read_at: timestamp.nullable(),
    }),
  ),
  async handle({ caller, params: { id }, body: { is_read, last_read_message_id } }) {
    const { unread_count } = is_read
      ? await caller.rpc<{ unread_count: number }>('mark_read', { p_room_id: id, p_message_id: last_read_message_id })
      : await caller.rpc<{ unread_count: number }>('mark_unread', { p_room_id: id })
    const [mine] = await caller.rows<Reading[]>(
      `user_chat_preferences?room_id=eq.${id}&select=last_read_message_id,last_read_at`,
    )
    return {
      success: true as const,
      data: {
        room_id: id,
        unread_count,
        last_read_message_id: mine?.last_read_message_id ?? null,
        read_at: utc(mine?.last_read_at ?? null),
      },
    }
  },
})
