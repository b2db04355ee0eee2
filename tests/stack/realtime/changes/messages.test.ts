import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { anon, type Feed, serviceRole, startFeed } from './feed.ts'

let feed: Feed

beforeAll(async () => {
  feed = await startFeed(`
    create table public.todos (id bigint primary key, title text, details text);
    create table public.full_todos (id bigint primary key, title text, details text);
    alter table public.full_todos replica identity full;
    create table public.by_email (id int primary key, email text not null unique, title text);
    alter table public.by_email replica identity using index by_email_email_key;

    create type public.mood as enum ('sad', 'happy');
    create domain public.age as int check (value >= 0);
    create type public.point2 as (x int, y text);
    create schema hidden;
    create type hidden.size as enum ('small', 'large');
    create table public.kinds (
      id int primary key, big int8, small int2, amount numeric(10, 2), nan numeric, real4 float4, infinite float8,
      yes boolean, fixed char(5), short varchar(10), at timestamptz, local timestamp, day date, clock time,
      span interval, uid uuid, mood public.mood, size hidden.size, age public.age, pair public.point2,
      tags text[], grid int[][], moods public.mood[], bytes bytea, plain json, binary_json jsonb, range int4range,
      bits bit(3), address inet, nothing text
    );

    create table public.keyless (id int, title text);
    alter table public.keyless replica identity full;

    create table public.events (id int, at date, primary key (id, at)) partition by range (at);
    create table public.events_2025 partition of public.events for values from ('2025-01-01') to ('2026-01-01');
    create table public.events_2026 partition of public.events for values from ('2026-01-01') to ('2027-01-01');

    create schema app;
    create table app.things (id int primary key);
    create table app.others (id int primary key);
    alter default privileges in schema app grant select on tables to service_role;
    grant select on all tables in schema app to service_role;

    alter publication supabase_realtime add table public.todos, public.full_todos, public.by_email, public.kinds,
      public.keyless, public.events, app.things, app.others;
  `)
})

afterAll(() => feed.close())
afterEach(() => feed.reset())

const follow = (table: string, more: { event?: string; schema?: string; filter?: string; select?: unknown } = {}) =>
  feed.follow([{ event: '*', schema: 'public', table, ...more }], serviceRole)

describe('the three kinds of change', () => {
  const about = (type: string) => ({
    schema: 'public',
    table: 'todos',
    type,
    commit_timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    columns: [
      { name: 'id', type: 'int8' },
      { name: 'title', type: 'text' },
      { name: 'details', type: 'text' },
    ],
    errors: null,
  })

  test('of a table that tells its key only', async () => {
    const follower = await follow('todos')
    const before = Date.now()
    await feed.client.query(`insert into public.todos values (7, 'new', null)`)
    await feed.client.query(`update public.todos set title = 'changed'`)
    await feed.client.query(`update public.todos set id = 8`)
    await feed.client.query(`delete from public.todos`)
    await feed.caughtUp()
    expect(follower.data()).toEqual([
      { ...about('INSERT'), record: { id: 7, title: 'new', details: null } },
      // The key did not change, and is told all the same.
      { ...about('UPDATE'), record: { id: 7, title: 'changed', details: null }, old_record: { id: 7 } },
      { ...about('UPDATE'), record: { id: 8, title: 'changed', details: null }, old_record: { id: 7 } },
      { ...about('DELETE'), old_record: { id: 8 } },
    ])
    const time = new Date(String(follower.data()[0]?.commit_timestamp)).getTime()
    expect(Math.abs(time - before)).toBeLessThan(60_000)
  })

  test('of a table that tells all of the old row', async () => {
    const follower = await follow('full_todos')
    await feed.client.query(`insert into public.full_todos values (7, 'new', null)`)
    await feed.client.query(`update public.full_todos set title = 'changed'`)
    await feed.client.query(`delete from public.full_todos`)
    await feed.caughtUp()
    const old = { id: 7, title: 'new', details: null }
    expect(follower.data()).toMatchObject([
      { type: 'INSERT', record: old },
      { type: 'UPDATE', record: { id: 7, title: 'changed', details: null }, old_record: old },
      { type: 'DELETE', old_record: { id: 7, title: 'changed', details: null } },
    ])
  })

  test('of a table that is told by another index than its key', async () => {
    const follower = await follow('by_email')
    await feed.client.query(`insert into public.by_email values (1, 'ann@example.org', 'a')`)
    await feed.client.query(`update public.by_email set title = 'b'`)
    await feed.client.query(`delete from public.by_email`)
    await feed.caughtUp()
    expect(
      follower
        .data()
        .slice(1)
        .map(({ old_record }) => old_record),
    ).toEqual([{ email: 'ann@example.org' }, { email: 'ann@example.org' }])
  })

  test('only those asked for', async () => {
    const [inserts, updates, deletes] = await Promise.all(
      ['insert', 'UPDATE', 'DELETE'].map((event) => follow('todos', { event })),
    )
    await feed.client.query(`insert into public.todos values (1), (2)`)
    await feed.client.query(`update public.todos set title = 'x' where id = 2`)
    await feed.client.query(`delete from public.todos`)
    await feed.caughtUp()
    expect([inserts?.rows(), updates?.rows(), deletes?.rows()]).toEqual([[1, 2], [2], [1, 2]])
  })

  test('TRUNCATE is not told', async () => {
    const follower = await follow('todos')
    await feed.client.query('truncate public.todos')
    await feed.caughtUp()
    expect(follower.payloads).toEqual([])
  })
})

