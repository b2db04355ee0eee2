import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Feed, type Follower, serviceRole, startFeed } from './feed.ts'

let feed: Feed

beforeAll(async () => {
  feed = await startFeed(`
    create extension citext with schema extensions;
    create type public.mood as enum ('sad', 'happy');
    create schema hidden;
    create type hidden.size as enum ('small', 'large');
    create table public.items (
      id bigint primary key, n int, amount numeric, value text, details text, nullable_value text, done boolean,
      at timestamptz, owner uuid, mood public.mood, size hidden.size, tags text[], email extensions.citext, big bigint
    );
    alter table public.items replica identity full;
    create table public.plain (id int primary key, value text);
    alter publication supabase_realtime add table public.items, public.plain;
  `)
})

afterAll(() => feed.close())

const items = (filter: string, event = '*') => [{ event, schema: 'public', table: 'items', filter }]

const filters: Array<[string, number[]]> = [
  ['', [1, 2, 3, 4]],
  ['n=eq.5', [1]],
  ['n=not.eq.5', [2, 4]],
  ['n=neq.5', [2, 4]],
  ['n=not.neq.5', [1]],
  // Numbers in their order, not in that of their digits.
  ['n=lt.10', [1, 4]],
  ['n=lte.10', [1, 2, 4]],
  ['n=gt.5', [2]],
  ['n=gte.5', [1, 2]],
  ['n=not.gte.5', [4]],
  ['n=in.(5,-1,77)', [1, 4]],
  ['n=not.in.(5,-1,77)', [2]],
  ['n=in.()', []],
  ['n=is.null', [3]],
  ['n=not.is.null', [1, 2, 4]],
  ['n=isdistinct.5', [2, 3, 4]],
  ['n=not.isdistinct.5', [1]],
  ['amount=eq.1.50', [1]],
  ['amount=gt.1000', [2]],
  ['amount=eq.NaN', [3]],
  ['big=eq.9007199254740993', [1]],
  ['value=eq.abc', [1]],
  ['value=like.ab%', [1, 2]],
  ['value=like.ab_', [1, 2]],
  ['value=like.ab*', []],
  ['value=ilike.AB%', [1, 2, 3]],
  ['value=not.ilike.AB%', [4]],
  ['value=match.^ab[cd]$', [1, 2]],
  ['value=not.match.^ab[cd]$', [3, 4]],
  ['value=imatch.^abc$', [1, 3]],
  ['value=in.(abc,"b,c")', [1, 4]],
  ['value=eq."b,c"', [4]],
  ['details=eq.null', [4]],
  ['details=isdistinct.null', [1, 2, 3]],
  ['done=is.true', [1]],
  ['done=not.is.true', [2, 3, 4]],
  ['done=is.unknown', [3, 4]],
  ['done=is.false', [2]],
  ['done=eq.false', [2]],
  // An instant, however it is written.
  ['at=eq.2026-01-02T05:04:05+02:00', [1]],
  ['at=lt.2026-06-01', [1]],
  ['owner=eq.A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', [1]],
  // In the order of the enum.
  ['mood=gt.sad', [2]],
  ['size=eq.large', [2]],
  ['tags=eq."{a,b}"', [1]],
  ['email=eq.ann@EXAMPLE.org', [1]],
  ['id=gt.1,id=lt.4', [2, 3]],
  ['value=like.ab%,details=not.like.skip%,nullable_value=is.null', [1]],
  ['value=in.(abc,abd),details=like.skip%', [2]],
  ['value=neq.abc,value=not.like.AB%', [2, 4]],
  ['nullable_value=not.is.null,value=ilike.AB%', [2]],
  ['n=gte.5,n=lte.10,value=like.ab%,details=eq.keep', [1]],
]

