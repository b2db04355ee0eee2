import { UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ana, keys, type Served, serve, token } from './serve.ts'

let rest: Served
beforeAll(async () => {
  rest = await serve()
})
afterAll(() => rest.close())

const get = (headers: Record<string, string>, path = '/contexts') => rest.request(path, { headers })
const roleOf = async (response: Response) => (await response.json())[0].context.user

test('a key is needed, and one of ours', async () => {
  const missing = await get({})
  expect(missing.status).toBe(401)
  expect(await missing.json()).toEqual({
    message: 'No API key found in request',
    hint: 'No `apikey` request header or url param was found.',
  })
  const wrong = await get({ apikey: 'sb_publishable_somebody_elses' })
  expect(wrong.status).toBe(401)
  expect(await wrong.json()).toEqual({ message: 'Invalid API key', hint: 'Double check your Supabase `apikey`' })
})

test('the publishable key is anon, the secret one service_role', async () => {
  expect(await roleOf(await get({ apikey: keys.publishable }))).toBe('anon')
  expect(await roleOf(await get({ apikey: keys.publishable, authorization: `Bearer ${keys.publishable}` }))).toBe(
    'anon',
  )
  expect(await roleOf(await get({ apikey: keys.secret }))).toBe('service_role')
  expect(await roleOf(await get({ apikey: keys.secret, authorization: `Bearer ${keys.secret}` }))).toBe('service_role')
  expect(await roleOf(await get({}, `/contexts?apikey=${keys.publishable}`))).toBe('anon')
})

test('the secret key is refused in a browser', async () => {
  const response = await get({ apikey: keys.secret, 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64)' })
  expect(response.status).toBe(401)
  expect(await response.json()).toEqual({ message: 'Forbidden use of secret API key in browser' })
})

const bearing = (jwt: string) => get({ apikey: keys.publishable, authorization: `Bearer ${jwt}` })

test('a token makes its bearer the role it names, whatever the key', async () => {
  expect(await roleOf(await bearing(await token({ sub: ana, role: 'authenticated' })))).toBe('authenticated')
  expect(await roleOf(await bearing(await token({ role: 'service_role' })))).toBe('service_role')
  expect(await roleOf(await bearing(await token({ sub: ana })))).toBe('anon')
})

test('@supabase/lite 0.10.0: a token is one however `Bearer` is written', async () => {
  const jwt = await token({ sub: ana, role: 'authenticated' })
  for (const scheme of ['bearer', 'BEARER', 'Bearer']) {
    expect(await roleOf(await get({ apikey: keys.publishable, authorization: `${scheme} ${jwt}` }))).toBe(
      'authenticated',
    )
  }
})

test.each<[string, () => string | Promise<string>, string, string]>([
  [
    'an expired token',
    () => token({ role: 'authenticated' }, keys.jwtSecret, Math.floor(Date.now() / 1000) - 60),
    'PGRST303',
    'JWT expired',
  ],
  [
    'another secret',
    () => token({ role: 'authenticated' }, 'x'.repeat(40)),
    'PGRST301',
    'No suitable key or wrong key type',
  ],
  [
    'no algorithm',
    () => new UnsecuredJWT({ role: 'service_role' }).encode(),
    'PGRST301',
    'Expected 3 parts in JWT; got 2',
  ],
  [
    'no algorithm and some signature',
    () => `${new UnsecuredJWT({ role: 'service_role' }).encode()}x`,
    'PGRST301',
    'No suitable key or wrong key type',
  ],
  ['something else', () => 'nonsense', 'PGRST301', 'Expected 3 parts in JWT; got 1'],
])('%s is refused', async (_, make, code, message) => {
  const response = await bearing(await make())
  expect(response.status).toBe(401)
  expect(await response.json()).toMatchObject({ code, message })
})

test('any page may ask, and read what it needs', async () => {
  const preflight = await rest.request('/not_there_yet', {
    method: 'OPTIONS',
    headers: { 'access-control-request-method': 'POST', 'access-control-request-headers': 'apikey,prefer,x-mine' },
  })
  expect(preflight.status).toBe(200)
  expect(Object.fromEntries(preflight.headers)).toMatchObject({
    'access-control-allow-origin': '*',
    'access-control-allow-headers': 'apikey,prefer,x-mine',
    'access-control-allow-methods': expect.stringContaining('PATCH'),
  })
  for (const response of [await get({ apikey: keys.publishable }), await get({})]) {
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('access-control-expose-headers')).toContain('Content-Range')
  }
})