test('values are as JSON has them', async () => {
  const follower = await follow('kinds')
  await feed.client.query(`
    set timezone = 'Asia/Tokyo';
    insert into public.kinds values (
      1, 9007199254740991, 2, 1.50, 'NaN', 1.5, 'Infinity', true, 'ab', 'cd', '2026-01-02T03:04:05.678901Z',
      '2026-01-02 03:04:05', '2026-01-02', '03:04:05', '1 day 02:00:00', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'happy',
      'large', 30, '(1,"a, b")', '{a,NULL,"b \\" c"}', '{{1,2},{3,4}}', '{sad,happy}', '\\xdeadbeef', '{"a": [1, null]}',
      '{"b": {"c": true}}', '[1,5)', '101', '10.0.0.1', null
    );
    reset timezone`)
  await feed.caughtUp()
  expect(follower.data()[0]?.record).toEqual({
    id: 1,
    big: 9007199254740991,
    small: 2,
    amount: 1.5,
    nan: 'NaN',
    real4: 1.5,
    infinite: 'Infinity',
    yes: true,
    fixed: 'ab   ',
    short: 'cd',
    at: '2026-01-02T03:04:05.678901+00:00',
    local: '2026-01-02T03:04:05',
    day: '2026-01-02',
    clock: '03:04:05',
    span: '1 day 02:00:00',
    uid: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    mood: 'happy',
    size: 'large',
    age: 30,
    pair: { x: 1, y: 'a, b' },
    tags: ['a', null, 'b " c'],
    grid: [
      [1, 2],
      [3, 4],
    ],
    moods: ['sad', 'happy'],
    bytes: 'deadbeef',
    plain: { a: [1, null] },
    binary_json: { b: { c: true } },
    range: '[1,5)',
    bits: '101',
    address: '10.0.0.1',
    nothing: null,
  })
  const types = follower.data()[0]?.columns as Array<{ name: string; type: string }>
  expect(Object.fromEntries(types.map(({ name, type }) => [name, type]))).toMatchObject({
    at: 'timestamptz',
    fixed: 'bpchar',
    tags: '_text',
    moods: '_mood',
    mood: 'mood',
    age: 'age',
  })
})

