import { z } from 'zod'
import type { Database } from '../../_shared/database.ts'
import { attachment, type Message, type Room, reaction, text, timestamp, type User, user } from '../shapes.ts'
import { utc } from '../time.ts'

export const message = z.object({
  id: z.uuid(),
  room: z.uuid(),
  sender: user.nullable(),
  content: z.string(),
  attachments: z.array(attachment),
  reactions: z.array(reaction),
  created_at: timestamp,
  is_read: z.boolean(),
})

export function toMessage(sent: Message & { is_read: boolean }): z.infer<typeof message> {
  const { id, room_id, sender, content, attachments, reactions, created_at, is_read } = sent
  // This front end takes every message for a text.
  return {
    id,
    room: room_id,
    sender,
    content: content ?? '',
    attachments,
    reactions,
    created_at: utc(created_at),
    is_read,
  }
}

/** What time it is where the client is: it may say so, and the server goes by its own clock. */
export const clientClock = z.object({ timestamp: text.optional() }).optional()

const lastMessage = message.omit({ room: true, attachments: true, reactions: true })

export const room = z.object({
  id: z.uuid(),
  type: z.enum(['direct', 'group', 'guest']),
  name: z.string(),
  participants: z.array(user),
  last_message: lastMessage.nullable(),
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
      participants: participants.map(toUser),
      last_message: last_message && lastMessageOf(last_message, readByOthers[id] ?? each.last_read_seq),
      unread_count,
      updated_at: utc(updated_at),
      created_at: utc(created_at),
    }
  })
}

function toUser({ id, username, first_name, last_name, email, avatar_url }: User): User {
  return { id, username, first_name, last_name, email, avatar_url }
}

function lastMessageOf(last: Message, readUpToSeq: number): z.infer<typeof lastMessage> {
  const { id, content, sender, created_at, is_read } = toMessage({ ...last, is_read: last.seq <= readUpToSeq })
  return { id, content, sender, created_at, is_read }
}
