import { z } from 'zod'
import { route } from '../route.ts'
import { text } from '../shapes.ts'

export const verifyKey = route({
  row: 'mobile.verify',
  method: 'POST',
  path: '/api/chat/encryption/verify',
  summary: "Say that one has compared the fingerprint of somebody's key",
  body: z.object({ user_id: z.uuid(), key_id: text, fingerprint: text }),
  answer: z.object({ success: z.literal(true), message: z.string() }),
  refusals: [409],
  async handle({ caller, body: { user_id, key_id, fingerprint } }) {
    await caller.rpc('verify_encryption_key', { p_user_id: user_id, p_key_id: key_id, p_fingerprint: fingerprint })
    return { success: true as const, message: 'Key verified successfully' }
  },
})