describe('large values', () => {
  // Of random letters, so that it is not compressed into the row.
  const large = `(select string_agg(md5(n::text), '') from generate_series(1, 1000) n)`

  test('one that did not change is missing where the old row is not told', async () => {
    const follower = await follow('todos', { event: 'UPDATE' })
    const filtered = await follow('todos', { event: 'UPDATE', filter: 'details=not.is.null' })
    await feed.client.query(`insert into public.todos values (1, 'a', ${large})`)
    await feed.client.query(`update public.todos set title = 'b'`)
    await feed.caughtUp()
    expect(follower.data()[0]?.record).toEqual({ id: 1, title: 'b' })
    expect(filtered.payloads).toEqual([])
  })

  test('and is there where it is', async () => {
    const follower = await follow('full_todos', { event: 'UPDATE' })
    await feed.client.query(`insert into public.full_todos values (1, 'a', ${large})`)
    await feed.client.query(`update public.full_todos set title = 'b'`)
    await feed.caughtUp()
    expect(follower.data()[0]?.record).toEqual({ id: 1, title: 'b', details: expect.stringMatching(/^\w{32000}$/) })
  })

  test('of a change of more than a mebibyte only short values are told', async () => {
    const follower = await follow('full_todos', { filter: 'id=eq.2' })
    const size = 1_048_576
    await feed.client.query(`insert into public.full_todos values (2, repeat('x', 62), repeat('y', ${size}))`)
    await feed.client.query(`update public.full_todos set title = repeat('x', 63) where id = 2`)
    await feed.client.query(`update public.full_todos set title = null where id = 2`)
    await feed.client.query(`update public.full_todos set details = null where id = 2`)
    await feed.client.query(`update public.full_todos set title = '' where id = 2`)
    await feed.caughtUp()
    const errors = ['Error 413: Payload Too Large']
    const title = 'x'.repeat(62)
    expect(follower.data().map(({ record, old_record, errors }) => ({ record, old_record, errors }))).toEqual([
      { record: { id: 2, title }, old_record: undefined, errors },
      { record: { id: 2 }, old_record: { id: 2, title }, errors },
      { record: { id: 2 }, old_record: { id: 2 }, errors },
      { record: { id: 2 }, old_record: { id: 2 }, errors },
      { record: { id: 2, title: '', details: null }, old_record: { id: 2, title: null, details: null }, errors: null },
    ])
  })
})

describe('select', () => {
  test('tells the columns selected and the key', async () => {
    const follower = await follow('full_todos', { select: ['title'], filter: 'details=eq.hidden' })
    await feed.client.query(`insert into public.full_todos values (10, 'a', 'hidden')`)
    await feed.client.query(`update public.full_todos set title = 'b' where id = 10`)
    await feed.client.query(`delete from public.full_todos where id = 10`)
    await feed.caughtUp()
    const columns = [
      { name: 'id', type: 'int8' },
      { name: 'title', type: 'text' },
    ]
    expect(follower.data().map(({ columns, record, old_record }) => ({ columns, record, old_record }))).toEqual([
      { columns, record: { id: 10, title: 'a' } },
      { columns, record: { id: 10, title: 'b' }, old_record: { id: 10, title: 'a' } },
      { columns, old_record: { id: 10, title: 'b' } },
    ])
  })
})

