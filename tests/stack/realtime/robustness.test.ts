import { once } from 'node:events'
import { createConnection } from 'node:net'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { Limits } from '../../../src/stack/realtime/limits.ts'
import { keys, type Served, serve } from './serve.ts'

let served: Served

beforeAll(async () => {
  served = await serve()
})
afterAll(() => served.close())

const connect = (to: Served = served) => to.raw()

async function limited(limits: Partial<Limits>): Promise<Served> {
  const other = await serve(limits)
  onTestFinished(() => other.close())
  return other
}

const den = 'realtime:den'
const joinRef = `join-${den}`

test('malformed frames are dropped, and the socket stays open', async () => {
  const client = await connect()
  await client.join(den)
  const frames = ['', 'hello', '{', '[]', '[1,2,3,4]', '{"topic":1}', '[null,null,null,null,null]', '"x"', 'null']
  for (const frame of frames) client.send(frame)
  for (const frame of [[], [3], [3, 255, 255, 255, 255, 255, 1], [4, 0, 0, 0, 0], [0, 1, 1, 1, 1]]) {
    client.send(Buffer.from(frame))
  }
  expect(await client.settled()).toEqual([])
})

test('a frame that is too long ends the connection', async () => {
  const client = await connect()
  client.send(Buffer.alloc(5_000_001))
  expect(await client.closed()).toBe(1009)
})

test('the longest frame does not', async () => {
  const client = await connect()
  client.send(Buffer.alloc(5_000_000))
  expect(await client.settled()).toEqual([])
})

test('of a thousand channels on a socket a hundred are joined, and the others told why not', async () => {
  const client = await connect()
  const refs = Array.from({ length: 1000 }, (_, i) => String(i))
  for (const ref of refs) client.send([ref, ref, `realtime:${ref}`, 'phx_join', {}])
  const answers = (await client.settled()) as Array<[string, string, string, string, { status: string }]>
  while (answers.length < 1000) answers.push((await client.next()) as (typeof answers)[0])
  const refused = answers.filter(([, , , , { status }]) => status === 'error')
  expect(refused).toHaveLength(900)
  expect(refused[0]?.[4]).toEqual({
    status: 'error',
    response: { reason: 'ChannelRateLimitReached: Too many channels' },
  })

  const [joined] = answers.find(([, , , , { status }]) => status === 'ok') ?? []
  client.send([joined, 'bye', `realtime:${joined}`, 'phx_leave', {}])
  expect(await client.join(den)).toMatchObject({ status: 'ok' })
})

test('a flood of joins is refused, and its socket sent away', async () => {
  const other = await limited({ joinsPerSecond: 0.1 })
  const client = await connect(other)
  const closed = client.closed()
  for (let i = 0; i < 6; i += 1) expect(await client.join(`${den}-${i}`)).toMatchObject({ status: 'ok' })
  expect(await client.join(den)).toEqual({
    status: 'error',
    response: { reason: 'ClientJoinRateLimitReached: Too many joins per second' },
  })
  expect(await closed).toBe(1001)
  await expect(other.raw()).rejects.toThrow('429 {"error":"Too many joins per second"}')
})

test.each([
  ['Too many messages per second', { eventsPerSecond: 0.1 }, 'broadcast', {}],
  ['Too many presence messages per second', { presenceEventsPerSecond: 0.1 }, 'presence', { event: 'untrack' }],
  ['Client presence rate limit exceeded', { presenceCalls: 5 }, 'presence', { event: 'untrack' }],
])('%s: the channel is closed', async (message, limits, event, payload) => {
  const client = await connect(await limited(limits))
  await client.join(den)
  for (let i = 0; i < 10; i += 1) client.send([joinRef, null, den, event, payload])
  expect(await client.next((frame) => Array.isArray(frame) && frame[3] === 'system')).toMatchObject({
    4: { extension: 'system', status: 'error', message, channel: 'den' },
  })
  expect(await client.next((frame) => Array.isArray(frame) && frame[3] === 'phx_close')).toMatchObject({ 1: joinRef })
})

test('too many broadcasts over HTTP are refused', async () => {
  const other = await limited({ eventsPerSecond: 0.1 })
  const send = (count: number) =>
    other.request('/api/broadcast', {
      method: 'POST',
      headers: { apikey: keys.publishable },
      body: JSON.stringify({ messages: Array(count).fill({ topic: 'den', event: 'hi', payload: {} }) }),
    })
  expect(await (await send(1)).json()).toEqual({
    message: 'Too many messages to broadcast, please reduce the batch size',
  })
  const one = () =>
    other.request('/api/broadcast/den/events/hi', { method: 'POST', headers: { apikey: keys.publishable } })
  // Six a minute.
  for (let i = 0; i < 6; i += 1) expect((await one()).status).toBe(202)
  const refused = await one()
  expect(refused.status).toBe(429)
  expect(await refused.json()).toEqual({ message: 'You have exceeded your rate limit' })
})

