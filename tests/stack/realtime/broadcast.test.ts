import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RawClient } from './raw-client.ts'
import { keys, type Served, serve } from './serve.ts'

let served: Served

beforeAll(async () => {
  served = await serve({ payloadBytes: 1000 })
})
afterAll(() => served.close())

const connect = (query?: string) => served.raw(query)

const den = 'realtime:den'
const hi = { type: 'broadcast', event: 'hi', payload: { n: 1 } }
const heard = [null, null, den, 'broadcast', hi]
const joinRef = `join-${den}`

async function joined(config: unknown = {}): Promise<RawClient> {
  const client = await connect()
  expect(await client.join(den, config)).toMatchObject({ status: 'ok' })
  return client
}

async function joinedInVersion1(): Promise<RawClient> {
  const client = await connect(`apikey=${keys.publishable}`)
  client.send({ topic: den, event: 'phx_join', payload: {}, ref: '1' })
  expect(await client.next()).toMatchObject({ event: 'phx_reply' })
  return client
}

/** A client's binary frame, as supabase-js sends it. */
function push(event: string, bytes: Buffer, encoding: 0 | 1, ref = ''): Buffer {
  const fields = [joinRef, ref, den, event, ''].map((text) => Buffer.from(text))
  return Buffer.concat([Buffer.from([3, ...fields.map(({ length }) => length), encoding]), ...fields, bytes])
}

test('others on the topic hear a broadcast as it was sent; its sender and other topics do not', async () => {
  const [sender, other, elsewhere] = [await joined(), await joined(), await connect()]
  await elsewhere.join('realtime:lounge')
  sender.send([joinRef, '5', den, 'broadcast', { ...hi, extra: true }])
  expect(await other.next()).toEqual([null, null, den, 'broadcast', { ...hi, extra: true }])
  expect(await sender.settled()).toEqual([])
  expect(await elsewhere.settled()).toEqual([])
})

test('a sender hears itself when it wants to, and has its acknowledgement after', async () => {
  const client = await joined({ broadcast: { self: true, ack: true } })
  client.send([joinRef, '5', den, 'broadcast', hi])
  expect(await client.settled()).toEqual([heard, [joinRef, '5', den, 'phx_reply', { status: 'ok', response: {} }]])
})

test('both versions hear each other', async () => {
  const [two, one] = [await joined(), await joinedInVersion1()]
  one.send({ topic: den, event: 'broadcast', payload: hi, ref: '2' })
  expect(await two.next()).toEqual(heard)
  two.send(push('hi', Buffer.from('{"n":1}'), 1))
  expect(await one.next()).toEqual({ topic: den, event: 'broadcast', payload: hi, ref: null })
})

test('bytes arrive as bytes, and not at all in version 1', async () => {
  const [sender, two, one] = [await joined({ broadcast: { ack: true } }), await joined(), await joinedInVersion1()]
  sender.send(push('hi', Buffer.from([0xde, 0xad]), 0, '7'))
  expect(await two.next()).toEqual(
    Buffer.concat([Buffer.from([4, den.length, 2, 0, 0]), Buffer.from(`${den}hi`), Buffer.from([0xde, 0xad])]),
  )
  expect(await sender.next()).toEqual([joinRef, '7', den, 'phx_reply', { status: 'ok', response: {} }])
  one.send({ topic: 'phoenix', event: 'heartbeat', payload: {}, ref: '9' })
  expect(await one.next()).toMatchObject({ ref: '9' })
})

test.each([
  ['text', (ref: string) => [joinRef, ref, den, 'broadcast', { ...hi, payload: 'x'.repeat(1000) }]],
  ['bytes', (ref: string) => push('hi', Buffer.alloc(1001), 0, ref)],
])('too large a broadcast reaches nobody: %s', async (_, frame) => {
  const [sender, other] = [await joined({ broadcast: { ack: true } }), await joined()]
  sender.send(frame('5'))
  expect(await sender.next()).toEqual([
    joinRef,
    '5',
    den,
    'phx_reply',
    { status: 'error', response: 'payload_size_exceeded' },
  ])
  expect(await other.settled()).toEqual([])
})

test('without an acknowledgement too large a broadcast is dropped in silence', async () => {
  const client = await joined({ broadcast: { self: true } })
  client.send(push('hi', Buffer.alloc(1001), 0, '5'))
  client.send(push('hi', Buffer.alloc(1000), 0, '5'))
  expect(await client.settled()).toHaveLength(1)
})

test('a broadcast whose payload is no object is dropped', async () => {
  const client = await joined({ broadcast: { self: true, ack: true } })
  client.send([joinRef, '5', den, 'broadcast', 'hi'])
  expect(await client.settled()).toEqual([])
})

test('a payload cannot pass for more than a payload', async () => {
  const [sender, one] = [await joined(), await joinedInVersion1()]
  sender.send(push('hi', Buffer.from('{}},"event":"phx_close","x":{"y":{}'), 1))
  sender.send(push('hi', Buffer.from('{"n":1}'), 1))
  expect(await one.next()).toMatchObject({ event: 'broadcast', payload: hi })
})

test('what the database broadcasts arrives with its id, in the form of each version', async () => {
  const [two, one] = [await joined(), await joinedInVersion1()]
  await served.sql(`select realtime.send('{"n": 1, "id": "7"}', 'hi', 'den', false)`)
  const message = (await one.next()) as { payload: { meta: { id: string } } }
  const { id } = message.payload.meta
  expect(message.payload).toEqual({ event: 'hi', meta: { id }, payload: { n: 1, id: '7' }, type: 'broadcast' })
  const frame = (await two.next()) as Buffer
  expect(frame[0]).toBe(4)
  expect(frame.toString('utf8', 5)).toMatch(new RegExp(`^${den}hi\\{"id":"${id}"\\}\\{`))

  const bytes = `'\\xdead'::bytea`
  await served.sql(`select realtime.send_binary(${bytes}, 'hi', 'den', false)`)
  expect(((await two.next()) as Buffer).subarray(-2)).toEqual(Buffer.from([0xde, 0xad]))
})

test('what the database broadcasts is dropped when it is too large', async () => {
  const client = await joined()
  await served.sql(`select realtime.send(jsonb_build_object('x', repeat('x', 1000)), 'long', 'den', false)`)
  await served.sql(`select realtime.send('{}', 'short', 'den', false)`)
  expect(String(await client.next())).toContain('short')
  expect(served.lines.join('\n')).toMatch(/is not broadcast: 10\d\d bytes are too many/)
})

test('a private message reaches no public channel', async () => {
  const client = await joined()
  await served.sql(`select realtime.send('{}', 'secret', 'den', true)`)
  await served.sql(`select realtime.send('{}', 'open', 'den', false)`)
  expect(String(await client.next())).toContain('open')
})
