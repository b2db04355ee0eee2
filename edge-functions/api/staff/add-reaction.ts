import { z } from 'zod'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { paths, requireMessage } from './conversation.ts'
import { emoji, type Reacted, reacted } from './emoji.ts'

export const addReaction = route({
  row: 'staff.react',
  method: 'POST',
  path: paths.react,
  summary: 'React to a message with one of ten emojis',
  params: hotelSlug,
  body: z.object({ emoji }),
  answer: reacted,
  refusals: [409],
  async handle(call) {
    await requireMessage(call)
    const { caller, params, body } = call
    const now = await caller.rpc<Reacted>('add_reaction', { p_message_id: params.message_id, p_emoji: body.emoji })
    return { success: true as const, ...now }
  },
})