test('a subscriber that does not read is dropped; the others hear everything', async () => {
  const other = await limited({ unreadBytes: 1_000_000 })
  const reader = await connect(other)
  await reader.join(den, { presence: { enabled: true } })
  const sender = await connect(other)
  await sender.join(den, { broadcast: { ack: true } })
  const deaf = await joinAndStopReading(other)

  const payload = 'x'.repeat(500_000)
  let sent = 0
  while (!other.lines.some((line) => line.includes('does not read'))) {
    sender.send([joinRef, String(sent), den, 'broadcast', { payload }])
    await sender.next((frame) => Array.isArray(frame) && frame[1] === String(sent))
    sent += 1
    if (sent > 200) throw new Error('nobody was dropped')
  }
  const left = reader.next((frame) => Array.isArray(frame) && frame[3] === 'presence_diff' && 'deaf' in frame[4].leaves)
  await left
  const heard = ((await reader.settled()) as unknown[][]).filter((frame) => frame[3] === 'broadcast')
  expect(heard).toHaveLength(sent)
  deaf.destroy()
})

/** A WebSocket client that joins, tracks and then leaves its mail in the box. */
async function joinAndStopReading(to: Served) {
  const { hostname, port } = new URL(to.url)
  const socket = createConnection({ host: hostname, port: Number(port) })
  socket.on('error', () => {})
  socket.write(
    [
      `GET /realtime/v1/websocket?vsn=2.0.0&apikey=${keys.publishable} HTTP/1.1`,
      `Host: ${hostname}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      '\r\n',
    ].join('\r\n'),
  )
  await once(socket, 'data')
  socket.write(masked(JSON.stringify(['1', '1', den, 'phx_join', { config: { presence: { key: 'deaf' } } }])))
  socket.write(masked(JSON.stringify(['1', '2', den, 'presence', { event: 'track' }])))
  let received = ''
  while (!received.includes('"2",')) received += String((await once(socket, 'data'))[0])
  socket.pause()
  return socket
}

/** A client's text frame of fewer than 126 bytes, with a mask of zeros. */
function masked(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])
}

test('a socket that says nothing is closed', async () => {
  const client = await connect(await limited({ idleMs: 50 }))
  expect(await client.closed()).toBe(1000)
})

test('a socket that has left all its channels is closed; one that never had any is not', async () => {
  const other = await limited({ sweepMs: 50 })
  const [deserted, fresh] = [await connect(other), await connect(other)]
  await deserted.join(den)
  deserted.send([joinRef, '2', den, 'phx_leave', {}])
  expect(await deserted.closed()).toBe(1001)
  expect(await fresh.settled()).toEqual([])
})

test('a stop says goodbye to everybody', async () => {
  const other = await serve()
  const client = await connect(other)
  await client.join(den)
  const closed = client.closed()
  await other.close()
  expect(await client.next()).toMatchObject({
    3: 'system',
    4: { status: 'ok', message: 'Server requested disconnect' },
  })
  expect(await closed).toBe(1012)
})

const breakStream = (of: Served) =>
  of.adminSql(
    `select pg_terminate_backend(active_pid) from pg_replication_slots
     where active and database = current_database()`,
  )

/** Until the transaction that this begins has ended, a new stream cannot begin. */
async function holdStream(of: Served): Promise<() => Promise<unknown>> {
  await of.sql('begin')
  await of.sql('select txid_current()')
  return () => of.sql('commit')
}

test('while the stream is down channels live on and joins are refused; then every channel fails, to be joined again', async () => {
  const other = await limited({ patienceMs: 0 })
  const client = await connect(other)
  await client.join(den, { broadcast: { self: true } })
  const release = await holdStream(other)
  await breakStream(other)
  await vi.waitFor(() => expect(other.lines.join()).toContain('stream broke'))
  expect(await client.join('realtime:attic')).toEqual({
    status: 'error',
    response: { reason: 'UnableToConnectToProject: Realtime was unable to connect to the project database' },
  })
  client.send([joinRef, null, den, 'broadcast', { event: 'still here' }])
  expect((await client.settled()).at(-1)).toMatchObject({ 3: 'broadcast', 4: { event: 'still here' } })

  await release()
  expect(await client.next(isError)).toEqual([joinRef, joinRef, den, 'phx_error', {}])
  expect(await client.join(den)).toMatchObject({ status: 'ok' })
  await other.sql(`select realtime.send('{}', 'hi', 'den', false)`)
  expect(await client.next(Buffer.isBuffer)).toBeInstanceOf(Buffer)
})

test('a join waits for a stream that is just coming back, and hears what is committed from its answer on', async () => {
  const other = await limited({ patienceMs: 20_000 })
  const [joined, joining] = [await connect(other), await connect(other)]
  await joined.join(den)
  const release = await holdStream(other)
  await breakStream(other)
  await vi.waitFor(() => expect(other.lines.join()).toContain('stream broke'))
  const answer = joining.join(den)
  expect(await joining.settled()).toEqual([])
  await release()
  expect(await answer).toMatchObject({ status: 'ok' })
  await other.sql(`select realtime.send('{}', 'hi', 'den', false)`)
  expect(await joining.next()).toBeInstanceOf(Buffer)
  expect(await joined.next(isError)).toMatchObject({ 3: 'phx_error' })
})

const isError = (frame: unknown) => Array.isArray(frame) && frame[3] === 'phx_error'
