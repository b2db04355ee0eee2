import { z } from 'zod'
import type { Database } from '../../_shared/database.ts'
import { type Message, type Room, timestamp, user } from '../shapes.ts'
import { utc } from '../time.ts'

export const message = z.object({
  id: z.uuid(),
  room: z.uuid(),
  sender: user.nullable(),
  content: z.string().nullable(),
  created_at: timestamp,
  is_read: z.boolean(),
})

export function toMessage(sent: Message & { is_read: boolean }): z.infer<typeof message> {
  const { id, room_id, sender, content, created_at, is_read } = sent
  return { id, room: room_id, sender, content, created_at: utc(created_at), is_read }
}

export const room = z.object({
  id: z.uuid(),
  type: z.enum(['direct', 'group', 'guest']),
  name: z.string(),
  participants: z.array(user),
  last_message: message.omit({ room: true }).nullable(),
  unread_count: z.number(),
  updated_at: timestamp,
  created_at: timestamp,
})

/** Rooms of SQL's as this document shows them. How far others have read is asked once for all, if I wrote last anywhere. */
export async function toRooms(caller: Database, found: Room[], myId: string): Promise<z.infer<typeof room>[]> {
  const mine = found.filter(({ last_message }) => last_message?.sender_id === myId).map(({ id }) => id)
  const readByOthers =
    mine.length > 0 ? await caller.rpc<Record<string, number>>('read_by_others', { p_room_ids: mine }) : {}
  return found.map((each) => {
    const { id, type, name, participants, last_message, unread_count, updated_at, created_at } = each
    return {
      id,
      type,
      name: name ?? 'Conversation',
      participants: participants.map(({ role, ...person }) => person),
      last_message: last_message && lastMessageOf(last_message, readByOthers[id] ?? each.last_read_seq),
      unread_count,
      updated_at: utc(updated_at),
      created_at: utc(created_at),
    }
  })
}

function lastMessageOf(last: Message, readUpToSeq: number) {
  const { room, ...shown } = toMessage({ ...last, is_read: last.seq <= readUpToSeq })
  return shown
}
