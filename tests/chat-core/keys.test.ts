import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSessions, type Sessions } from '../support/sessions.ts'

const keys = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  p256: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  ed25519: generateKeyPairSync('ed25519'),
  x25519: generateKeyPairSync('x25519'),
}

let sessions: Sessions
let owner: pg.Client

beforeAll(async () => {
  sessions = await createSessions()
  owner = await sessions.open()
})

afterAll(() => sessions.close())

test('mobile.keys: the fingerprint is what OpenSSL makes of the key', async () => {
  const ana = await sessions.signUp('ana')
  for (const [name, { publicKey }] of Object.entries(keys)) {
    const pem = publicKey.export({ type: 'spki', format: 'pem' })
    const { rows } = await ana.client.query(
      `select public.upload_encryption_key($1, 'phone', $2) ->> 'fingerprint' as fingerprint`,
      [pem, name],
    )
    const der = publicKey.export({ type: 'spki', format: 'der' })
    expect(rows[0].fingerprint).toBe(createHash('sha256').update(der).digest('hex').toUpperCase())
  }
})

test('mobile.keys: what is taken for a public key, OpenSSL reads as the same', async () => {
  const originals = Object.values(keys).flatMap(({ publicKey, privateKey }) => [
    publicKey.export({ type: 'spki', format: 'der' }),
    privateKey.export({ type: 'pkcs8', format: 'der' }),
  ])
  // Most changes are to the head, where all is in the form. The others are to the key.
  const change = fc.record({
    at: fc.oneof({ weight: 3, arbitrary: fc.nat(40) }, fc.nat(400)),
    remove: fc.nat(2),
    insert: fc.uint8Array({ maxLength: 2 }),
  })
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...originals), fc.array(change, { maxLength: 2 }), async (original, changes) => {
      const der = changes.reduce(apply, original)
      if (!(await isTaken(der))) return
      accepted += 1
      const key = createPublicKey({ key: der, type: 'spki', format: 'der' })
      expect(key.export({ type: 'spki', format: 'der' }).equals(der)).toBe(true)
      expect(isAllowed(key)).toBe(true)
    }),
    { numRuns: 1000 },
  )
  expect(accepted, 'keys that were accepted').toBeGreaterThan(50)
})

test('mobile.keys: what is uploaded twice at once is one key, charged once', async () => {
  const ben = await sessions.signUp('ben')
  const devices = await Promise.all(Array.from({ length: 8 }, () => sessions.again(ben)))
  const pem = keys.x25519.publicKey.export({ type: 'spki', format: 'pem' })
  const answers = await Promise.all(
    devices.map(({ client }) => client.query(`select public.upload_encryption_key($1, 'phone', 'key') as key`, [pem])),
  )
  expect(new Set(answers.map(({ rows }) => JSON.stringify(rows[0].key))).size).toBe(1)
  const { rows } = await owner.query(
    `select floor(tokens)::int as tokens from private.rate_buckets where user_id = $1 and action = 'key_upload'`,
    [ben.id],
  )
  expect(rows).toEqual([{ tokens: 9 }])
})

test('mobile.keys: of two keys uploaded at once by one id, one is refused', async () => {
  const col = await sessions.signUp('col')
  const devices = [col, await sessions.again(col)]
  const answers = await Promise.allSettled(
    [keys.x25519, keys.ed25519].map(({ publicKey }, i) =>
      devices[i]?.client.query(`select public.upload_encryption_key($1, 'phone', 'key')`, [
        publicKey.export({ type: 'spki', format: 'pem' }),
      ]),
    ),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(answers.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { detail: 'key_id_taken' } })
})

function apply(der: Buffer, change: { at: number; remove: number; insert: Uint8Array }): Buffer {
  return Buffer.concat([der.subarray(0, change.at), change.insert, der.subarray(change.at + change.remove)])
}

async function isTaken(der: Buffer): Promise<boolean> {
  const pem = `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`
  const { rows } = await owner.query('select private.public_key_der($1) is not null as taken', [pem])
  return rows[0].taken
}

function isAllowed({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  if (type === 'rsa') return (details?.modulusLength ?? 0) >= 2048
  if (type === 'ec') return details?.namedCurve === 'prime256v1'
  return type === 'ed25519' || type === 'x25519'
}
