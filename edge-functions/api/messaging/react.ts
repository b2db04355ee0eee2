import { z } from 'zod'
import { route } from '../route.ts'
import { text } from '../shapes.ts'

interface Toggled {
  reacted: boolean
  replaced: boolean
  emoji: string
}

export const react = route({
  row: 'messaging.react',
  method: 'POST',
  path: '/api/messaging/messages/{message_id}/react/',
  summary: 'Put a reaction, change it, or take it back with the same again',
  body: z.object({ reaction_type: text }),
  answer: z.object({
    success: z.literal(true),
    message: z.enum(['Reaction added', 'Reaction updated', 'Reaction removed']),
    reacted: z.boolean(),
    reaction_type: z.string(),
  }),
  refusals: [409],
  async handle({ caller, params, body }) {
    const { reacted, replaced, emoji } = await caller.rpc<Toggled>('toggle_reaction', {
      p_message_id: params.message_id,
      p_emoji: body.reaction_type,
    })
    const message = replaced ? 'Reaction updated' : reacted ? 'Reaction added' : 'Reaction removed'
    return { success: true as const, message, reacted, reaction_type: emoji } as const
  },
})
