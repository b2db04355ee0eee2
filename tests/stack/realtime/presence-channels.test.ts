import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { RawClient } from './raw-client.ts'
import { type Served, serve } from './serve.ts'

let served: Served

beforeAll(async () => {
  served = await serve({ payloadBytes: 1000 })
})
afterAll(() => served.close())

let den = ''
let topics = 0
const joinRef = () => `join-${den}`

async function joined(key: string, enabled = false): Promise<RawClient> {
  const client = await served.raw()
  expect(await client.join(den, { presence: { key, enabled } })).toMatchObject({ status: 'ok' })
  return client
}

async function call(client: RawClient, payload: unknown): Promise<unknown> {
  client.send([joinRef(), 'call', den, 'presence', payload])
  const reply = (await client.next((frame) => Array.isArray(frame) && frame[1] === 'call')) as unknown[]
  return reply[4]
}

const track = (client: RawClient, payload?: unknown) => call(client, { type: 'presence', event: 'track', payload })
const ok = { status: 'ok', response: {} }
const metas = (...each: object[]) => ({ metas: each.map((meta) => ({ ...meta, phx_ref: expect.any(String) })) })

// A topic of its own for each, so that nobody meets those who are just leaving.
beforeEach(() => {
  topics += 1
  den = `realtime:den-${topics}`
})

test('who enables presence is told who is there, also when it is nobody', async () => {
  const first = await joined('ana', true)
  expect(await first.next()).toEqual([joinRef(), null, den, 'presence_state', {}])
  expect(await track(first, { name: 'Ana' })).toEqual(ok)
  const second = await joined('ben', true)
  expect(await second.next()).toEqual([joinRef(), null, den, 'presence_state', { ana: metas({ name: 'Ana' }) }])
})

test('everybody hears who comes and goes, the one who tracks too', async () => {
  const [one, two] = [await joined('ana'), await joined('ben')]
  await track(one)
  const diff = [null, null, den, 'presence_diff', { joins: { ana: metas({}) }, leaves: {} }]
  expect(await one.next()).toEqual(diff)
  expect(await two.next()).toEqual(diff)
  expect(await call(one, { event: 'UNTRACK' })).toEqual(ok)
  expect(await two.next()).toMatchObject({ 4: { joins: {}, leaves: { ana: metas({}) } } })
})

test.each([
  ['a killed connection', (client: RawClient) => client.ws.terminate()],
  ['a closed connection', (client: RawClient) => client.ws.close()],
  ['a leave', (client: RawClient) => client.send([joinRef(), '9', den, 'phx_leave', {}])],
  ['a second join', (client: RawClient) => client.send(['9', '9', den, 'phx_join', {}])],
])('%s leaves no ghost', async (_, leave) => {
  const [one, two] = [await joined('ana'), await joined('ben')]
  await track(one)
  await two.next()
  leave(one)
  expect(await two.next()).toMatchObject({ 3: 'presence_diff', 4: { leaves: { ana: metas({}) } } })
  expect(await (await joined('eve', true)).next()).toMatchObject({ 3: 'presence_state', 4: {} })
})

test('who is gone before its join was answered is not there', async () => {
  const watcher = await joined('ben')
  const gone = await served.raw()
  gone.send([joinRef(), joinRef(), den, 'phx_join', { config: { presence: { key: 'ana' } } }])
  gone.send([joinRef(), '2', den, 'presence', { event: 'track' }])
  gone.ws.terminate()
  await gone.closed()
  const next = await joined('eve', true)
  const state = await next.next()
  const frames = [...(await watcher.settled()), state, ...(await next.settled())] as unknown[][]
  const [joins, leaves] = ['joins', 'leaves'].map((side) =>
    frames.filter((frame) => 'ana' in ((frame[4] as Record<string, object>)[side] ?? {})),
  )
  expect(joins?.length).toBe(leaves?.length)
})

test('the same again is fine, and news to nobody', async () => {
  const client = await joined('ana')
  await track(client, { n: 1 })
  await client.next()
  expect(await track(client, { n: 1 })).toEqual(ok)
  expect(await client.settled()).toEqual([])
})

test('without a key a channel is itself alone', async () => {
  const [one, two] = [await joined(''), await joined('')]
  await track(one)
  await track(two)
  const frames = (await two.settled()) as unknown[][]
  const keys = frames.flatMap((frame) => Object.keys((frame[4] as { joins: object }).joins))
  expect(new Set(keys).size).toBe(2)
})

test.each([
  [
    { event: 'track', payload: 'here' },
    { status: 'error', response: { reason: 'Presence track payload must be a map' } },
  ],
  [
    { event: 'track', payload: [] },
    { status: 'error', response: { reason: 'Presence track payload must be a map' } },
  ],
  [{ event: 'dance' }, { status: 'error', response: {} }],
  [{}, ok],
  [{ event: 'untrack' }, ok],
])('%j is answered with %j', async (payload, answer) => {
  expect(await call(await joined('ana'), payload)).toEqual(answer)
})

test('too large a payload closes the channel', async () => {
  const client = await joined('ana')
  client.send([joinRef(), '5', den, 'presence', { event: 'track', payload: { x: 'x'.repeat(1000) } }])
  expect(await client.next()).toMatchObject({ 3: 'system', 4: { message: 'Track message size exceeded' } })
  expect(await client.next()).toMatchObject({ 3: 'phx_close' })
})
