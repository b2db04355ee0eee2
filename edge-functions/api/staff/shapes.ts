import { z } from 'zod'
import type { Database } from '../../_shared/database.ts'
import { hotelMessage, listedHotelMessage, toHotelMessage } from '../hotels.ts'
import { shownMessages } from '../messages.ts'
import { type ReadMessage, type Room, room, timestamp } from '../shapes.ts'
import { utc } from '../time.ts'

export const conversation = room.extend({ is_group: z.boolean(), last_message: hotelMessage.nullable() })
type Conversation = z.infer<typeof conversation>

/** The one that a call is about. */
export const foundConversation = conversation.extend({ success: z.literal(true) })

export async function toConversations(caller: Database, rooms: Room[]): Promise<Conversation[]> {
  const last = await shownMessages(
    caller,
    rooms.flatMap(({ last_message }) => last_message ?? []),
  )
  const lastById = new Map(last.map((message) => [message.id, toHotelMessage(message)]))
  return rooms.map((each) => ({
    ...each,
    is_group: each.type === 'group',
    created_at: utc(each.created_at),
    updated_at: utc(each.updated_at),
    archived_at: utc(each.archived_at),
    muted_until: utc(each.muted_until),
    last_message: lastById.get(each.last_message?.id ?? '') ?? null,
  }))
}

export async function toFoundConversation(caller: Database, found: Room): Promise<z.infer<typeof foundConversation>> {
  const [shown] = await toConversations(caller, [found])
  return { success: true, ...(shown as Conversation) }
}

/** As it is now. @throws Refusal when the caller is not in it. */
export async function conversationNow(caller: Database, id: string): Promise<z.infer<typeof foundConversation>> {
  const [room] = await caller.rpc<Room[]>('get_rooms', { p_room_id: id })
  return toFoundConversation(caller, room as Room)
}

/** A message of a list, with who has read it. */
export const listedMessage = listedHotelMessage.extend({
  read_by: z.array(z.object({ user_id: z.uuid(), read_at: timestamp })),
})
export type Listed = ReadMessage & { read_by: { user_id: string; read_at: string }[] }

export function toListedMessage(sent: Listed): z.infer<typeof listedMessage> {
  return {
    ...toHotelMessage(sent),
    read_by: sent.read_by.map(({ user_id, read_at }) => ({ user_id, read_at: utc(read_at) })),
  }
}
