// What the pages of Supabase's documentation under "Realtime" show, page by page: the same calls in the same order with
// the same options, from supabase-js as it is installed.

import type { RealtimeChannel, SupabaseClient } from '@supabase/supabase-js'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { ana, keys, type Served, serve, subscribed, token } from './serve.ts'

const stranger = '00000000-0000-4000-8000-00000000000e'

let served: Served
/** Anonymous. */
let supabase: SupabaseClient
/** Signed in, each on a connection of her own. */
let anas: SupabaseClient
let strangers: SupabaseClient
/** What the examples log. */
let logged: unknown[]
const log = (entry: unknown) => void logged.push(entry)
const seen = (expected: unknown[]) => vi.waitFor(() => expect(logged).toMatchObject(expected), { timeout: 10_000 })

beforeAll(async () => {
  served = await serve()
  supabase = await served.client()
  anas = await served.client(await token())
  strangers = await served.client(await token({ role: 'authenticated', sub: stranger }))
  await served.sql(`
    create table public.room_people (user_id uuid not null, topic text not null, primary key (user_id, topic));
    alter table public.room_people enable row level security;
    grant select on public.room_people to authenticated;
    create policy "People see where they are" on public.room_people for select to authenticated
    using (user_id = (select auth.uid()));
  `)
})
beforeEach(async () => {
  logged = []
  for (const client of [supabase, anas, strangers]) await client.removeAllChannels()
})
afterAll(() => served.close())

/** Row changes are told from here on. */
const following = (channel: RealtimeChannel) =>
  new Promise<void>((resolve, reject) => {
    channel
      .on('system', {}, ({ status, message }) => {
        if (status !== 'ok') reject(new Error(message))
        else if (message === 'Subscribed to PostgreSQL') resolve()
      })
      .subscribe()
  })

