import { afterAll, beforeAll, expect, test } from 'vitest'
import { keys, type Served, serve, token } from './serve.ts'

let served: Served

beforeAll(async () => {
  served = await serve()
})
afterAll(() => served.close())

const connect = (query?: string) => served.raw(query)

const den = 'realtime:den'
const ok = { status: 'ok', response: {} }
const error = (reason: string) => ({ status: 'error', response: { reason } })
const unmatched = error('unmatched topic')
/** In epoch seconds, one to two from now. */
const soon = () => Math.ceil(Date.now() / 1000) + 1

test('a join is answered with what was asked for, and nothing comes before', async () => {
  const client = await connect()
  client.send(['1', '2', den, 'phx_join', { config: {} }])
  expect(await client.next()).toEqual([
    '1',
    '2',
    den,
    'phx_reply',
    { status: 'ok', response: { postgres_changes: [] } },
  ])
})

test('version 1 is answered in its own way', async () => {
  const client = await connect(`apikey=${keys.publishable}`)
  client.send({ topic: den, event: 'phx_join', payload: {}, ref: '1', join_ref: '1' })
  expect(await client.next()).toEqual({
    topic: den,
    event: 'phx_reply',
    payload: { status: 'ok', response: { postgres_changes: [] } },
    ref: '1',
  })
  client.send({ topic: den, event: 'phx_leave', payload: {}, ref: '2', join_ref: '1' })
  expect(await client.next()).toEqual({ topic: den, event: 'phx_reply', payload: ok, ref: '2' })
  expect(await client.next()).toEqual({ topic: den, event: 'phx_close', payload: {}, ref: '1' })
})

test.each([
  ['a topic without the prefix', 'den', 'phx_join'],
  ['an event on a topic that is not joined', den, 'broadcast'],
  ['an event on the socket itself', 'phoenix', 'phx_join'],
])('%s is unmatched', async (_, topic, event) => {
  const client = await connect()
  client.send(['1', '2', topic, event, {}])
  expect(await client.next()).toEqual([null, '2', topic, 'phx_reply', unmatched])
})

test('leaving what is not joined is fine', async () => {
  const client = await connect()
  client.send(['1', '2', den, 'phx_leave', {}])
  expect(await client.next()).toEqual([null, '2', den, 'phx_reply', ok])
})

test('a topic needs a name', async () => {
  const client = await connect()
  expect(await client.join('realtime:')).toEqual(error('TopicNameRequired: You must provide a topic name'))
})

test('a leave is answered, then the channel is closed', async () => {
  const client = await connect()
  await client.join(den)
  client.send([`join-${den}`, '5', den, 'phx_leave', {}])
  expect(await client.settled()).toEqual([
    [`join-${den}`, '5', den, 'phx_reply', ok],
    [`join-${den}`, `join-${den}`, den, 'phx_close', {}],
  ])
  client.send([`join-${den}`, '6', den, 'broadcast', {}])
  expect(await client.next()).toMatchObject({ 4: unmatched })
})

test('a leave of a channel that was replaced is ignored; other events that are late are answered', async () => {
  const client = await connect()
  await client.join(den, { broadcast: { ack: true } })
  client.send(['0', '5', den, 'phx_leave', {}])
  client.send(['0', '6', den, 'broadcast', {}])
  client.send([null, '7', den, 'broadcast', {}])
  expect(await client.settled()).toEqual([
    [`join-${den}`, '6', den, 'phx_reply', ok],
    [`join-${den}`, '7', den, 'phx_reply', ok],
  ])
})

test('a second join closes the first channel', async () => {
  const client = await connect()
  client.send(['1', '1', den, 'phx_join', {}])
  client.send(['2', '2', den, 'phx_join', { config: { private: false } }])
  expect(await client.next()).toMatchObject(['1', '1', den, 'phx_reply', { status: 'ok' }])
  expect(await client.next()).toEqual(['1', '1', den, 'phx_close', {}])
  expect(await client.next()).toMatchObject(['2', '2', den, 'phx_reply', { status: 'ok' }])
})

test('a second join that fails leaves nothing joined', async () => {
  const client = await connect()
  await client.join(den)
  client.send(['2', '2', den, 'phx_join', { access_token: 'nonsense' }])
  expect(await client.next()).toEqual([`join-${den}`, `join-${den}`, den, 'phx_close', {}])
  expect(await client.next()).toMatchObject(['2', '2', den, 'phx_reply', { status: 'error' }])
  client.send(['2', '3', den, 'broadcast', {}])
  expect(await client.next()).toMatchObject({ 4: unmatched })
})

test('an event that nobody knows has no answer', async () => {
  const client = await connect()
  await client.join(den)
  client.send([`join-${den}`, '5', den, 'dance', {}])
  expect(await client.settled()).toEqual([])
})

