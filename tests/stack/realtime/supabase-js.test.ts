import type { RealtimeChannel, RealtimeChannelOptions, SupabaseClient } from '@supabase/supabase-js'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ana, type Served, serve, subscribed, token } from './serve.ts'

let served: Served

beforeAll(async () => {
  served = await serve()
  await served.sql(`
    create policy "Ana reads her topics" on realtime.messages for select to authenticated
    using (realtime.topic() like 'ana:%' and auth.uid() = '${ana}');
    create policy "Ana writes to her topics" on realtime.messages for insert to authenticated
    with check (realtime.topic() like 'ana:%' and auth.uid() = '${ana}');
    create table public.todos (id bigint primary key, title text);
    alter publication supabase_realtime add table public.todos;
    grant select on public.todos to anon, authenticated`)
})
afterAll(() => served.close())

let topics = 0
const freshTopic = () => {
  topics += 1
  return `ana:${topics}`
}

/** Everything that a channel hears of broadcasts, in order. */
function ear(channel: RealtimeChannel) {
  const heard: Array<{ event: string; payload?: unknown; meta?: unknown }> = []
  channel.on('broadcast', { event: '*' }, (message) => heard.push(message))
  return heard
}

async function joined(
  client: Promise<SupabaseClient> | SupabaseClient,
  topic: string,
  config: RealtimeChannelOptions['config'] = {},
) {
  const channel = (await client).channel(topic, { config })
  const heard = ear(channel)
  await subscribed(channel)
  return { channel, heard }
}

const isPrivate = { private: true }