describe('Broadcast', () => {
  const hi = { type: 'broadcast' as const, event: 'shout', payload: { message: 'Hi' } }

  test('a callback for one event, and one for all', async () => {
    const channel = supabase.channel('doc-listen')
    channel.on('broadcast', { event: 'shout' }, log).on('broadcast', { event: '*' }, ({ event }) => log(event))
    await subscribed(channel)
    const other = await subscribed(strangers.channel('doc-listen'))
    await other.send({ ...hi, event: 'whisper' })
    await other.send(hi)
    await seen(['whisper', hi, 'shout'])
  })

  test('before it is subscribed a channel sends over HTTP, and then over its socket', async () => {
    await subscribed(anas.channel('doc-send').on('broadcast', { event: 'shout' }, log))
    const channel = supabase.channel('doc-send')
    expect(await channel.send(hi)).toBe('ok')
    await seen([hi])
    await new Promise<void>((resolve) => {
      channel.subscribe((status) => {
        if (status !== 'SUBSCRIBED') return
        void channel.send(hi).then(() => resolve())
      })
    })
    await seen([hi, hi])
  })

  test('one that only sends over HTTP is cleaned up at once', async () => {
    await subscribed(anas.channel('doc-http').on('broadcast', { event: 'shout' }, log))
    const channel = supabase.channel('doc-http')
    const sent = channel.send(hi)
    await supabase.removeChannel(channel)
    expect(await sent).toBe('ok')
    await seen([hi])
  })

  test('self: the sender hears itself', async () => {
    const channel = supabase.channel('doc-self', { config: { broadcast: { self: true } } })
    channel.on('broadcast', { event: 'shout' }, log)
    channel.subscribe((status) => {
      if (status === 'SUBSCRIBED') void channel.send(hi)
    })
    await seen([hi])
  })

  test('ack: the promise resolves when the server has it', async () => {
    const channel = supabase.channel('doc-ack', { config: { broadcast: { ack: true } } })
    channel.subscribe(async (status) => {
      if (status === 'SUBSCRIBED') log(await channel.send({ type: 'broadcast', event: 'acknowledge', payload: {} }))
    })
    await seen(['ok'])
  })

  test('over REST, with nothing but a key', async () => {
    await subscribed(supabase.channel('doc-rest').on('broadcast', { event: 'event' }, log))
    const response = await fetch(`${served.url}/realtime/v1/api/broadcast`, {
      method: 'POST',
      headers: { apikey: keys.publishable, 'Content-Type': 'application/json' },
      body: JSON.stringify({ messages: [{ topic: 'doc-rest', event: 'event', payload: { test: 'test' } }] }),
    })
    expect(response.status).toBe(202)
    await seen([{ type: 'broadcast', event: 'event', payload: { test: 'test' } }])
  })

  test('realtime.send: the flag says whether public channels hear it or private ones', async () => {
    await served.sql(`create policy "Those who are there" on realtime.messages for select to authenticated
      using (realtime.topic() = 'doc-flag' and (select auth.uid()) = '${ana}')`)
    const config = { private: true }
    await subscribed(
      supabase.channel('doc-flag').on('broadcast', { event: '*' }, ({ event }) => log(['public', event])),
    )
    await subscribed(
      anas.channel('doc-flag', { config }).on('broadcast', { event: '*' }, ({ event }) => log(['private', event])),
    )
    await served.sql(`select realtime.send(jsonb_build_object('hello', 'world'), 'open', 'doc-flag', false)`)
    await served.sql(`select realtime.send(jsonb_build_object('hello', 'world'), 'closed', 'doc-flag')`)
    await seen([
      ['public', 'open'],
      ['private', 'closed'],
    ])
  })

  test('replay: what was said before comes first, and says so', async () => {
    await served.sql(`create policy "Ana reads the history" on realtime.messages for select to authenticated
      using (realtime.topic() = 'doc:history' and (select auth.uid()) = '${ana}')`)
    const since = Date.now() - 60_000
    // Once these were heard, who comes later hears them no more as they happen.
    const earlier = anas.channel('doc:history', { config: { private: true } })
    earlier.on('broadcast', { event: 'position' }, ({ payload }) => log(payload.x))
    await subscribed(earlier)
    for (const x of [1, 2, 3]) {
      await served.sql(`select realtime.send(jsonb_build_object('x', $1::int), 'position', 'doc:history', true)`, [x])
    }
    await seen([1, 2, 3])
    await anas.removeChannel(earlier)
    logged = []
    const config = { private: true, broadcast: { replay: { since, limit: 2 } } }
    const channel = anas.channel('doc:history', { config })
    channel.on('broadcast', { event: 'position' }, ({ payload, meta }) => log([meta?.replayed ?? false, payload.x]))
    await subscribed(channel)
    await served.sql(`select realtime.send('{"x": 4}', 'position', 'doc:history', true)`)
    await seen([
      [true, 2],
      [true, 3],
      [false, 4],
    ])
    expect(() => supabase.channel('doc:history', { config: { ...config, private: false } })).toThrow('private channel')
  })
})

describe('Subscribing to database changes, by broadcast', () => {
  beforeAll(() =>
    served.sql(`
      create table public.games (id bigint generated by default as identity primary key, score int);
      create policy "Signed in people hear of games" on realtime.messages for select to authenticated
      using (realtime.topic() like 'game:%');
      create function public.game_changes() returns trigger language plpgsql security definer set search_path = '' as $$
      begin
        perform realtime.broadcast_changes(
          'game:' || coalesce(new.id, old.id)::text, tg_op, tg_op, tg_table_name, tg_table_schema, new, old
        );
        return null;
      end;
      $$;
      create trigger game_changes after insert or update or delete on public.games
      for each row execute function public.game_changes();
    `),
  )

  test('each kind of change is an event on the topic of its row, on a private channel', async () => {
    await anas.realtime.setAuth()
    const channel = anas
      .channel('game:7', { config: { private: true } })
      .on('broadcast', { event: 'INSERT' }, log)
      .on('broadcast', { event: 'UPDATE' }, log)
      .on('broadcast', { event: 'DELETE' }, log)
    await subscribed(channel)
    await served.sql('insert into public.games values (7, 0), (8, 0)')
    await served.sql('update public.games set score = 1')
    await served.sql('delete from public.games')
    const about = (operation: string, record: unknown, old_record: unknown) => ({
      type: 'broadcast',
      event: operation,
      payload: { schema: 'public', table: 'games', operation, record, old_record },
    })
    await seen([
      about('INSERT', { id: 7, score: 0 }, null),
      about('UPDATE', { id: 7, score: 1 }, { id: 7, score: 0 }),
      about('DELETE', null, { id: 7, score: 1 }),
    ])
  })

  test('the anonymous are refused it', async () => {
    await expect(subscribed(supabase.channel('game:7', { config: { private: true } }))).rejects.toThrow(
      'Unauthorized: You do not have permissions to read from this Channel topic: game:7',
    )
  })
})

