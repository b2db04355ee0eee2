import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Claims } from '../../../../src/stack/realtime/claims.ts'
import { anon, type Feed, serviceRole, startFeed, user } from './feed.ts'

let feed: Feed
const ann = user(randomUUID())
const bo = user(randomUUID())

beforeAll(async () => {
  feed = await startFeed(`
    create extension citext with schema extensions;
    create type public.key_kind as enum ('a', 'b');
    create domain public.key_number as int check (value > 0);

    create table public.notes (id int primary key, owner uuid, body text);
    alter table public.notes enable row level security;
    create policy own on public.notes for select to authenticated using (owner = auth.uid());

    create table public.members (room int, person uuid, primary key (room, person));
    create table public.messages (id int primary key, room int, body text);
    alter table public.messages enable row level security;
    create policy members on public.messages for select to authenticated
      using (exists (select from members m where m.room = messages.room and m.person = auth.uid()));
    grant select on public.members to authenticated;

    -- Raises for those whose claims say so.
    create function public.check_claims() returns boolean language plpgsql as $$
    begin
      if auth.jwt() ->> 'raises' is not null then raise exception 'a bad policy'; end if;
      if auth.jwt() ->> 'sleeps' is not null then perform pg_sleep(60); end if;
      return true;
    end $$;
    create table public.fragile (id int primary key, owner uuid);
    alter table public.fragile enable row level security;
    create policy fragile on public.fragile for select to authenticated using (public.check_claims());
    create policy divides on public.fragile for select to anon using (1 / id = 1);

    create table public.people (id int primary key, name text, phone text);
    revoke select on public.people from anon, authenticated;
    grant select (id, name) on public.people to authenticated;
    grant select (name, phone) on public.people to anon;

    create table public.pairs ("left" int, "Right ""id""" text, body text, primary key ("left", "Right ""id"""));
    alter table public.pairs enable row level security;
    create policy all_pairs on public.pairs for select using (true);

    alter publication supabase_realtime
      add table public.notes, public.messages, public.fragile, public.people, public.pairs;
  `)
})

afterAll(() => feed.close())
afterEach(() => feed.reset())

const follow = (table: string, claims: Claims, event = '*') => feed.follow([{ event, schema: 'public', table }], claims)
const sub = (claims: Claims) => String(claims.sub)

describe('row level security', () => {
  test('each subscriber is told of the rows that it may see', async () => {
    const [anns, bos, anyones, all] = await Promise.all([
      follow('notes', ann),
      follow('notes', bo),
      follow('notes', anon),
      follow('notes', serviceRole),
    ])
    await feed.client.query(`insert into public.notes values (1, $1), (2, $2), (3, null)`, [sub(ann), sub(bo)])
    await feed.client.query(`update public.notes set body = 'changed'`)
    await feed.caughtUp()
    expect(anns.rows()).toEqual([1, 1])
    expect(bos.rows()).toEqual([2, 2])
    expect(anyones.rows()).toEqual([])
    expect(all.rows()).toEqual([1, 2, 3, 1, 2, 3])
  })

  test('a deleted row is told to all, its key only', async () => {
    const bos = await follow('notes', bo, 'DELETE')
    await feed.client.query('alter table public.notes replica identity full')
    await feed.client.query('delete from public.notes where id = 1')
    await feed.caughtUp()
    expect(bos.data()).toMatchObject([{ type: 'DELETE', old_record: { id: 1 } }])
    expect(bos.data()[0]?.old_record).toEqual({ id: 1 })
  })

  test('one who is no longer a member is told nothing more', async () => {
    await feed.client.query('insert into public.members values (1, $1), (1, $2)', [sub(ann), sub(bo)])
    const [anns, bos] = await Promise.all([follow('messages', ann), follow('messages', bo)])
    await feed.client.query(`insert into public.messages values (1, 1, 'hi')`)
    await feed.caughtUp()
    await feed.client.query('delete from public.members where person = $1', [sub(bo)])
    await feed.client.query(`insert into public.messages values (2, 1, 'he left')`)
    await feed.caughtUp()
    expect(anns.rows()).toEqual([1, 2])
    expect(bos.rows()).toEqual([1])
  })

  test('a row that is gone or hidden before it is checked is not told', async () => {
    const anns = await follow('notes', ann)
    await feed.client.query('begin')
    await feed.client.query(`insert into public.notes values (20, $1), (21, $1)`, [sub(ann)])
    await feed.client.query('update public.notes set owner = null where id = 20')
    await feed.client.query('commit')
    await feed.caughtUp()
    // Of row 20 the insert would have been visible, but the row is not any more.
    expect(anns.rows()).toEqual([21])
  })

  test('enabled after subscribing, it holds from then on', async () => {
    await feed.client.query(`create table public.late (id int primary key)`)
    await feed.client.query('alter publication supabase_realtime add table public.late')
    const anyones = await follow('late', anon)
    await feed.client.query('insert into public.late values (1)')
    await feed.caughtUp()
    await feed.client.query('alter table public.late enable row level security')
    await feed.client.query('insert into public.late values (2)')
    await feed.caughtUp()
    expect(anyones.rows()).toEqual([1])
  })

  test('a key of several columns, with any name', async () => {
    const anyones = await follow('pairs', anon)
    await feed.client.query(`insert into public.pairs values (1, $1, 'x')`, [`o'clock \\ "now"`])
    await feed.caughtUp()
    expect(anyones.data()).toMatchObject([{ record: { left: 1, 'Right "id"': `o'clock \\ "now"`, body: 'x' } }])
  })
})