describe.each([
  ['supabase-js 2.119.1', (): Served['client'] => served.client],
  ['supabase-js 2.46.1', (): Served['client'] => served.oldClient],
])('%s', (name, open) => {
  const client = (as?: string) => open()(as)

  test('a broadcast reaches others, and the sender when it wants to', async () => {
    const topic = freshTopic()
    const one = await joined(client(), topic, { broadcast: { self: true } })
    const two = await joined(client(), topic)
    expect(await one.channel.send({ type: 'broadcast', event: 'hi', payload: { n: 1 } })).toBe('ok')
    const message = { type: 'broadcast', event: 'hi', payload: { n: 1 } }
    await vi.waitFor(() => expect([one.heard, two.heard]).toEqual([[message], [message]]))
  })

  test('an acknowledged broadcast resolves once it is out; too large a one does not', async () => {
    const topic = freshTopic()
    const [one, two] = [await joined(client(), topic, { broadcast: { ack: true } }), await joined(client(), topic)]
    expect(await one.channel.send({ type: 'broadcast', event: 'hi', payload: {} })).toBe('ok')
    await vi.waitFor(() => expect(two.heard).toHaveLength(1))
    const payload = { x: 'x'.repeat(3_100_000) }
    expect(await one.channel.send({ type: 'broadcast', event: 'hi', payload })).toBe('error')
  })

  test('a channel that is not joined broadcasts over HTTP', async () => {
    const topic = freshTopic()
    const { heard } = await joined(client(), topic)
    const sender = (await client()).channel(topic)
    const response = await sender.send({ type: 'broadcast', event: 'hi', payload: { n: 1 } })
    expect(response).toBe('ok')
    await vi.waitFor(() => expect(heard).toEqual([{ type: 'broadcast', event: 'hi', payload: { n: 1 } }]))
  })

  test('a private topic is joined by whom a policy lets, and refused to others', async () => {
    const topic = freshTopic()
    const one = await joined(client(await token()), topic, { ...isPrivate, broadcast: { ack: true } })
    const two = await joined(client(await token()), topic, isPrivate)
    expect(await one.channel.send({ type: 'broadcast', event: 'hi', payload: { n: 1 } })).toBe('ok')
    await vi.waitFor(() => expect(two.heard).toMatchObject([{ payload: { n: 1 } }]))
    await expect(joined(client(), topic, isPrivate)).rejects.toThrow(
      `Unauthorized: You do not have permissions to read from this Channel topic: ${topic}`,
    )
  })

  test('what the database broadcasts arrives', async () => {
    const topic = freshTopic()
    const { heard } = await joined(client(await token()), topic, isPrivate)
    await served.sql(`select realtime.send('{"n": 1, "id": "7"}', 'new-message', $1, true)`, [topic])
    await vi.waitFor(() =>
      expect(heard).toEqual([
        { type: 'broadcast', event: 'new-message', payload: { n: 1, id: '7' }, meta: { id: expect.any(String) } },
      ]),
    )
  })

  test('presence: who is there, who comes, who changes and who goes', async () => {
    const topic = freshTopic()
    const [hers, his] = [await client(), await client()]
    // Since 2.54 a client that listens enables it by itself; hosted tells an older one nothing unless it does so here.
    const presence = { enabled: true }
    const seen: string[] = []
    const one = hers.channel(topic, { config: { presence: { ...presence, key: 'ana' } } })
    one
      .on('presence', { event: 'join' }, ({ key }) => seen.push(`${key} came`))
      .on('presence', { event: 'leave' }, ({ key }) => seen.push(`${key} went`))
    await subscribed(one)
    expect(await one.track({ typing: false })).toBe('ok')

    const two = his.channel(topic, { config: { presence: { ...presence, key: 'ben' } } })
    two.on('presence', { event: 'sync' }, () => {})
    await subscribed(two)
    await vi.waitFor(() => expect(two.presenceState()).toMatchObject({ ana: [{ typing: false }] }))
    await two.track({ typing: false })
    await one.track({ typing: true })
    await vi.waitFor(() => expect(two.presenceState()).toMatchObject({ ana: [{ typing: true }] }))
    await vi.waitFor(() => expect(one.presenceState()).toMatchObject({ ana: [{}], ben: [{}] }))
    expect(two.presenceState().ana).toHaveLength(1)

    await his.removeAllChannels()
    await vi.waitFor(() => expect(Object.keys(one.presenceState())).toEqual(['ana']))
    expect(seen).toEqual(expect.arrayContaining(['ana came', 'ben came', 'ben went']))
  })

  test('row changes arrive, entry by entry', async () => {
    const channel = (await client()).channel(freshTopic())
    const seen: unknown[] = []
    const active = new Promise<void>((resolve) => {
      channel.on('system', {}, ({ message }) => {
        if (message === 'Subscribed to PostgreSQL') resolve()
      })
    })
    const table = { schema: 'public', table: 'todos' }
    channel
      .on('postgres_changes', { event: 'INSERT', ...table }, ({ new: row }) => seen.push(['insert', row]))
      .on('postgres_changes', { event: 'DELETE', ...table, filter: 'id=eq.7' }, ({ old }) => seen.push(['delete', old]))
    await subscribed(channel)
    await active
    await served.sql(`insert into public.todos values (7, 'write'), (8, 'read')`)
    await served.sql('delete from public.todos')
    await vi.waitFor(() =>
      expect(seen).toEqual([
        ['insert', { id: 7, title: 'write' }],
        ['insert', { id: 8, title: 'read' }],
        ['delete', { id: 7 }],
      ]),
    )
  })

  test('a token that is refreshed keeps its private channel; one of somebody else loses it', async () => {
    const topic = freshTopic()
    const user = await client(await token())
    const { channel, heard } = await joined(user, topic, isPrivate)
    await user.realtime.setAuth(await token(undefined, '2h'))
    await served.sql(`select realtime.send('{}', 'hi', $1, true)`, [topic])
    await vi.waitFor(() => expect(heard).toHaveLength(1))

    const closed = new Promise<string>((resolve) => {
      channel.on('system', {}, ({ message }) => resolve(message))
    })
    await user.realtime.setAuth(await token({ role: 'authenticated' }))
    expect(await closed).toBe(`You do not have permissions to read from this Channel topic: ${topic}`)
    await vi.waitFor(() => expect(channel.state).toBe('closed'))
  })

  test('a token that expires closes its channel', async () => {
    const exp = Math.ceil(Date.now() / 1000) + 1
    const { channel } = await joined(client(await token(undefined, exp)), freshTopic(), isPrivate)
    await vi.waitFor(() => expect(channel.state).toBe('closed'), { timeout: 5000 })
  })

  test('who leaves hears no more, and may come again', async () => {
    const topic = freshTopic()
    const [user, other] = [await client(), await joined(client(), topic, { broadcast: { ack: true } })]
    const first = await joined(user, topic)
    expect(await user.removeChannel(first.channel)).toBe('ok')
    await other.channel.send({ type: 'broadcast', event: 'missed', payload: {} })
    const second = await joined(user, topic)
    await other.channel.send({ type: 'broadcast', event: 'heard', payload: {} })
    await vi.waitFor(() => expect(second.heard).toMatchObject([{ event: 'heard' }]))
    expect(first.heard).toEqual([])
  })

  test('channels come back by themselves after the stream broke', async () => {
    const topic = freshTopic()
    const { channel, heard } = await joined(client(await token()), topic, isPrivate)
    await served.adminSql(
      `select pg_terminate_backend(active_pid) from pg_replication_slots
       where active and database = current_database()`,
    )
    await vi.waitFor(() => expect(channel.state).toBe('errored'), { timeout: 20_000, interval: 5 })
    await vi.waitFor(() => expect(channel.state).toBe('joined'), { timeout: 20_000 })
    await served.sql(`select realtime.send('{}', 'after', $1, true)`, [topic])
    await vi.waitFor(() => expect(heard).toMatchObject([{ event: 'after' }]))
  })

  test(`${name} is the version that was meant`, async () => {
    const { heard, channel } = await joined(client(), freshTopic(), { broadcast: { self: true } })
    await channel.send({ type: 'broadcast', event: 'bytes', payload: new Uint8Array([1, 2]).buffer })
    await channel.send({ type: 'broadcast', event: 'hi', payload: {} })
    await vi.waitFor(() => expect(heard.at(-1)).toMatchObject({ event: 'hi' }))
    // Only today's sends bytes as bytes.
    expect(heard[0]?.payload instanceof ArrayBuffer).toBe(name.includes('2.119'))
  })
})