describe('Presence', () => {
  test('sync, join and leave; track and untrack', async () => {
    const room = supabase.channel('doc-presence')
    room
      .on('presence', { event: 'sync' }, () => log(['sync', Object.values(room.presenceState()).flat().length]))
      .on('presence', { event: 'join' }, ({ newPresences }) => log(['join', newPresences[0]?.user]))
      .on('presence', { event: 'leave' }, ({ leftPresences }) => log(['leave', leftPresences[0]?.user]))
    room.subscribe(async (status) => {
      if (status === 'SUBSCRIBED') log(await room.track({ user: 'user-1', online_at: new Date().toISOString() }))
    })
    await vi.waitFor(() => {
      for (const entry of [['sync', 0], ['join', 'user-1'], ['sync', 1], 'ok']) expect(logged).toContainEqual(entry)
    })
    expect(await room.untrack()).toBe('ok')
    await vi.waitFor(() => expect(logged).toContainEqual(['leave', 'user-1']))
    await vi.waitFor(() => expect(room.presenceState()).toEqual({}))
  })

  test('a key of its own, or one that the server makes', async () => {
    const named = supabase.channel('doc-key', { config: { presence: { key: 'userId-123' } } })
    const unnamed = anas.channel('doc-key')
    named.on('presence', { event: 'sync' }, () => {})
    await subscribed(named)
    await subscribed(unnamed)
    await named.track({ name: 'named' })
    await unnamed.track({ name: 'unnamed' })
    await vi.waitFor(() => expect(Object.keys(named.presenceState())).toHaveLength(2))
    expect(named.presenceState()).toMatchObject({ 'userId-123': [{ name: 'named' }] })
    const [key] = Object.keys(named.presenceState()).filter((each) => each !== 'userId-123')
    expect(key).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  })
})

describe('Authorization', () => {
  beforeAll(() =>
    served.sql(`
      insert into public.room_people values
        ('${ana}', 'room:heard'), ('${ana}', 'room:both'), ('${ana}', 'room:seen'), ('${stranger}', 'room:else');
      create policy "People of a room hear it" on realtime.messages for select to authenticated using (
        exists (
          select from public.room_people p
          where p.user_id = (select auth.uid()) and p.topic = (select realtime.topic())
            and ((p.topic in ('room:heard', 'room:both') and realtime.messages.extension in ('broadcast'))
              or (p.topic in ('room:seen', 'room:both') and realtime.messages.extension in ('presence')))
        )
      );
      create policy "People of a room speak in it" on realtime.messages for insert to authenticated with check (
        exists (
          select from public.room_people p
          where p.user_id = (select auth.uid()) and p.topic = (select realtime.topic()) and p.topic = 'room:both'
            and realtime.messages.extension in ('broadcast', 'presence')
        )
      );
    `),
  )
  const config = { private: true, broadcast: { ack: true, self: true } }

  test('who may hear and speak does both', async () => {
    const channel = anas
      .channel('room:both', { config })
      .on('broadcast', { event: 'test' }, ({ payload }) => log(payload))
    channel.on('presence', { event: 'join' }, ({ newPresences }) => log(newPresences[0]?.here))
    await subscribed(channel)
    expect(await channel.send({ type: 'broadcast', event: 'test', payload: { n: 1 } })).toBe('ok')
    expect(await channel.track({ here: true })).toBe('ok')
    await seen([{ n: 1 }, true])
  })

  test('who may only hear, over the socket and over REST, is not heard', async () => {
    const channel = anas.channel('room:heard', { config: { ...config, broadcast: { self: true } } })
    channel.on('broadcast', { event: '*' }, ({ event }) => log(event))
    await subscribed(channel)
    await channel.send({ type: 'broadcast', event: 'forged', payload: {} })
    await expect(channel.httpSend('forged', {})).rejects.toThrow('Unauthorized')
    expect(await channel.track({})).toBe('error')
    await served.sql(`select realtime.send('{}', 'real', 'room:heard', true)`)
    await seen(['real'])
    expect(logged).toHaveLength(1)
  })

  test('who may only see presence joins, and hears nothing', async () => {
    const channel = anas.channel('room:seen', { config })
    channel.on('presence', { event: 'sync' }, () => log('sync')).on('broadcast', { event: '*' }, log)
    await subscribed(channel)
    await served.sql(`select realtime.send('{}', 'unheard', 'room:seen', true)`)
    // What is committed later comes later.
    const marker = anas.channel('room:heard', { config }).on('broadcast', { event: 'marker' }, () => log('marker'))
    await subscribed(marker)
    await served.sql(`select realtime.send('{}', 'marker', 'room:heard', true)`)
    await seen(['sync', 'marker'])
  })

  test.each(['room:heard', 'room:both', 'room:seen'])('a stranger is refused %s, and told why', async (topic) => {
    const channel = strangers.channel(topic, { config })
    const told = new Promise((resolve) => {
      channel.subscribe((status, error) => resolve([status, error?.message]))
    })
    expect(await told).toEqual([
      'CHANNEL_ERROR',
      expect.stringContaining(`Unauthorized: You do not have permissions to read from this Channel topic: ${topic}`),
    ])
    await subscribed(anas.channel(topic, { config }).on('presence', { event: 'sync' }, () => {}))
  })
})