describe('several entries of a channel', () => {
  const todos = { schema: 'public', table: 'todos' }

  test('have ids of their own, and one message of a change has all that match', async () => {
    const follower = await feed.follow(
      [
        { event: 'INSERT', ...todos },
        { event: '*', ...todos, filter: 'id=eq.20' },
        { event: '*', schema: '*' },
        { event: '*', ...todos, filter: 'id=eq.21' },
        { event: 'DELETE', ...todos },
      ],
      serviceRole,
    )
    const { ids } = follower.subscription
    expect(new Set(ids).size).toBe(5)
    expect(ids.every((id) => Number.isInteger(id) && id > 0)).toBe(true)
    await feed.client.query('insert into public.todos values (20)')
    await feed.caughtUp()
    // Tables are told of side by side: the entry for all of them may hear of another one's change first.
    const todo = follower.payloads.filter(({ data }) => data.table === 'todos')
    expect(todo.map((payload) => payload.ids)).toEqual([ids.slice(0, 3)])
  })

  test('that select other columns have messages of their own', async () => {
    const follower = await feed.follow(
      [
        { event: '*', ...todos },
        { event: '*', ...todos, select: ['title', 'id'] },
        { event: '*', ...todos, select: [] },
        { event: '*', ...todos, select: ['id', 'title'] },
      ],
      serviceRole,
    )
    const [a, b, c, d] = follower.subscription.ids
    await feed.client.query(`insert into public.todos values (22, 'x', 'y')`)
    await feed.caughtUp()
    expect(follower.payloads.map(({ ids, data }) => [ids, data.record])).toEqual([
      [[a, c], { id: 22, title: 'x', details: 'y' }],
      [[b, d], { id: 22, title: 'x' }],
    ])
  })

  test('equal ones of several channels each have their own', async () => {
    const [one, two] = await Promise.all([follow('todos'), follow('todos')])
    await feed.client.query('insert into public.todos values (23)')
    await feed.caughtUp()
    expect([one.rows(), two.rows()]).toEqual([[23], [23]])
    expect(one.payloads[0]?.ids).not.toEqual(two.payloads[0]?.ids)
  })
})

describe('a table without a primary key', () => {
  test('no more is told than that something changed; of a deleted row, all', async () => {
    const follower = await follow('keyless', { filter: 'id=eq.5' })
    await feed.client.query(`insert into public.keyless values (1, 'a')`)
    await feed.client.query(`update public.keyless set id = 5`)
    await feed.client.query(`delete from public.keyless`)
    await feed.caughtUp()
    const told = {
      schema: 'public',
      table: 'keyless',
      commit_timestamp: null,
      columns: [],
      record: {},
      errors: ['Error 400: Bad Request, no primary key'],
    }
    expect(follower.data()).toMatchObject([
      { ...told, type: 'INSERT' },
      { ...told, type: 'UPDATE', old_record: {} },
      { type: 'DELETE', old_record: { id: 5, title: 'a' }, errors: null },
    ])
  })
})

describe('which tables', () => {
  test('of a partitioned one its partitions', async () => {
    await expect(follow('events')).rejects.toThrow('Please check Realtime is enabled')
    const follower = await follow('events_2026')
    await feed.client.query(`insert into public.events values (1, '2025-05-05'), (2, '2026-05-05')`)
    await feed.caughtUp()
    expect(follower.data()).toMatchObject([{ table: 'events_2026', record: { id: 2, at: '2026-05-05' } }])
  })

  test('all of a schema, also one that is published later', async () => {
    const follower = await feed.follow([{ event: '*', schema: 'app' }], serviceRole)
    await feed.client.query('insert into app.things values (1); insert into app.others values (2)')
    await feed.client.query('insert into public.todos values (30)')
    await feed.client.query('create table app.newer (id int primary key)')
    await feed.client.query('alter publication supabase_realtime add table app.newer')
    await feed.client.query('insert into app.newer values (3)')
    await feed.caughtUp()
    expect(follower.rows().sort()).toEqual([1, 2, 3])
  })

  test('one that the subscriber may not select from: that something changed', async () => {
    const follower = await feed.follow([{ event: '*', schema: 'app', table: 'things' }], anon)
    await feed.client.query('insert into app.things values (10)')
    await feed.caughtUp()
    expect(follower.data()).toMatchObject([{ errors: ['Error 401: Unauthorized'] }])
  })

  test('one that is dropped meanwhile troubles nobody', async () => {
    await feed.client.query('create table public.brief (id int primary key)')
    await feed.client.query('alter publication supabase_realtime add table public.brief')
    const follower = await follow('brief')
    await feed.client.query('insert into public.brief values (1); drop table public.brief')
    const todos = await follow('todos')
    await feed.client.query('insert into public.todos values (31)')
    await expect.poll(() => todos.rows()).toEqual([31])
    expect(follower.payloads).toEqual([])
    expect(feed.lines).toEqual([])
  })
})