describe('the row that is asked for is found by its key', () => {
  test.each([
    ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    ['text', `it's \\ "it"`],
    ['varchar(10)', 'a'],
    ['char(5)', 'a'],
    ['numeric', '1.50'],
    ['timestamptz', '2026-01-02 03:04:05.678901+09'],
    ['interval', '1 day'],
    ['date', '2026-01-02'],
    ['bytea', '\\xdead'],
    ['boolean', 'true'],
    ['int[]', '{1,2}'],
    ['public.key_kind', 'b'],
    ['public.key_number', '5'],
    ['extensions.citext', 'Abc'],
  ])('%s', async (type, value) => {
    await feed.client.query(`
      create table public.keyed (id ${type} primary key, body text);
      alter table public.keyed enable row level security;
      create policy everyone on public.keyed for select using (true);
      alter publication supabase_realtime add table public.keyed`)
    const anyones = await follow('keyed', anon)
    // Twice the same row: both changes are told.
    await feed.client.query('begin')
    await feed.client.query(`insert into public.keyed values ($1::text::${type})`, [value])
    await feed.client.query(`update public.keyed set body = 'x'`)
    await feed.client.query('commit')
    await feed.caughtUp()
    await feed.client.query('drop table public.keyed')
    expect(anyones.data()).toMatchObject([{ type: 'INSERT' }, { type: 'UPDATE' }])
    expect(feed.lines).toEqual([])
  })
})

describe('a policy that fails', () => {
  test('raising for one subscriber, it stops no other, and is logged', async () => {
    const [broken, anns] = await Promise.all([follow('fragile', { ...bo, raises: true }), follow('fragile', ann)])
    await feed.client.query('insert into public.fragile values (1)')
    await feed.caughtUp()
    expect(broken.rows()).toEqual([])
    expect(anns.rows()).toEqual([1])
    expect(feed.lines).toEqual(['A policy of public.fragile failed for role authenticated: a bad policy'])
  })

  test('raising for one row, it hides no other', async () => {
    const anyones = await follow('fragile', anon, 'UPDATE')
    await feed.client.query('insert into public.fragile values (0)')
    await feed.client.query('update public.fragile set owner = $1', [sub(ann)])
    await feed.caughtUp()
    expect(anyones.rows()).toEqual([1])
    expect(feed.lines).toEqual(['A policy of public.fragile failed for role anon: division by zero'])
  })

  test('one without an end is cut short, and stops no other', async () => {
    const [stuck, anns] = await Promise.all([follow('fragile', { ...bo, sleeps: true }), follow('fragile', ann)])
    await feed.client.query('insert into public.fragile values (30), (31)')
    await feed.caughtUp()
    expect(stuck.rows()).toEqual([])
    expect(anns.rows()).toEqual([30, 31])
    // The rows may come a moment apart, and are then asked about one after the other.
    expect(new Set(feed.lines)).toEqual(
      new Set([
        'A policy of public.fragile failed for role authenticated: canceling statement due to statement timeout',
      ]),
    )
  })
})

