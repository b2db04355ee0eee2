import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { RawClient } from './raw-client.ts'
import { ana, keys, type Served, serve, token } from './serve.ts'

let served: Served

beforeAll(async () => {
  served = await serve({ payloadBytes: 1000, frameBytes: 5000 })
  await served.sql(`
    create policy "everybody reads" on realtime.messages for select to anon, authenticated using (true);
    create policy "Ana writes to the den" on realtime.messages for insert to authenticated
    with check (realtime.topic() = 'den' and auth.uid() = '${ana}'
      and current_setting('request.headers', true)::jsonb ->> 'content-type' is not null)`)
})
afterAll(() => served.close())

const den = 'realtime:den'
const hi = { topic: 'den', event: 'hi', payload: { n: 1 } }

async function listener(isPrivate = false): Promise<RawClient> {
  const client = await served.raw()
  expect(await client.join(den, { private: isPrivate })).toMatchObject({ status: 'ok' })
  return client
}

const asKey = { apikey: keys.publishable }
const asAna = async () => ({ ...asKey, authorization: `Bearer ${await token()}` })

function batch(messages: unknown, headers: Record<string, string> = asKey): Promise<Response> {
  const body = JSON.stringify({ messages })
  return served.request('/api/broadcast', {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body,
  })
}

function single(path: string, body: BodyInit | null, headers: Record<string, string>): Promise<Response> {
  return served.request(`/api/broadcast/${path}`, { method: 'POST', headers: { ...asKey, ...headers }, body })
}

const json = { 'content-type': 'application/json' }

test('a batch reaches who listens, and only there', async () => {
  const [open, secret] = [await listener(), await listener(true)]
  const response = await batch([hi, { ...hi, topic: 'lounge' }, { ...hi, event: 'ho', id: '7' }])
  expect(response.status).toBe(202)
  expect(await response.text()).toBe('')
  expect(await open.settled()).toEqual([
    [null, null, den, 'broadcast', { type: 'broadcast', event: 'hi', payload: { n: 1 } }],
    [null, null, den, 'broadcast', { type: 'broadcast', event: 'ho', payload: { n: 1 }, meta: { id: '7' } }],
  ])
  expect(await secret.settled()).toEqual([])
})

test('a private message is sent by whom a policy lets, and dropped in silence for others', async () => {
  const secret = await listener(true)
  const forged = { ...hi, event: 'forged', private: true }
  expect((await batch([forged])).status).toBe(202)
  expect(
    (
      await batch([forged, { ...hi, private: true }], {
        authorization: `Bearer ${await token({ role: 'authenticated' })}`,
      })
    ).status,
  ).toBe(202)
  expect(
    (
      await batch(
        [
          { ...hi, private: true },
          { ...forged, topic: 'lounge' },
        ],
        await asAna(),
      )
    ).status,
  ).toBe(202)
  expect((await batch([{ ...hi, event: 'ho', private: 'true' }], { apikey: keys.secret })).status).toBe(202)
  expect(await secret.settled()).toMatchObject([{ 4: { event: 'hi' } }, { 4: { event: 'ho' } }])
})

test.each([
  ['nothing', {}],
  ['a key that is none', { apikey: 'sb_publishable_other' }],
  ['a key where a token belongs, alone', { authorization: `Bearer ${keys.secret}` }],
  ['no token', { ...asKey, authorization: 'Bearer nonsense' }],
])('%s is not authorised', async (_, headers) => {
  const response = await batch([hi], headers as Record<string, string>)
  expect(response.status).toBe(401)
  expect(await response.json()).toEqual({ message: 'Unauthorized' })
})

test('a key in both headers is a key', async () => {
  expect((await batch([hi], { ...asKey, authorization: `Bearer ${keys.publishable}` })).status).toBe(202)
})

const blank = ["can't be blank"]

test.each([
  [undefined, blank],
  [[], blank],
  ['hi', ['is invalid']],
  [
    [{ topic: 'den' }, hi],
    [{ payload: blank, event: blank }, {}],
  ],
  [
    [{ ...hi, payload: 'n', event: 7, private: 'maybe', id: 7 }],
    [{ payload: ['is invalid'], event: ['is invalid'], private: ['is invalid'], id: ['is invalid'] }],
  ],
  [
    [{ ...hi, topic: ' ', payload: { x: 'x'.repeat(1000) } }],
    [{ topic: blank, payload: ['Payload size exceeds tenant limit'] }],
  ],
])('%j: nothing is sent, and each fault is told', async (messages, faults) => {
  const open = await listener()
  const response = await batch(messages)
  expect(response.status).toBe(422)
  expect(await response.json()).toEqual({ errors: { messages: faults } })
  expect(await open.settled()).toEqual([])
})

