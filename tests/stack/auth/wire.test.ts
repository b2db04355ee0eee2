import { afterAll, beforeAll, expect, test } from 'vitest'
import { localKeys } from '../../../src/stack/keys.ts'
import { type Project, startProject } from './project.ts'

let project: Project
beforeAll(async () => {
  project = await startProject()
})
afterAll(() => project.close())

const wrongPassword = (headers: HeadersInit = {}) =>
  project.request('/token?grant_type=password', {
    method: 'POST',
    headers,
    body: '{"email":"a@b.test","password":"x"}',
  })

test('without an API key nothing is answered, nor with a wrong one', async () => {
  const none = await project.request('/settings', { headers: { apikey: '' } })
  expect(none.status).toBe(401)
  expect(none.headers.get('sb-error-code')).toBe('UNAUTHORIZED_MISSING_API_KEY')
  expect(await none.json()).toMatchObject({ message: 'No API key found in request' })
  const wrong = await project.request('/settings', { headers: { apikey: `${localKeys.publishable}x` } })
  expect(wrong.status).toBe(401)
  expect(await wrong.json()).toMatchObject({ message: 'Invalid API key' })
  const inQuery = await project.request(`/settings?apikey=${localKeys.publishable}`, { headers: { apikey: '' } })
  expect(inQuery.status).toBe(200)
})

test('the secret key is refused in a browser', async () => {
  const headers = { apikey: localKeys.secret, 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64)' }
  const response = await project.request('/admin/users', { headers })
  expect(response.status).toBe(401)
  expect(await response.json()).toMatchObject({ message: 'Forbidden use of secret API key in browser' })
})

test('nor is it let in as a bearer token beside the publishable key', async () => {
  const asBearer = (userAgent: string, scheme = 'Bearer') =>
    project.request('/admin/users', {
      headers: { authorization: `${scheme} ${localKeys.secret}`, 'user-agent': userAgent },
    })
  for (const scheme of ['Bearer', 'bearer']) {
    const refused = await asBearer('Mozilla/5.0 (X11; Linux x86_64)', scheme)
    expect(refused.status).toBe(401)
    expect(refused.headers.get('sb-error-code')).toBe('UNAUTHORIZED_INVALID_API_KEY_TYPE')
    expect(await refused.json()).toMatchObject({ message: 'Forbidden use of secret API key in browser' })
  }
  expect((await asBearer('curl/8.5.0')).status).toBe(200)
})

test('text that Postgres cannot store is refused wherever it stands', async () => {
  const signUp = (fields: object) => {
    const body = JSON.stringify({ email: 'nul@hotel.test', password: 'correct horse', ...fields })
    return project.request('/signup', { method: 'POST', body })
  }
  const refused = [
    await signUp({ email: 'a\0@hotel.test' }),
    await signUp({ password: 'correct\0horse' }),
    await signUp({ data: { name: 'a\0b' } }),
    await signUp({ data: { deep: [{ 'na\0me': 1 }] } }),
    await signUp({ data: { name: '\ud83d' } }),
    await project.request('/verify?type=signup&token=%00'),
  ]
  for (const response of refused) {
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error_code: 'validation_failed' })
  }
  expect((await signUp({ data: { name: '\ud83d\ude00' } })).status).toBe(200)
})

test('errors name their code in the body as the asked API version has it, and in a header', async () => {
  const before = await wrongPassword()
  expect(before.headers.get('x-sb-error-code')).toBe('invalid_credentials')
  expect(before.headers.get('x-supabase-api-version')).toBeNull()
  expect(await before.json()).toEqual({
    code: 400,
    error_code: 'invalid_credentials',
    msg: 'Invalid login credentials',
  })
  const since = await wrongPassword({ 'x-supabase-api-version': '2024-01-01' })
  expect(since.headers.get('x-sb-error-code')).toBe('invalid_credentials')
  expect(since.headers.get('x-supabase-api-version')).toBe('2024-01-01')
  expect(await since.json()).toEqual({ code: 'invalid_credentials', message: 'Invalid login credentials' })
})

test('what is no JSON object, has the wrong types, or names no grant is refused', async () => {
  const post = (path: string, body: string) => project.request(path, { method: 'POST', body })
  for (const body of ['{', '[]', 'null', '"text"']) {
    expect(await (await post('/signup', body)).json()).toMatchObject({ code: 400, error_code: 'bad_json' })
  }
  const types = await post('/signup', '{"email":{"a":1},"password":"correct horse"}')
  expect(await types.json()).toMatchObject({ code: 400, error_code: 'validation_failed' })
  const grant = await post('/token?grant_type=wish', '{}')
  expect(await grant.json()).toMatchObject({ code: 400, msg: 'unsupported_grant_type' })
})

test('a browser may ask from anywhere and read the paging headers', async () => {
  const preflight = await project.request('/token', {
    method: 'OPTIONS',
    headers: {
      apikey: '',
      origin: 'http://app.test',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'apikey,authorization,content-type,x-client-info,x-supabase-api-version',
    },
  })
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
  expect(preflight.headers.get('access-control-allow-methods')).toContain('PUT')
  expect(preflight.headers.get('access-control-allow-headers')).toContain('x-supabase-api-version')
  const refused = await project.request('/settings', { headers: { apikey: '', origin: 'http://app.test' } })
  expect(refused.headers.get('access-control-allow-origin')).toBe('*')
  expect(refused.headers.get('access-control-expose-headers')).toContain('X-Total-Count')
})

test('settings, health and keys say what is on', async () => {
  const get = async (path: string) => (await project.request(path)).json()
  expect(await get('/settings')).toMatchObject({
    external: { anonymous_users: true, email: true, phone: false },
    disable_signup: false,
    mailer_autoconfirm: true,
  })
  expect(await get('/health')).toMatchObject({ name: 'GoTrue' })
  expect(await get('/.well-known/jwks.json')).toEqual({ keys: [] })
  expect((await project.request('/nowhere')).status).toBe(404)
  const provider = await project.request('/authorize?provider=google')
  expect(await provider.json()).toMatchObject({ code: 400, error_code: 'validation_failed' })
})
