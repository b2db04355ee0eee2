import { z } from 'zod'
import type { Database } from '../../_shared/database.ts'
import { shownMessages } from '../messages.ts'
import { type Room, room } from '../shapes.ts'
import { utc } from '../time.ts'

/** How this document answers. */
export function answered<Data extends z.ZodType>(data: Data) {
  return z.object({ success: z.literal(true), data })
}

/** The same, with a sentence for people. */
export function done<Data extends z.ZodType>(data: Data) {
  return z.object({ success: z.literal(true), message: z.string(), data })
}

export const listedRoom = room.extend({
  members: z.array(z.uuid()).describe('The ids of the participants.'),
})

export async function toRooms(caller: Database, found: Room[]): Promise<z.infer<typeof listedRoom>[]> {
  const written = found.flatMap(({ last_message }) => last_message ?? [])
  const lastMessages = new Map((await shownMessages(caller, written)).map((shown) => [shown.room_id, shown]))
  return found.map((each) => ({
    ...each,
    created_at: utc(each.created_at),
    updated_at: utc(each.updated_at),
    archived_at: utc(each.archived_at),
    muted_until: utc(each.muted_until),
    last_message: lastMessages.get(each.id) ?? null,
    members: each.participants.map(({ id }) => id),
  }))
}