describe('column privileges', () => {
  test('columns that may not be selected are not told', async () => {
    const anns = await follow('people', ann)
    await feed.client.query(`insert into public.people values (1, 'Cy', '555')`)
    await feed.client.query(`alter table public.people replica identity full`)
    await feed.client.query(`update public.people set phone = '556'`)
    await feed.client.query(`delete from public.people`)
    await feed.caughtUp()
    const columns = [
      { name: 'id', type: 'int4' },
      { name: 'name', type: 'text' },
    ]
    const record = { id: 1, name: 'Cy' }
    expect(anns.data()).toMatchObject([
      { type: 'INSERT', columns, record },
      { type: 'UPDATE', columns, record, old_record: record },
      { type: 'DELETE', columns, old_record: record },
    ])
    for (const data of anns.data()) expect(JSON.stringify(data)).not.toContain('phone')
  })

  test('without the key, no more is told than that something changed', async () => {
    const anyones = await feed.follow(
      [{ event: '*', schema: 'public', table: 'people', filter: 'name=eq.nobody' }],
      anon,
    )
    await feed.client.query(`insert into public.people values (2, 'Di', '557')`)
    await feed.client.query(`update public.people set phone = '558'`)
    await feed.caughtUp()
    const told = {
      schema: 'public',
      table: 'people',
      commit_timestamp: null,
      columns: [],
      record: {},
      errors: ['Error 401: Unauthorized'],
    }
    expect(anyones.data()).toEqual([
      { ...told, type: 'INSERT' },
      { ...told, type: 'UPDATE', old_record: {} },
    ])
  })

  test('taken away after subscribing, it is not told from then on', async () => {
    const anns = await follow('people', ann, 'INSERT')
    await feed.client.query('revoke select (name) on public.people from authenticated')
    await feed.client.query(`insert into public.people values (3, 'Ed', '559')`)
    await feed.caughtUp()
    await feed.client.query('grant select (name) on public.people to authenticated')
    expect(anns.data()).toMatchObject([{ columns: [{ name: 'id' }] }])
    expect(anns.data()[0]?.record).toEqual({ id: 3 })
  })
})

describe('claims', () => {
  test('new ones replace the old', async () => {
    const follower = await follow('notes', ann, 'INSERT')
    await follower.subscription.setClaims(bo)
    await feed.client.query(`insert into public.notes values (40, $1), (41, $2)`, [sub(ann), sub(bo)])
    await feed.caughtUp()
    expect(follower.rows()).toEqual([41])
  })

  test('the last ones win, even over those that are still being checked', async () => {
    const follower = feed.subscribe([{ event: 'INSERT', schema: 'public', table: 'notes' }], anon)
    const { ready, setClaims } = follower.subscription
    const both = [follower.subscription.setClaims(bo), setClaims.call(follower.subscription, ann)]
    await Promise.all([ready, ...both])
    await feed.client.query(`insert into public.notes values (42, $1), (43, $2)`, [sub(ann), sub(bo)])
    await feed.caughtUp()
    expect(follower.rows()).toEqual([42])
  })

  test('those that may not select what is filtered end the entries; better ones start them again', async () => {
    const entry = { event: '*', schema: 'public', table: 'people', filter: 'phone=eq.1' }
    const follower = feed.subscribe([entry], ann)
    await expect(follower.subscription.ready).rejects.toThrow('invalid column for filter phone')
    await follower.subscription.setClaims(serviceRole)
    await feed.client.query(`insert into public.people values (50, 'Flo', '1')`)
    await feed.caughtUp()
    expect(follower.rows()).toEqual([50])
    await expect(follower.subscription.setClaims(ann)).rejects.toThrow('invalid column for filter phone')
    await feed.client.query(`insert into public.people values (51, 'Gus', '1')`)
    await feed.caughtUp()
    expect(follower.rows()).toEqual([50])
  })
})

test('closed, it is told nothing more, not even of what is being checked', async () => {
  const [follower, other] = await Promise.all([follow('notes', ann), follow('notes', ann)])
  await feed.client.query(`insert into public.notes values (60, $1)`, [sub(ann)])
  follower.subscription.close()
  await feed.caughtUp()
  expect(other.rows()).toEqual([60])
  expect(follower.rows()).toEqual([])
})
