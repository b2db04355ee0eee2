import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { RawClient } from './raw-client.ts'
import { ana, keys, type Served, serve, token } from './serve.ts'

let served: Served

beforeAll(async () => {
  served = await serve()
})
beforeEach(async () => {
  await served.adminSql(`
    do $$
    declare
      name text;
    begin
      for name in select policyname from pg_policies where schemaname = 'realtime' loop
        execute format('drop policy %I on realtime.messages', name);
      end loop;
    end;
    $$`)
})
afterAll(() => served.close())

const den = 'realtime:den'
const joinRef = `join-${den}`
const refused = {
  status: 'error',
  response: { reason: 'Unauthorized: You do not have permissions to read from this Channel topic: den' },
}
const secret = { private: true }

/** A policy on `realtime.messages`, as a project's owner writes it. */
async function policy(command: 'select' | 'insert', expression: string, role = 'authenticated'): Promise<void> {
  const [check, name] = [command === 'select' ? 'using' : 'with check', `${command} ${Math.random()}`]
  await served.sql(`create policy "${name}" on realtime.messages for ${command} to ${role} ${check} (${expression})`)
}

const mine = `realtime.topic() = 'den' and extension in ('broadcast', 'presence') and auth.uid() = '${ana}'`

const connect = (headers?: Record<string, string>) => served.raw(undefined, headers)

async function join(config: Record<string, unknown> = {}, claims?: Record<string, unknown>) {
  const client = await connect()
  const response = await client.join(den, { ...secret, ...config }, { access_token: await token(claims as never) })
  return { client, response }
}

async function joined(config?: Record<string, unknown>): Promise<RawClient> {
  const { client, response } = await join(config)
  expect(response).toMatchObject({ status: 'ok' })
  return client
}

test('without a policy nobody may join', async () => {
  expect((await join()).response).toEqual(refused)
})

test('who a policy lets read may join, others may not', async () => {
  await policy('select', mine)
  expect((await join()).response).toMatchObject({ status: 'ok' })
  expect((await join({}, { role: 'authenticated', sub: ana.replace('a', 'b') })).response).toEqual(refused)
  expect((await join({}, { role: 'anon' })).response).toEqual(refused)
  const client = await connect()
  expect(await client.join('realtime:lounge', secret, { access_token: await token() })).toMatchObject({
    status: 'error',
  })
})

test('the service may join everything', async () => {
  expect((await join({}, { role: 'service_role' })).response).toMatchObject({ status: 'ok' })
})

test.each([
  ['a policy that raises', `1 / (select 0) = 1`, 'authenticated'],
  ['a role that does not exist', 'true', 'nobody'],
])('%s refuses, and is in the log', async (_, expression, role) => {
  await policy('select', expression)
  expect((await join({}, { role, sub: ana })).response).toEqual(refused)
  expect(served.lines.join('\n')).toMatch(/division by zero|role "nobody" does not exist/)
})

test('a policy reads the claims and the headers of the handshake', async () => {
  await policy(
    'select',
    `current_setting('request.headers', true)::jsonb ->> 'x-room' = 'den'
     and current_setting('request.jwt.claims', true)::jsonb ->> 'team' = 'blue'`,
  )
  const access = { access_token: await token({ role: 'authenticated', team: 'blue' }) }
  expect(await (await connect({ 'x-room': 'den' })).join(den, secret, access)).toMatchObject({ status: 'ok' })
  expect(await (await connect()).join(den, secret, access)).toEqual(refused)
})

test('asking leaves no row behind', async () => {
  await policy('select', mine)
  await policy('insert', mine)
  const client = await joined({ broadcast: { ack: true } })
  client.send([joinRef, '5', den, 'broadcast', {}])
  await client.next()
  expect(await served.sql('select * from realtime.messages')).toEqual([])
})

test('who may only read hears broadcasts of the database, and sends none: not even an acknowledgement comes', async () => {
  await policy('select', mine)
  const [client, other] = [await joined({ broadcast: { ack: true, self: true } }), await joined()]
  client.send([joinRef, '5', den, 'broadcast', {}])
  await served.sql(`select realtime.send('{}', 'hi', 'den', true)`)
  expect(await client.next()).toBeInstanceOf(Buffer)
  expect(await client.settled()).toEqual([])
  expect(await other.settled()).toEqual([expect.any(Buffer)])
})

test('who may write broadcasts to the private topic alone', async () => {
  await policy('select', mine)
  await policy('insert', mine)
  const [client, other, outsider] = [await joined({ broadcast: { ack: true } }), await joined(), await connect()]
  await outsider.join(den)
  client.send([joinRef, '5', den, 'broadcast', { event: 'hi' }])
  expect(await client.next()).toMatchObject({ 1: '5', 4: { status: 'ok' } })
  expect(await other.next()).toMatchObject({ 3: 'broadcast', 4: { event: 'hi' } })
  expect(await outsider.settled()).toEqual([])
})