describe('supabase-js 2.119.1 alone', () => {
  test('bytes are broadcast as bytes, by clients and by the database', async () => {
    const topic = freshTopic()
    const as = await token()
    const [one, two] = [
      await joined(served.client(as), topic, { ...isPrivate, broadcast: { ack: true } }),
      await joined(served.client(as), topic, isPrivate),
    ]
    const bytes = new Uint8Array([0xde, 0xad]).buffer
    expect(await one.channel.send({ type: 'broadcast', event: 'hi', payload: bytes })).toBe('ok')
    await served.sql(`select realtime.send_binary('\\xbeef', 'ho', $1, true)`, [topic])
    await vi.waitFor(() => expect(two.heard).toHaveLength(2))
    expect(two.heard.map(({ payload }) => Buffer.from(payload as ArrayBuffer).toString('hex'))).toEqual([
      'dead',
      'beef',
    ])
  })

  test('httpSend reaches who listens, and is refused to whom no policy lets', async () => {
    const topic = freshTopic()
    const as = await token()
    const { heard } = await joined(served.client(as), topic, isPrivate)
    const sender = (await served.client(as)).channel(topic, { config: isPrivate })
    expect(await sender.httpSend('hi', { n: 1 })).toEqual({ success: true })
    await vi.waitFor(() => expect(heard).toEqual([{ type: 'broadcast', event: 'hi', payload: { n: 1 } }]))
    const stranger = (await served.client()).channel(topic, { config: isPrivate })
    await expect(stranger.httpSend('hi', { n: 1 })).rejects.toThrow('Unauthorized')
  })

  test('what was missed is replayed, and what follows comes once', async () => {
    const topic = freshTopic()
    const since = Date.now() - 1000
    await served.sql(`select realtime.send('{"n": 1}', 'missed', $1, true)`, [topic])
    const { heard } = await joined(served.client(await token()), topic, {
      ...isPrivate,
      broadcast: { replay: { since, limit: 10 } },
    })
    await served.sql(`select realtime.send('{"n": 2}', 'live', $1, true)`, [topic])
    await vi.waitFor(() => expect(heard.at(-1)).toMatchObject({ event: 'live' }))
    expect(heard).toMatchObject([
      { event: 'missed', payload: { n: 1 }, meta: { replayed: true } },
      { event: 'live', payload: { n: 2 } },
    ])
  })
})