test('what a join gets wrong is taken for its default', async () => {
  const client = await connect()
  const config = { broadcast: 7, presence: { enabled: 'maybe', key: 9 }, private: 'no', postgres_changes: [null] }
  expect(await client.join(den, config)).toMatchObject({ response: { postgres_changes: [] } })
  expect(await client.join('realtime:lounge', 'nothing')).toMatchObject({ status: 'ok' })
  expect(await client.settled()).toEqual([])
})

test('an entry of postgres_changes that is no object ends the join', async () => {
  expect(await (await connect()).join(den, { postgres_changes: ['todos'] })).toEqual(error('Unknown Error on Channel'))
})

test.each([
  ['no token', async () => 'nonsense', 'MalformedJWT: The token provided is not a valid JWT'],
  ['a token without a role', () => token({}), 'InvalidJWTToken: Fields `role` and `exp` are required in JWT'],
  [
    "another project's token",
    () => token({ role: 'anon' }, '1h', 'another-secret-of-at-least-32-characters'),
    'JwtSignatureError: Failed to validate JWT signature',
  ],
])('a join with %s is refused', async (_, credential, reason) => {
  expect(await (await connect()).join(den, {}, { access_token: await credential() })).toEqual(error(reason))
})

test('a join with an expired token is told since when', async () => {
  const response = await (await connect()).join(den, {}, { access_token: await token({ role: 'anon' }, soon() - 50) })
  expect(response).toMatchObject({
    response: { reason: expect.stringMatching(/^InvalidJWTToken: Token has expired 4\d seconds ago$/) },
  })
})

test('an API key in a join stands for the connection; `user_token` wins over `access_token`', async () => {
  const client = await connect()
  expect(await client.join(den, {}, { access_token: 'sb_secret_of_whatever' })).toMatchObject({ status: 'ok' })
  expect(
    await client.join('realtime:lounge', {}, { access_token: 'nonsense', user_token: await token() }),
  ).toMatchObject({ status: 'ok' })
})

test('a channel whose token expires is closed', async () => {
  const client = await connect()
  await client.join(den, {}, { access_token: await token({ role: 'anon' }, soon()) })
  expect(await client.next()).toEqual([
    `join-${den}`,
    null,
    den,
    'system',
    {
      extension: 'system',
      status: 'error',
      message: expect.stringMatching(/^Token has expired [01] seconds ago$/),
      channel: 'den',
    },
  ])
  expect(await client.next()).toEqual([`join-${den}`, `join-${den}`, den, 'phx_close', {}])
})

test('so is one that relies on the token of its connection, which stays and may not join again', async () => {
  const client = await connect(`vsn=2.0.0&apikey=${await token({ role: 'anon' }, soon())}`)
  await client.join(den)
  expect(await client.next()).toMatchObject({ 3: 'system' })
  expect(await client.next()).toMatchObject({ 3: 'phx_close' })
  expect(await client.join(den)).toMatchObject({
    response: { reason: expect.stringMatching(/^InvalidJWTToken: Token has expired \d seconds ago$/) },
  })
})

test('a fresh token keeps a channel open that would have been closed', async () => {
  const client = await connect()
  await client.join(den, {}, { access_token: await token({ role: 'anon' }, soon()) })
  client.send([`join-${den}`, '5', den, 'access_token', { access_token: await token() }])
  await client.join('realtime:clock', {}, { access_token: await token({ role: 'anon' }, soon() + 1) })
  expect(await client.next((frame) => Array.isArray(frame) && frame[3] === 'phx_close')).toMatchObject({
    2: 'realtime:clock',
  })
  expect(await client.settled()).toEqual([expect.objectContaining({ 2: 'realtime:clock', 3: 'system' })])
})

test.each([[{ access_token: 'sb_publishable_x' }], [{ access_token: null }], [{}], [null]])(
  'a refresh with %j is ignored',
  async (payload) => {
    const client = await connect()
    await client.join(den)
    client.send([`join-${den}`, '5', den, 'access_token', payload])
    expect(await client.settled()).toEqual([])
  },
)

test.each(['', 'nonsense'])('a refresh with %j closes the channel', async (given) => {
  const client = await connect()
  await client.join(den)
  client.send([`join-${den}`, '5', den, 'access_token', { access_token: given }])
  expect(await client.next()).toMatchObject({ 3: 'system', 4: { message: 'The token provided is not a valid JWT' } })
  expect(await client.next()).toMatchObject({ 3: 'phx_close' })
})

test('who asks is told that broadcasts from the database arrive', async () => {
  const client = await connect()
  await client.join(den, { broadcast: { replication_ready: 'TRUE' } })
  expect(await client.next()).toEqual([
    `join-${den}`,
    null,
    den,
    'system',
    { extension: 'system', status: 'ok', message: 'Replication connection established', channel: 'den' },
  ])
})