test('a write policy that raises drops the broadcast, and the channel stays', async () => {
  await policy('select', mine)
  await policy('insert', `1 / (select 0) = 1`)
  const client = await joined({ broadcast: { ack: true } })
  client.send([joinRef, '5', den, 'broadcast', {}])
  client.send([joinRef, '6', den, 'presence', { event: 'untrack' }])
  expect(await client.next()).toMatchObject({ 1: '6' })
})

test('what was answered holds until the token changes', async () => {
  await policy('select', mine)
  const client = await joined({ broadcast: { ack: true } })
  client.send([joinRef, '5', den, 'broadcast', {}])
  client.send([joinRef, '6', den, 'presence', { event: 'untrack' }])
  expect(await client.next()).toMatchObject({ 1: '6' })
  await policy('insert', mine)
  client.send([joinRef, '7', den, 'broadcast', {}])
  client.send([joinRef, null, den, 'access_token', { access_token: await token(undefined, '2h') }])
  client.send([joinRef, '8', den, 'broadcast', {}])
  expect(await client.next()).toMatchObject({ 1: '8', 4: { status: 'ok' } })
})

test('a token that may read nothing closes the channel', async () => {
  await policy('select', mine)
  const client = await joined()
  client.send([joinRef, null, den, 'access_token', { access_token: await token({ role: 'authenticated' }) }])
  expect(await client.next()).toMatchObject({
    3: 'system',
    4: { status: 'error', message: 'You do not have permissions to read from this Channel topic: den' },
  })
  expect(await client.next()).toMatchObject({ 1: joinRef, 3: 'phx_close' })
})

test('a token that may read less closes the channel', async () => {
  await policy('select', `extension = 'broadcast'`)
  await policy('select', `extension = 'presence' and auth.uid() = '${ana}'`)
  const client = await joined({ presence: { enabled: true } })
  expect(await client.next()).toMatchObject({ 3: 'presence_state' })
  client.send([joinRef, null, den, 'access_token', { access_token: await token({ role: 'authenticated' }) }])
  expect(await client.next()).toMatchObject({
    4: { message: 'You no longer have permission to read from this Channel topic: den' },
  })
  expect(await client.next()).toMatchObject({ 3: 'phx_close' })
})

test('who may read presence alone hears no broadcasts', async () => {
  await policy('select', `extension = 'presence'`)
  const client = await joined({ presence: { enabled: true } })
  expect(await client.next()).toMatchObject({ 3: 'presence_state' })
  const service = (await join({}, { role: 'service_role' })).client
  await served.sql(`select realtime.send('{}', 'hi', 'den', true)`)
  await service.next(Buffer.isBuffer)
  expect(await client.settled()).toEqual([])
})

test('who may read broadcasts alone is told nothing of presence', async () => {
  await policy('select', `extension = 'broadcast'`)
  const client = await joined({ presence: { enabled: true } })
  const service = (await join({ presence: { enabled: true } }, { role: 'service_role' })).client
  service.send([joinRef, '5', den, 'presence', { event: 'track' }])
  await service.next((frame) => Array.isArray(frame) && frame[1] === '5')
  expect(await client.settled()).toEqual([])
})

test('to track takes the right to write', async () => {
  await policy('select', mine)
  const client = await joined()
  client.send([joinRef, '5', den, 'presence', { event: 'track' }])
  expect(await client.next()).toEqual([joinRef, '5', den, 'phx_reply', { status: 'error', response: {} }])
})

test('who joined without presence hears of it from its first track on', async () => {
  await policy('select', mine)
  await policy('insert', mine)
  const [client, other] = [await joined(), await joined()]
  other.send([joinRef, '5', den, 'presence', { event: 'track', payload: { n: 1 } }])
  await other.next((frame) => Array.isArray(frame) && frame[1] === '5')
  expect(await client.settled()).toEqual([])
  client.send([joinRef, '5', den, 'presence', { event: 'track', payload: { n: 2 } }])
  expect(await client.next()).toMatchObject({ 3: 'presence_diff', 4: { joins: expect.any(Object) } })
})

test('without a partition for today the answer says so', async () => {
  const [today] = await served.adminSql(`select to_char(now(), '"realtime.messages_"YYYY_MM_DD') as name`)
  await served.adminSql(`alter table realtime.messages detach partition ${today?.name}`)
  const { response } = await join()
  const path = '/api/broadcast/den/events/hi?private=true'
  const refused = await served.request(path, { method: 'POST', headers: { apikey: keys.publishable } })
  await served.adminSql(`
    alter table realtime.messages attach partition ${today?.name}
    for values from (current_date) to (current_date + 1)`)
  expect(response).toMatchObject({
    response: { reason: 'MissingPartition: Realtime was unable to find the expected messages partition' },
  })
  expect(refused.status).toBe(422)
  expect(await refused.json()).toEqual({ message: 'Missing messages partition' })
})
