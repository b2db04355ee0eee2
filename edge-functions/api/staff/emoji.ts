import { z } from 'zod'
import { reaction } from '../shapes.ts'

/** The ten reactions of this front end. A heart comes with or without the mark that makes it a picture. */
export const emoji = z
  .string()
  .transform((given) => (given === '❤' ? '❤️' : given))
  .pipe(z.enum(['👍', '❤️', '😊', '😂', '😮', '😢', '🎉', '🔥', '✅', '👏'], 'Not one of the reactions.'))

/** What there is on a message now. */
export const reacted = z.object({ success: z.literal(true), message_id: z.uuid(), reactions: z.array(reaction) })
export type Reacted = Omit<z.infer<typeof reacted>, 'success'>
