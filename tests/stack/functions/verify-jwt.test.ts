import { generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { localKeys } from '../../../src/stack/keys.ts'
import { call, Project } from './project.ts'

const config = `
[functions.guarded]
entrypoint = "../edge-functions/f/index.ts"
[functions.open]
verify_jwt = false
entrypoint = "../edge-functions/f/index.ts"
[functions.switched-off]
enabled = false
entrypoint = "../edge-functions/f/index.ts"
`
const files = {
  'supabase/config.toml': config,
  'edge-functions/f/index.ts': `Deno.serve(() => new Response('in'))`,
}

function token(secret: string, expires = '1h'): Promise<string> {
  return new SignJWT({ role: 'authenticated' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(secret))
}

function unsigned(header: Partial<JWTHeaderParameters>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part({ role: 'service_role' })}.`
}

test('verify_jwt is on unless switched off, and lets a user token and a preflight through', async () => {
  const functions = await new Project(files).start()
  const authorization = `Bearer ${await token(localKeys.jwtSecret)}`

  expect(await (await call(functions, 'guarded', { headers: { authorization } })).text()).toBe('in')
  expect(await (await call(functions, 'guarded', { method: 'OPTIONS' })).text()).toBe('in')
  expect(await (await call(functions, 'open')).text()).toBe('in')
  expect((await call(functions, 'guarded')).status).toBe(401)
})

test("who has no valid token is turned away in hosted's words", async () => {
  const functions = await new Project(files).start()
  const { privateKey } = await generateKeyPair('ES256')
  const asymmetric = await new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)
  const cases: [authorization: string | undefined, code: string, message: string][] = [
    [undefined, 'UNAUTHORIZED_NO_AUTH_HEADER', 'Missing authorization header'],
    ['Bearer hello', 'UNAUTHORIZED_INVALID_JWT_FORMAT', 'Invalid JWT'],
    [`Basic ${await token(localKeys.jwtSecret)}`, 'UNAUTHORIZED_INVALID_JWT_FORMAT', 'Invalid JWT'],
    [`Bearer ${localKeys.publishable}`, 'UNAUTHORIZED_INVALID_JWT_FORMAT', 'Invalid JWT'],
    [`Bearer ${localKeys.secret}`, 'UNAUTHORIZED_INVALID_JWT_FORMAT', 'Invalid JWT'],
    [`Bearer ${await token('another secret of at least 32 characters')}`, 'UNAUTHORIZED_LEGACY_JWT', 'Invalid JWT'],
    [`Bearer ${await token(localKeys.jwtSecret, '-1h')}`, 'UNAUTHORIZED_LEGACY_JWT', 'Invalid JWT'],
    [`Bearer ${asymmetric}`, 'UNAUTHORIZED_ASYMMETRIC_JWT', 'Invalid JWT'],
    [
      `Bearer ${unsigned({ alg: 'none' })}`,
      'UNAUTHORIZED_UNSUPPORTED_TOKEN_ALGORITHM',
      'Unsupported JWT algorithm none',
    ],
  ]

  for (const [authorization, code, message] of cases) {
    const headers = { apikey: localKeys.publishable, ...(authorization ? { authorization } : {}) }
    const response = await call(functions, 'guarded', { headers })
    expect(response.status, authorization).toBe(401)
    expect(await response.json(), authorization).toEqual({ code, message })
    expect(response.headers.get('sb-error-code'), authorization).toBe(code)
  }
})

test('a function that is unknown or switched off is not found, whoever asks', async () => {
  const functions = await new Project(files).start()

  for (const path of ['nobody', 'switched-off', 'constructor', '', 'guarded%2F']) {
    const response = await call(functions, path)
    expect(response.status, path).toBe(404)
    expect(await response.json(), path).toEqual({ code: 'NOT_FOUND', message: 'Requested function was not found' })
  }
})
