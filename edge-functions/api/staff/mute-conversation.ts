import { z } from 'zod'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { timestamp } from '../shapes.ts'
import { utc } from '../time.ts'
import { paths, requireConversation } from './conversation.ts'

export const muteConversation = route({
  row: 'staff.unread',
  method: 'POST',
  path: paths.mute,
  summary: 'Mute a conversation for oneself, until a time or for good; with muted: false no longer',
  params: hotelSlug,
  body: z.object({ muted: z.boolean().optional(), until: z.iso.datetime({ offset: true }).nullish() }).optional(),
  answer: z.object({
    success: z.literal(true),
    conversation_id: z.uuid(),
    is_muted: z.boolean(),
    muted_until: timestamp.nullable(),
  }),
  async handle(call) {
    await requireConversation(call)
    const { caller, params, body } = call
    const now = await caller.rpc<{ is_muted: boolean; muted_until: string | null }>('mute_chat', {
      p_room_id: params.conversation_id,
      p_until: body?.until,
      p_muted: body?.muted,
    })
    return {
      success: true as const,
      conversation_id: params.conversation_id,
      is_muted: now.is_muted,
      muted_until: utc(now.muted_until),
    }
  },
})
