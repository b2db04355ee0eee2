import { z } from 'zod'
import { invalidInput } from '../../_shared/body.ts'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { paths, requireMessage } from './conversation.ts'
import { emoji, type Reacted, reacted } from './emoji.ts'

export const removeReaction = route({
  row: 'staff.react',
  method: 'DELETE',
  path: paths.reaction,
  summary: 'Take a reaction of one’s own back',
  // An emoji is no id: another one than the ten is bad input.
  params: { ...hotelSlug, emoji: z.string() },
  answer: reacted,
  async handle(call) {
    const { caller, params } = call
    const asked = z.object({ emoji }).safeParse(params)
    if (!asked.success) throw invalidInput(asked.error)
    await requireMessage(call)
    const now = await caller.rpc<Reacted>('remove_reaction', {
      p_message_id: params.message_id,
      p_emoji: asked.data.emoji,
    })
    return { success: true as const, ...now }
  },
})
