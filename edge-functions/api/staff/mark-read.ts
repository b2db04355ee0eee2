import { z } from 'zod'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { timestamp } from '../shapes.ts'
import { utc } from '../time.ts'
import { paths, requireConversation } from './conversation.ts'

interface Reading {
  unread_count: number
  updated_count: number
  last_read_message_id: string | null
  read_at: string | null
}

export const markRead = route({
  row: 'staff.read',
  method: 'POST',
  path: paths.markRead,
  summary: 'Read a conversation, up to a message or all of it',
  params: hotelSlug,
  body: z.object({ message_id: z.uuid().nullish() }).optional(),
  answer: z.object({
    success: z.literal(true),
    conversation_id: z.uuid(),
    unread_count: z.number(),
    updated_count: z.number(),
    last_read_message_id: z.uuid().nullable(),
    read_at: timestamp.nullable(),
  }),
  async handle(call) {
    await requireConversation(call)
    const { caller, params, body } = call
    const read = await caller.rpc<Reading>('mark_read', {
      p_room_id: params.conversation_id,
      p_message_id: body?.message_id,
    })
    return {
      success: true as const,
      conversation_id: params.conversation_id,
      unread_count: read.unread_count,
      updated_count: read.updated_count,
      last_read_message_id: read.last_read_message_id,
      read_at: utc(read.read_at),
    }
  },
})
