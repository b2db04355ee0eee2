import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  type DatabaseBroadcast,
  type Replication,
  type RowChange,
  startReplication,
} from '../../../src/stack/realtime/replication.ts'
import { createDatabase, type Database } from '../../support/database.ts'

let database: Database
let client: pg.Client
let replication: Replication
let broadcasts: DatabaseBroadcast[]
let changes: RowChange[]
let lines: string[]
let gaps: number

beforeAll(async () => {
  database = await createDatabase({ migrated: false })
  client = new pg.Client({ connectionString: database.url() })
  await client.connect()
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

beforeEach(async () => {
  broadcasts = []
  changes = []
  lines = []
  gaps = 0
  replication = await startReplication({
    url: database.url('supabase_realtime_admin'),
    log: (line) => lines.push(line),
    onBroadcast: (message) => broadcasts.push(message),
    onChange: (change) => changes.push(change),
    onResumed: () => {
      gaps += 1
    },
  })
})

afterEach(() => replication.close())

/** Waits until everything committed so far has been handed over. */
async function caughtUp(): Promise<void> {
  const event = `mark-${Math.random()}`
  await client.query(`select realtime.send('{}', $1, 'marks')`, [event])
  await vi.waitFor(() => expect(broadcasts.map((message) => message.event)).toContain(event), { timeout: 10_000 })
  broadcasts = broadcasts.filter((message) => message.topic !== 'marks')
}

const slots = async () =>
  (await client.query('select temporary, plugin from pg_replication_slots where database = current_database()')).rows

const told = (row: Map<string, string | null> | null | undefined) => row && Object.fromEntries(row)

describe('broadcasts', () => {
  test('a message is handed over once, after its commit', async () => {
    await client.query('begin')
    await client.query(`select realtime.send('{"n": 1}', 'hi', 'den')`)
    const other = new pg.Client({ connectionString: database.url() })
    await other.connect()
    await other.query(`select realtime.send_binary('\\x00ff', 'bytes', 'attic', false)`)
    await other.end()
    await vi.waitFor(() => expect(broadcasts).toHaveLength(1))
    await client.query('commit')
    await caughtUp()
    const { rows } = await client.query('select id, event from realtime.messages')
    const id = (event: string) => rows.find((row) => row.event === event).id
    expect(broadcasts).toEqual([
      {
        id: id('bytes'),
        topic: 'attic',
        event: 'bytes',
        private: false,
        payload: null,
        binaryPayload: Buffer.from([0, 255]),
      },
      { id: id('hi'), topic: 'den', event: 'hi', private: true, payload: expect.any(String), binaryPayload: null },
    ])
    expect(JSON.parse(broadcasts[1]?.payload ?? '')).toEqual({ n: 1, id: id('hi') })
  })

  test('nothing is handed over that was rolled back', async () => {
    await client.query('begin')
    await client.query(`select realtime.send('{}', 'hi', 'den')`)
    await client.query('rollback')
    await caughtUp()
    expect(broadcasts).toEqual([])
  })

  test('a thousand messages arrive in the order of the commits', async () => {
    for (let batch = 0; batch < 10; batch++) {
      await client.query(`select realtime.send('{}', (100 * $1 + n)::text, 'den') from generate_series(0, 99) as n`, [
        batch,
      ])
    }
    await caughtUp()
    expect(broadcasts.map((message) => Number(message.event))).toEqual(Array.from({ length: 1000 }, (_, n) => n))
  })

  test.each([
    ['no event', `(topic, extension, payload, private) values ('den', 'broadcast', '{}', true)`],
    ['no privacy', `(topic, extension, payload, event, private) values ('den', 'broadcast', '{}', 'hi', null)`],
    ['no payload', `(topic, extension, event, private) values ('den', 'broadcast', 'hi', true)`],
    [
      'a payload that is no object',
      `(topic, extension, event, payload, private) values ('den', 'broadcast', 'hi', '[]', true)`,
    ],
  ])('a row with %s is no broadcast', async (_, row) => {
    await client.query(`insert into realtime.messages ${row}`)
    await caughtUp()
    expect(broadcasts).toEqual([])
    expect(lines).toEqual([expect.stringContaining('is not broadcast')])
  })

  test('a row of any extension is broadcast', async () => {
    await client.query(
      `insert into realtime.messages (topic, extension, event, payload) values ('den', 'presence', 'hi', '{"n": 1}')`,
    )
    await caughtUp()
    expect(broadcasts).toMatchObject([{ topic: 'den', event: 'hi', private: false, payload: '{"n": 1}' }])
  })

  test('a listener that throws hears the next message', async () => {
    const failing = await startReplication({
      url: database.url('supabase_realtime_admin'),
      log: (line) => lines.push(line),
      onBroadcast: (message) => {
        broadcasts.push(message)
        throw new Error('out of order')
      },
      onChange: () => {},
      onResumed: () => {},
    })
    await replication.close()
    await client.query(`select realtime.send('{}', 'one', 'den'), realtime.send('{}', 'two', 'den')`)
    await vi.waitFor(() => expect(broadcasts.map((message) => message.event)).toEqual(['one', 'two']))
    await failing.close()
    expect(lines).toEqual(Array(2).fill(expect.stringContaining('out of order')))
  })
})

describe('row changes', () => {
  const followed = async (table: string, columns: string, identity = 'default') => {
    await client.query(`create table public.${table} (${columns})`)
    await client.query(`alter table public.${table} replica identity ${identity}`)
    await client.query(`alter publication supabase_realtime add table public.${table}`)
  }

  test('a change names its table, its columns and when it was committed', async () => {
    await followed('todos', 'id int primary key, title text, done boolean')
    await client.query(`insert into public.todos values (1, 'a', null)`)
    await caughtUp()
    const { oid, now } = (await client.query(`select 'public.todos'::regclass::oid::int as oid, now() as now`)).rows[0]
    expect(changes).toEqual([
      {
        schema: 'public',
        table: 'todos',
        oid,
        type: 'INSERT',
        commitTime: expect.any(Date),
        columns: [
          { name: 'id', typeOid: 23, isIdentity: true },
          { name: 'title', typeOid: 25, isIdentity: false },
          { name: 'done', typeOid: 16, isIdentity: false },
        ],
        new: new Map([
          ['id', '1'],
          ['title', 'a'],
          ['done', null],
        ]),
        old: null,
      },
    ])
    expect(Math.abs(now.getTime() - (changes[0]?.commitTime.getTime() ?? 0))).toBeLessThan(60_000)
  })

  test('with the default identity the old row is its key, and only when that is known to matter', async () => {
    await followed('by_key', 'a int, b int, title text, primary key (a, b)')
    await client.query(`insert into public.by_key values (1, 2, 'x')`)
    await client.query(`update public.by_key set title = 'y'`)
    await client.query('update public.by_key set b = 3')
    await client.query('delete from public.by_key')
    await caughtUp()
    expect(changes.map(({ type, old, new: row }) => [type, told(old), told(row)])).toEqual([
      ['INSERT', null, { a: '1', b: '2', title: 'x' }],
      ['UPDATE', null, { a: '1', b: '2', title: 'y' }],
      ['UPDATE', { a: '1', b: '2' }, { a: '1', b: '3', title: 'y' }],
      ['DELETE', { a: '1', b: '3' }, null],
    ])
  })

  test('with full identity the old row is whole, nulls included', async () => {
    await followed('whole', 'id int primary key, title text', 'full')
    await client.query('insert into public.whole values (1, null)')
    await client.query(`update public.whole set title = 'y'`)
    await client.query('delete from public.whole')
    await caughtUp()
    expect(changes.slice(1).map(({ old }) => told(old))).toEqual([
      { id: '1', title: null },
      { id: '1', title: 'y' },
    ])
    expect(changes[1]?.columns.every((column) => column.isIdentity)).toBe(true)
  })

  test.each([
    ['default', undefined],
    ['full', 'x'],
  ])('an unchanged large value with %s identity', async (identity, firstLetter) => {
    const table = `large_${identity}`
    await followed(table, 'id int primary key, n int, body text', identity)
    await client.query(`alter table public.${table} alter body set storage external`)
    await client.query(`insert into public.${table} values (1, 1, repeat('x', 100000))`)
    await client.query(`update public.${table} set n = 2`)
    await caughtUp()
    expect(changes[1]?.new?.get('n')).toBe('2')
    expect(changes[1]?.new?.get('body')?.[0]).toBe(firstLetter)
    expect(changes[1]?.new?.has('body')).toBe(firstLetter !== undefined)
  })

  test('generated columns are not in the stream', async () => {
    await followed('generated', 'id int primary key, twice int generated always as (id * 2) stored')
    await client.query('insert into public.generated values (1)')
    await caughtUp()
    expect(changes.map(({ new: row }) => told(row))).toEqual([{ id: '1' }])
  })

  test('values are the text of Postgres, whatever the settings of the database', async () => {
    await client.query(`alter database ${database.name} set datestyle to 'German, DMY'`)
    await client.query(`alter database ${database.name} set timezone to 'Asia/Tokyo'`)
    await client.query(`alter database ${database.name} set bytea_output to 'escape'`)
    await client.query(`alter database ${database.name} set intervalstyle to 'iso_8601'`)
    const other = await startReplication({
      url: database.url('supabase_realtime_admin'),
      log: () => {},
      onBroadcast: () => {},
      onChange: (change) => others.push(change),
      onResumed: () => {},
    })
    const others: RowChange[] = []
    await followed(
      'texts',
      'id int primary key, at timestamptz, bytes bytea, every interval, list int[], doc jsonb, price numeric, "__proto__" text, "1" text',
    )
    await client.query(
      `insert into public.texts values
       (1, '2026-01-02 03:04:05.678+00', '\\xdead', '1 day 2 hours', '{1,null}', '{"a": 1}', 'NaN', 'p', 'one')`,
    )
    await vi.waitFor(() => expect(others).toHaveLength(1))
    await other.close()
    await client.query(`alter database ${database.name} reset all`)
    expect([...(others[0]?.new ?? [])]).toEqual([
      ['id', '1'],
      ['at', '2026-01-02 03:04:05.678+00'],
      ['bytes', '\\xdead'],
      ['every', '1 day 02:00:00'],
      ['list', '{1,NULL}'],
      ['doc', '{"a": 1}'],
      ['price', 'NaN'],
      ['__proto__', 'p'],
      ['1', 'one'],
    ])
  })

  test('a table that is altered or made anew is described as it then is', async () => {
    await followed('moving', 'id int primary key')
    await client.query('insert into public.moving values (1)')
    await client.query('alter table public.moving add column title text')
    await client.query(`insert into public.moving values (2, 'a')`)
    await client.query('alter table public.moving rename column title to name')
    await client.query(`insert into public.moving values (3, 'b')`)
    await client.query('alter table public.moving drop column name')
    await client.query('insert into public.moving values (4)')
    await client.query('alter table public.moving rename to moved')
    await client.query('insert into public.moved values (5)')
    await client.query('drop table public.moved')
    await followed('moving', 'id text primary key')
    await client.query(`insert into public.moving values ('six')`)
    await caughtUp()
    expect(changes.map(({ table, new: row }) => [table, told(row)])).toEqual([
      ['moving', { id: '1' }],
      ['moving', { id: '2', title: 'a' }],
      ['moving', { id: '3', name: 'b' }],
      ['moving', { id: '4' }],
      ['moved', { id: '5' }],
      ['moving', { id: 'six' }],
    ])
    expect(changes.at(-1)?.oid).not.toBe(changes[0]?.oid)
  })

  test('only published changes are told, and none once the table is taken out', async () => {
    await client.query('create table public.later (id int primary key)')
    await client.query('insert into public.later values (1)')
    await client.query('alter publication supabase_realtime add table public.later')
    await client.query('insert into public.later values (2)')
    await client.query('truncate public.later')
    await client.query('alter publication supabase_realtime drop table public.later')
    await client.query('insert into public.later values (3)')
    await caughtUp()
    expect(changes.map(({ new: row }) => told(row))).toEqual([{ id: '2' }])
  })
})

describe('the publication of changes', () => {
  test('a migration may make it anew, as the documentation of Supabase does', async () => {
    await client.query(
      'begin; drop publication if exists supabase_realtime; create publication supabase_realtime; commit;',
    )
    await client.query('create table public.anew (id int primary key)')
    await client.query('alter publication supabase_realtime add table public.anew')
    await client.query('insert into public.anew values (1)')
    await caughtUp()
    expect(changes.map(({ table }) => table)).toEqual(['anew'])
    expect(gaps).toBe(0)
  })

  test('while there is none, messages are broadcast; changes follow once there is one', async () => {
    await client.query('drop publication supabase_realtime')
    // Postgres notices with the next row that it streams.
    await client.query(`select realtime.send('{}', 'lost', 'den')`)
    await vi.waitFor(() => expect(lines.at(-1)).toContain('live again'), { timeout: 10_000 })
    expect(gaps).toBe(1)
    await caughtUp()

    await client.query('create table public.afterwards (id int primary key)')
    await client.query('create publication supabase_realtime for table public.afterwards')
    await vi.waitFor(() => expect(gaps).toBe(2), { timeout: 10_000 })
    await replication.live()
    await client.query('insert into public.afterwards values (1)')
    await caughtUp()
    expect(changes.map(({ table }) => table)).toEqual(['afterwards'])
  })
})

describe('the connection', () => {
  const terminate = () =>
    client.query(
      `select pg_terminate_backend(active_pid) from pg_replication_slots where database = current_database() and active`,
    )

  const broken = () => vi.waitFor(() => expect(replication.isLive()).toBe(false), { interval: 1 })

  test('its slot is temporary, and gone when closed', async () => {
    expect(await slots()).toEqual([{ temporary: true, plugin: 'pgoutput' }])
    await replication.close()
    expect(await slots()).toEqual([])
    expect(replication.isLive()).toBe(false)
    await expect(replication.live()).rejects.toThrow('closed')
    expect(gaps).toBe(0)
    expect(lines).toEqual([])
  })

  test('when it breaks it is live again by itself, and the gap is told once, before', async () => {
    const admin = new pg.Client({ connectionString: database.url('supabase_admin') })
    await admin.connect()
    await admin.query(
      `select pg_terminate_backend(active_pid) from pg_replication_slots where database = current_database()`,
    )
    await admin.end()
    await broken()
    expect(gaps).toBe(0)
    await replication.live()
    expect(gaps).toBe(1)
    expect(replication.isLive()).toBe(true)
    await caughtUp()
    expect(gaps).toBe(1)
    expect(await slots()).toHaveLength(1)
  })

  test('it can be closed while it is broken', async () => {
    const pending = terminate()
    await broken()
    const live = replication.live()
    await Promise.all([pending, expect(live).rejects.toThrow('closed'), replication.close()])
    expect(await slots()).toEqual([])
  })

  describe('while a transaction is open that began before the stream', () => {
    let other: pg.Client

    beforeEach(async () => {
      other = new pg.Client({ connectionString: database.url() })
      await other.connect()
      await other.query('begin; select txid_current()')
      await terminate()
      await broken()
      await vi.waitFor(async () => expect(await slots()).toHaveLength(1))
    })

    afterEach(() => other.end())

    test('it can be closed', async () => {
      await replication.close()
      expect(await slots()).toEqual([])
    })

    test('it waits for as long as that takes', async () => {
      const attempt = async () =>
        (
          await client.query(
            `select query_start::text from pg_stat_activity
             where datname = current_database() and query like 'CREATE_REPLICATION_SLOT%'`,
          )
        ).rows[0]?.query_start
      const first = await attempt()
      await vi.waitFor(async () => expect([first, undefined]).not.toContain(await attempt()), { timeout: 10_000 })
      expect(replication.isLive()).toBe(false)
      expect(gaps).toBe(0)
      await other.query('commit')
      await replication.live()
      expect(gaps).toBe(1)
      await caughtUp()
    })
  })

  test('a database that does not answer is an error at the start', async () => {
    await expect(
      startReplication({
        url: 'postgresql://supabase_realtime_admin:postgres@127.0.0.1:1/postgres',
        log: () => {},
        onBroadcast: () => {},
        onChange: () => {},
        onResumed: () => {},
      }),
    ).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('acknowledgements advance the slot while messages stream', async () => {
    const confirmed = async () =>
      (
        await client.query(
          `select confirmed_flush_lsn::text as lsn from pg_replication_slots where database = current_database()`,
        )
      ).rows[0].lsn
    const before = await confirmed()
    await vi.waitFor(
      async () => {
        await caughtUp()
        expect(await confirmed()).not.toBe(before)
      },
      { timeout: 10_000, interval: 200 },
    )
  })
})
