import { z } from 'zod'
import type { Database } from '../../_shared/database.ts'
import { route } from '../route.ts'
import { timestamp } from '../shapes.ts'
import { utc } from '../time.ts'
import { answered } from './shapes.ts'

const readStatus = z.object({
  room_id: z.uuid(),
  unread_count: z.number(),
  last_read_message_id: z.uuid().nullable(),
  read_at: timestamp.nullable(),
})
type ReadStatus = z.infer<typeof readStatus>

export const setReadStatus = route({
  row: 'mobile.status',
  method: 'PUT',
  path: '/api/chat/rooms/{id}/read-status',
  summary: 'Read a chat, all of it or up to a message; or mark it as unread',
  body: z.object({ is_read: z.boolean(), last_read_message_id: z.uuid().nullish() }),
  answer: answered(readStatus),
  async handle({ caller, params: { id }, body: { is_read, last_read_message_id } }) {
    const { unread_count, ...read } = is_read
      ? await caller.rpc<ReadStatus>('mark_read', { p_room_id: id, p_message_id: last_read_message_id })
      : await markUnread(caller, id)
    return {
      success: true as const,
      data: {
        room_id: id,
        unread_count,
        last_read_message_id: read.last_read_message_id,
        read_at: utc(read.read_at),
      },
    }
  },
})

// What was read before stays read.
async function markUnread(caller: Database, roomId: string): Promise<ReadStatus> {
  const marked = await caller.rpc<Pick<ReadStatus, 'room_id' | 'unread_count'>>('mark_unread', { p_room_id: roomId })
  const mine = await caller.rows<Pick<ReadStatus, 'last_read_message_id' | 'read_at'>[]>(
    `user_chat_preferences?room_id=eq.${roomId}&select=last_read_message_id,read_at:last_read_at`,
  )
  const [{ last_read_message_id, read_at } = { last_read_message_id: null, read_at: null }] = mine
  return { ...marked, last_read_message_id, read_at }
}
