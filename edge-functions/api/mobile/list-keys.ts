import { z } from 'zod'
import { route } from '../route.ts'
import { timestamp } from '../shapes.ts'
import { utc } from '../time.ts'
import { answered } from './shapes.ts'

const key = z.object({
  key_id: z.string(),
  device_id: z.string(),
  public_key: z.string(),
  fingerprint: z.string(),
  created_at: timestamp,
  is_active: z.boolean(),
  verified: z.boolean().describe('Whether the caller has compared the fingerprint.'),
})

export const listKeys = route({
  row: 'mobile.keys',
  method: 'GET',
  path: '/api/chat/encryption/keys/{user_id}',
  summary: "Somebody's public keys",
  answer: answered(z.object({ user_id: z.uuid(), keys: z.array(key) })),
  async handle({ caller, params: { user_id } }) {
    const { keys } = await caller.rpc<{ keys: z.infer<typeof key>[] }>('get_encryption_keys', { p_user_id: user_id })
    const shown = keys.map((each) => ({ ...each, created_at: utc(each.created_at) }))
    return { success: true as const, data: { user_id, keys: shown } }
  },
})
