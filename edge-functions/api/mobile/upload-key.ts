import { z } from 'zod'
import { route } from '../route.ts'
import { text, timestamp } from '../shapes.ts'
import { utc } from '../time.ts'
import { answered } from './shapes.ts'

export const uploadKey = route({
  row: 'mobile.keys',
  method: 'POST',
  path: '/api/chat/encryption/keys',
  summary: "Publish a device's public key",
  body: z.object({
    public_key: text,
    device_id: text,
    key_id: text,
    expires_at: z.iso.datetime({ offset: true }).optional(),
  }),
  answer: answered(z.object({ key_id: z.string(), fingerprint: z.string(), uploaded_at: timestamp })),
  refusals: [409],
  async handle({ caller, body: { public_key, device_id, key_id, expires_at } }) {
    const uploaded = await caller.rpc<{ key_id: string; fingerprint: string; uploaded_at: string }>(
      'upload_encryption_key',
      { p_public_key: public_key, p_device_id: device_id, p_key_id: key_id, p_expires_at: expires_at },
    )
    return { success: true as const, data: { ...uploaded, uploaded_at: utc(uploaded.uploaded_at) } }
  },
})
