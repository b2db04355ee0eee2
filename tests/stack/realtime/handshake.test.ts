import { once } from 'node:events'
import { createConnection } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RawClient } from './raw-client.ts'
import { keys, type Served, serve, token } from './serve.ts'

let served: Served

beforeAll(async () => {
  served = await serve({ sockets: 2 })
})
afterAll(() => served.close())

const heartbeat = { topic: 'phoenix', event: 'heartbeat', payload: {}, ref: '9' }

test('without a version a client speaks version 1', async () => {
  const client = await served.raw(`apikey=${keys.publishable}`)
  client.send(heartbeat)
  expect(await client.next()).toEqual({
    topic: 'phoenix',
    event: 'phx_reply',
    payload: { status: 'ok', response: {} },
    ref: '9',
  })
  client.ws.close()
  expect(await client.closed()).toBe(1005)
})

test.each(['1.0.0', '1.0.7'])('vsn %s is version 1', async (vsn) => {
  const client = await served.raw(`apikey=${keys.publishable}&vsn=${vsn}&log_level=info&more=1`)
  client.send(heartbeat)
  expect(await client.next()).toMatchObject({ ref: '9' })
  client.ws.close()
  await client.closed()
})

test.each(['2.0.0', '2.0.7'])('vsn %s is version 2', async (vsn) => {
  const client = await served.raw(`apikey=${keys.secret}&vsn=${vsn}`)
  client.send([null, '9', 'phoenix', 'heartbeat', {}])
  expect(await client.next()).toEqual([null, '9', 'phoenix', 'phx_reply', { status: 'ok', response: {} }])
  client.ws.close()
  await client.closed()
})

test('a token opens a connection, and a header wins over the address', async () => {
  const client = await served.raw('apikey=nonsense&vsn=2.0.0', { 'x-api-key': await token() })
  client.ws.close()
  await client.closed()
})

test.each(['3.0.0', '1.1.0', '2.0', '2', ''])('vsn "%s" is refused without a word', async (vsn) => {
  await expect(served.raw(`apikey=${keys.publishable}&vsn=${vsn}`)).rejects.toThrow(/^403 $/)
})

test.each([
  ['nothing', async () => '', 'API key is missing'],
  ['a key of no project', async () => 'sb_publishable_other', 'The token provided is not a valid JWT'],
  ['no token', async () => 'hello', 'The token provided is not a valid JWT'],
  ['an old token', () => token({ role: 'anon' }, 1), 'Token has expired'],
  ['a token without a role', () => token({}), 'Fields `role` and `exp` are required in JWT'],
  [
    "another project's token",
    () => token({ role: 'anon' }, '1h', 'another-secret-of-at-least-32-characters'),
    'Failed to validate JWT signature',
  ],
])('%s opens no connection', async (_, credential, error) => {
  await expect(served.raw(`apikey=${await credential()}&vsn=2.0.0`)).rejects.toThrow(`401 ${JSON.stringify({ error })}`)
})

test('a handshake elsewhere is refused', async () => {
  const elsewhere = `${served.url.replace('http', 'ws')}/realtime/v1/elsewhere?apikey=${keys.publishable}`
  await expect(RawClient.connect(elsewhere)).rejects.toThrow(/^404 /)
})

test('who comes without a handshake is told so', async () => {
  expect((await served.request('/websocket')).status).toBe(426)
})

test('the service answers a ping', async () => {
  expect(await (await served.request('/api/ping')).json()).toEqual({ message: 'Success' })
})

test('more connections than the limit are refused', async () => {
  const clients = [await served.raw(), await served.raw()]
  await expect(served.raw()).rejects.toThrow('429 {"error":"Too many connected users"}')
  for (const client of clients) {
    client.ws.close()
    await client.closed()
  }
})

test('callers that break off while they are refused harm nobody', async () => {
  const { hostname, port } = new URL(served.url)
  for (let i = 0; i < 20; i += 1) {
    const caller = createConnection({ host: hostname, port: Number(port) })
    await once(caller, 'connect')
    caller.write(
      'GET /realtime/v1/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      () => caller.resetAndDestroy(),
    )
    await once(caller, 'close')
  }
  expect((await served.request('/api/ping')).status).toBe(200)
})