test('a body that is no JSON, and one that is too long, are refused', async () => {
  const post = (body: string) =>
    served.request('/api/broadcast', { method: 'POST', headers: { ...asKey, ...json }, body })
  expect((await post('{')).status).toBe(400)
  expect((await post(JSON.stringify({ messages: 'x'.repeat(5000) }))).status).toBe(413)
})

test('one event reaches who listens, its names decoded', async () => {
  const client = await served.raw()
  await client.join('realtime:a/ü')
  expect(
    (await single('a%2F%C3%BC/events/h%2Fi', '{"n":1}', { 'content-type': 'application/json; charset=utf-8' })).status,
  ).toBe(202)
  const name = Buffer.from('realtime:a/ü')
  expect(await client.next()).toEqual(
    Buffer.concat([Buffer.from([4, name.length, 3, 0, 1]), name, Buffer.from('h/i{"n":1}')]),
  )
})

test('bytes are one event too', async () => {
  const open = await listener()
  const type = { 'content-type': 'application/octet-stream' }
  expect((await single('den/events/hi', Buffer.from([0xde, 0xad]), type)).status).toBe(202)
  expect(((await open.next()) as Buffer).subarray(-2)).toEqual(Buffer.from([0xde, 0xad]))
  expect((await single('den/events/empty', null, type)).status).toBe(202)
  expect(String(await open.next())).toMatch(/denempty$/)
})

test('one private event takes the right to write', async () => {
  const secret = await listener(true)
  const path = 'den/events/hi?private=true'
  const refused = await single(path, '{}', json)
  expect(refused.status).toBe(403)
  expect(await refused.json()).toEqual({ message: 'Unauthorized' })
  expect((await single(path, '{"n":1}', { ...json, ...(await asAna()) })).status).toBe(202)
  expect(await secret.settled()).toHaveLength(1)
})

test('one private event whose policy raises says so', async () => {
  await served.sql(`create policy "broken" on realtime.messages for insert to anon with check (1 / (select 0) = 1)`)
  const response = await single('den/events/hi?private=true', '{}', json)
  await served.sql(`drop policy "broken" on realtime.messages`)
  expect(response.status).toBe(422)
  expect(await response.json()).toEqual({ message: 'RLS policy error' })
})

test('one private event whose policy is stopped says so', async () => {
  await served.sql(`
    create policy "slow" on realtime.messages for insert to anon with check ((select pg_sleep(60)) is not null)`)
  const answer = single('den/events/hi?private=true', '{}', json)
  const stop = () =>
    served.adminSql(
      `select pg_cancel_backend(pid) from pg_stat_activity
       where datname = current_database() and wait_event = 'PgSleep'`,
    )
  await vi.waitFor(async () => expect(await stop()).toHaveLength(1), { timeout: 7000 })
  const response = await answer
  await served.sql(`drop policy "slow" on realtime.messages`)
  expect(response.status).toBe(422)
  expect(await response.json()).toEqual({ message: 'Query canceled' })
})

test.each([
  [415, 'text/plain', '{}', { error: 'Unsupported Media Type. Use application/json or application/octet-stream' }],
  [422, 'application/octet-stream', 'x'.repeat(1001), { errors: { payload: ['Payload size exceeds tenant limit'] } }],
  [400, 'application/json', '{', { errors: { detail: 'Bad Request' } }],
])('%i for one event of %s', async (status, type, body, answer) => {
  const response = await single('den/events/hi', body, { 'content-type': type })
  expect(response.status).toBe(status)
  expect(await response.json()).toEqual(answer)
})

test('a page of any origin may ask', async () => {
  const headers = { origin: 'https://chat.example', 'access-control-request-headers': 'x-client-info' }
  const preflight = await served.request('/api/broadcast', { method: 'OPTIONS', headers })
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-headers')).toBe('x-client-info')
  expect((await batch([hi])).headers.get('access-control-allow-origin')).toBe('*')
})

test('what is elsewhere is not found', async () => {
  expect((await served.request('/api/broadcast')).status).toBe(404)
  expect((await served.request('/api/elsewhere', { method: 'POST' })).status).toBe(404)
})