describe('Postgres changes', () => {
  beforeAll(() =>
    served.sql(`
      create table todos (id serial primary key, task text);
      alter table todos enable row level security;
      create policy "Anybody reads" on todos for select to anon using (true);
      create table public.people (id int primary key, name text, age int);
      grant select on todos, public.people to anon;
      alter publication supabase_realtime add table todos;
      alter publication supabase_realtime add table people;
    `),
  )
  beforeEach(async () => {
    await served.sql('truncate todos, public.people restart identity')
  })
  const brief = ({ eventType, table, new: row, old }: Record<string, unknown>) => log([eventType, table, row, old])

  test('all of a schema', async () => {
    await following(
      supabase.channel('schema-db-changes').on('postgres_changes', { event: '*', schema: 'public' }, brief),
    )
    await served.sql(`insert into todos (task) values ('Change!')`)
    await seen([['INSERT', 'todos', { id: 1, task: 'Change!' }, {}]])
  })

  test.each(['INSERT', 'UPDATE', 'DELETE'] as const)('%s alone', async (event) => {
    const channel = supabase.channel('schema-db-changes')
    // Types allow each kind by its own name only.
    channel.on('postgres_changes' as 'system', { event, schema: 'public' } as never, brief)
    await following(channel)
    const steps = [
      ['INSERT', `insert into todos (task) values ('a')`, { id: 1, task: 'a' }, {}],
      ['UPDATE', `update todos set task = 'b'`, { id: 1, task: 'b' }, { id: 1 }],
      ['DELETE', 'delete from todos', {}, { id: 1 }],
    ] as const
    for (const [kind, statement, row, old] of steps) {
      await served.sql(statement)
      // Row level security is asked about the row as it is: one that is deleted at once is not told of.
      if (kind === event) await seen([[kind, 'todos', row, old]])
    }
    expect(logged).toHaveLength(1)
  })

  test('several tables on one channel', async () => {
    const channel = supabase
      .channel('db-changes')
      .on('postgres_changes', { event: '*', schema: 'public', table: 'todos' }, brief)
      .on('postgres_changes', { event: 'INSERT', schema: 'public', table: 'people' }, brief)
    await following(channel)
    await served.sql(`insert into public.people values (1, 'Ana', 30)`)
    await vi.waitFor(() => expect(logged).toHaveLength(1))
    await served.sql(`update public.people set age = 31`)
    await served.sql(`insert into todos (task) values ('a')`)
    await seen([
      ['INSERT', 'people', { id: 1, name: 'Ana', age: 30 }, {}],
      ['INSERT', 'todos', { id: 1, task: 'a' }, {}],
    ])
  })

  test.each([
    ['name=eq.Ana', [1]],
    ['name=neq.Ana', [2, 3]],
    ['age=lt.30', [3]],
    ['age=lte.30', [1, 3]],
    ['age=gt.30', [2]],
    ['age=gte.30', [1, 2]],
    ['name=in.(Ana, Cy, Di)', [1, 3]],
  ])('the filter %s', async (filter, ids) => {
    const entry = { event: 'INSERT' as const, schema: 'public', table: 'people', filter }
    await following(supabase.channel('changes').on('postgres_changes', entry, (payload) => log(payload.new.id)))
    await served.sql(`insert into public.people values (1, 'Ana', 30), (2, 'Ben', 40), (3, 'Cy', 20)`)
    await seen(ids)
    expect(logged).toHaveLength(ids.length)
  })

  test('the old record, once the table tells it', async () => {
    await served.sql('alter table public.people replica identity full')
    const entry = { event: 'UPDATE' as const, schema: 'public', table: 'people' }
    await following(supabase.channel('changes').on('postgres_changes', entry, brief))
    await served.sql(`insert into public.people values (1, 'Ana', 30)`)
    await served.sql('update public.people set age = 31')
    await seen([['UPDATE', 'people', { id: 1, name: 'Ana', age: 31 }, { id: 1, name: 'Ana', age: 30 }]])
  })

  test('a private schema, for the roles that may select', async () => {
    await served.sql(`create schema apart; create table apart.notes (id int primary key);
      alter publication supabase_realtime add table apart.notes;
      grant usage on schema apart to anon; grant select on apart.notes to anon`)
    const entry = { event: '*' as const, schema: 'apart', table: 'notes' }
    await following(supabase.channel('changes').on('postgres_changes', entry, brief))
    await served.sql('insert into apart.notes values (1)')
    await seen([['INSERT', 'notes', { id: 1 }, {}]])
  })

  test('a token of your own, and a fresh one after it', async () => {
    await served.sql(`create table public.mine (id int primary key, owner uuid);
      alter table public.mine enable row level security; grant select on public.mine to authenticated;
      create policy "Owners" on public.mine for select to authenticated using (owner = (select auth.uid()));
      alter publication supabase_realtime add table public.mine`)
    const client = await served.client()
    void client.realtime.setAuth(await token())
    const entry = { event: 'INSERT' as const, schema: 'public', table: 'mine' }
    const channel = client.channel('db-changes').on('postgres_changes', entry, (payload) => log(payload.new.id))
    await following(channel)
    await served.sql(`insert into public.mine values (1, '${ana}'), (2, '${stranger}')`)
    await seen([1])

    const again = new Promise<void>((resolve) => {
      channel.on('system', {}, ({ message }) => {
        if (message === 'Subscribed to PostgreSQL') resolve()
      })
    })
    void client.realtime.setAuth(await token({ role: 'authenticated', sub: stranger }))
    await again
    await served.sql(`insert into public.mine values (3, '${ana}'), (4, '${stranger}')`)
    await seen([1, 4])
  })

  test('the publication is made anew while the server runs', async () => {
    await served.sql(
      `begin; drop publication if exists supabase_realtime; create publication supabase_realtime; commit`,
    )
    await served.sql('alter publication supabase_realtime add table todos')
    const entry = { event: 'INSERT' as const, schema: 'public', table: 'todos' }
    await following(supabase.channel('changes').on('postgres_changes', entry, brief))
    await served.sql(`insert into todos (task) values ('still here')`)
    await seen([['INSERT', 'todos', { id: 1, task: 'still here' }, {}]])
    // People listen to what is no longer published: told so, and not left waiting.
    const gone = { ...entry, table: 'people' }
    await expect(following(anas.channel('changes').on('postgres_changes', gone, brief))).rejects.toThrow(
      'Unable to subscribe to changes with given parameters',
    )
  })
})