describe('a row that is inserted is told to those whose filter it meets', () => {
  const followers = new Map<string, Follower>()

  beforeAll(async () => {
    for (const [filter] of filters) followers.set(filter, await feed.follow(items(filter), serviceRole))
    await feed.client.query(`
      insert into public.items
        (id, n, amount, value, details, nullable_value, done, at, owner, mood, size, tags, email, big)
      values
        (1, 5, 1.5, 'abc', 'keep', null, true, '2026-01-02T03:04:05Z', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'sad',
          'small', '{a,b}', 'Ann@example.org', 9007199254740993),
        (2, 10, 999999, 'abd', 'skip it', 'x', false, '2026-07-01', null, 'happy', 'large', '{}', 'bo@example.org',
          9007199254740992),
        (3, null, 'NaN', 'ABC', null, null, null, null, null, null, null, null, null, null),
        (4, -1, null, 'b,c', 'null', 'y', null, null, null, null, null, null, null, null)
    `)
    await feed.caughtUp()
    for (const follower of followers.values()) follower.subscription.close()
  })

  // Postgres has NaN equal to itself and above all other numbers.
  test.each(filters.map(([filter, ids]) => [filter, filter === 'amount=gt.1000' ? [2, 3] : ids] as const))(
    '%s',
    (filter, ids) => {
      expect(followers.get(filter)?.rows()).toEqual(ids)
    },
  )
})

describe('which row is tested', () => {
  test('of an update the new one', async () => {
    await feed.client.query(`insert into public.items (id, value) values (10, 'old')`)
    await feed.caughtUp()
    const [old, changed] = await Promise.all([
      feed.follow(items('value=eq.old'), serviceRole),
      feed.follow(items('value=eq.new'), serviceRole),
    ])
    await feed.client.query(`update public.items set value = 'new' where id = 10`)
    await feed.caughtUp()
    expect(old.rows()).toEqual([])
    expect(changed.rows()).toEqual([10])
  })

  test('of a delete the old one; what is not in it meets nothing', async () => {
    const plain = (filter: string) =>
      feed.follow([{ event: 'DELETE', schema: 'public', table: 'plain', filter }], serviceRole)
    const [full, key, absent, negated, isNull] = await Promise.all([
      feed.follow(items('value=eq.new', 'DELETE'), serviceRole),
      plain('id=eq.1'),
      plain('value=eq.a'),
      plain('value=not.eq.b'),
      plain('value=is.null'),
    ])
    await feed.client.query(`delete from public.items where id = 10`)
    await feed.client.query(`insert into public.plain values (1, 'a'), (2, 'a')`)
    await feed.client.query(`delete from public.plain`)
    await feed.caughtUp()
    expect(full.rows()).toEqual([10])
    expect(key.rows()).toEqual([1])
    expect([...absent.rows(), ...negated.rows(), ...isNull.rows()]).toEqual([])
  })
})

test('a filter that fits its column no longer fails alone, and is logged', async () => {
  await feed.client.query('create table public.shifting (id int primary key, value text)')
  await feed.client.query('alter publication supabase_realtime add table public.shifting')
  const shifting = (filter: string) =>
    feed.follow([{ event: '*', schema: 'public', table: 'shifting', filter }], serviceRole)
  const [words, numbers] = await Promise.all([shifting('value=eq.word'), shifting('value=eq.7')])
  await feed.client.query('alter table public.shifting alter value type int using 0')
  await feed.client.query('insert into public.shifting values (1, 7)')
  await feed.caughtUp()
  expect(numbers.rows()).toEqual([1])
  expect(words.rows()).toEqual([])
  expect(feed.lines).toEqual([expect.stringMatching(/^A filter on public\.shifting failed: .*"word"/)])
})

test('a row that fits its table no longer is not told, and is logged; the ones after it are', async () => {
  await feed.client.query('create table public.moving (id int primary key, value text)')
  await feed.client.query('alter publication supabase_realtime add table public.moving')
  const follower = await feed.follow([{ event: '*', schema: 'public', table: 'moving' }], serviceRole)
  await feed.client.query('begin')
  await feed.client.query(`insert into public.moving values (1, 'word')`)
  await feed.client.query('alter table public.moving alter value type int using 0')
  await feed.client.query('insert into public.moving values (2, 7)')
  await feed.client.query('commit')
  await expect.poll(() => follower.rows()).toEqual([2])
  expect(feed.lines).toContain(
    'A change of public.moving could not be told: invalid input syntax for type integer: "word"',
  )
})
