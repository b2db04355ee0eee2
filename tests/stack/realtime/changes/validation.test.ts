import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ChangeEntry } from '../../../../src/stack/realtime/changes/changes.ts'
import type { Claims } from '../../../../src/stack/realtime/claims.ts'
import { anon, type Feed, serviceRole, startFeed, user } from './feed.ts'

let feed: Feed

beforeAll(async () => {
  feed = await startFeed(`
    create type public.mood as enum ('sad', 'happy');
    create table public.todos (
      id bigint primary key, n int, subject text, name varchar(20), done boolean, at timestamptz, owner uuid,
      mood public.mood, tags text[], facts json, secret text, raw bytea
    );
    create table public.unpublished (id int primary key);
    create table public.other (id int primary key);
    alter publication supabase_realtime add table public.todos, public.other;
    revoke select on public.todos from authenticated;
    grant select (id, n, subject) on public.todos to authenticated;
  `)
})

afterAll(() => feed.close())
afterEach(() => feed.reset())

const refusal = (entry: Partial<ChangeEntry>, claims: Claims = serviceRole): Promise<string> =>
  feed.subscribe([{ event: '*', schema: 'public', ...entry }], claims).subscription.ready.then(
    () => 'nothing: it was accepted',
    (error: Error) => error.message,
  )

/** The part of a refusal after what was asked for. */
const exception = async (filter: string, claims?: Claims) => {
  const [, text] = (await refusal({ table: 'todos', filter }, claims)).split('. Exception: ')
  return text
}

describe('a table that is not published', () => {
  const asked = (event: string, table: string) =>
    `Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given connect parameters: [event: ${event}, schema: public, table: ${table}, filters: [], select: nil]`

  test('it, an unknown one, and a schema without any are refused', async () => {
    expect(await refusal({ event: 'insert', table: 'unpublished' })).toBe(asked('INSERT', 'unpublished'))
    expect(await refusal({ table: 'nowhere' })).toBe(asked('*', 'nowhere'))
    expect(await refusal({ schema: 'auth' })).toBe(asked('*', '*').replace('public', 'auth'))
  })

  test('published a moment ago, it is accepted', async () => {
    await feed.client.query('create table public.fresh (id int primary key)')
    expect(await refusal({ table: 'fresh' })).toBe(asked('*', 'fresh'))
    await feed.client.query('alter publication supabase_realtime add table public.fresh')
    await feed.follow([{ event: '*', schema: 'public', table: 'fresh' }], anon)
  })
})

test('the whole text of a refused filter', async () => {
  expect(await refusal({ table: 'todos', filter: 'nothing=eq.hey' })).toBe(
    'Unable to subscribe to changes with given parameters. An exception happened so please check your connect parameters: [event: *, schema: public, table: todos, filters: [{"nothing", "eq", "hey", false}], select: nil]. Exception: ERROR P0001 (raise_exception) invalid column for filter nothing',
  )
})

test('an entry that cannot be understood is refused, and its ids are known all the same', async () => {
  const { subscription } = feed.subscribe([{ event: '*', schema: 'public', table: 'todos', filter: 'wrong' }], anon)
  expect(subscription.ids).toEqual([expect.any(Number)])
  await expect(subscription.ready).rejects.toThrow(new Error('Error parsing `filter` params: ["wrong"]'))
})

describe('columns', () => {
  test('one that the role may not select is as one that is missing', async () => {
    expect(await exception('secret=eq.x', user('ann'))).toBe(
      'ERROR P0001 (raise_exception) invalid column for filter secret',
    )
    await feed.follow([{ event: '*', schema: 'public', table: 'todos', filter: 'secret=eq.x' }], anon)
  })

  test('the same goes for those selected', async () => {
    const select = (columns: string[], claims: Claims) => refusal({ table: 'todos', select: columns }, claims)
    expect(await select(['id', 'nothing'], anon)).toMatch(
      /P0001 \(raise_exception\) invalid column for select nothing$/,
    )
    expect(await select(['id', 'secret'], user('ann'))).toMatch(/invalid column for select secret$/)
    expect(await select(['id', 'secret'], anon)).toBe('nothing: it was accepted')
  })

  test('those of the system are no columns', async () => {
    expect(await exception('xmin=eq.1')).toBe('ERROR P0001 (raise_exception) invalid column for filter xmin')
  })

  test('with a filter, every table that is asked for must have them', async () => {
    expect(await refusal({ table: '*', filter: 'subject=eq.a' })).toMatch(/invalid column for filter subject$/)
    expect(await refusal({ table: '*', filter: 'id=eq.1' })).toBe('nothing: it was accepted')
  })
})

describe('values and operators', () => {
  const raised = (text: string) => `ERROR P0001 (raise_exception) ${text}`
  const list = (length: number) => Array.from({ length }, (_, index) => index).join()

  test.each([
    ['n=eq.hey', 'ERROR 22P02 (invalid_text_representation) invalid input syntax for type integer: "hey"'],
    ['n=isdistinct.null', 'ERROR 22P02 (invalid_text_representation) invalid input syntax for type integer: "null"'],
    [
      'n=gt.99999999999',
      'ERROR 22003 (numeric_value_out_of_range) value "99999999999" is out of range for type integer',
    ],
    [
      'at=lt.whenever',
      'ERROR 22007 (invalid_datetime_format) invalid input syntax for type timestamp with time zone: "whenever"',
    ],
    ['owner=eq.me', 'ERROR 22P02 (invalid_text_representation) invalid input syntax for type uuid: "me"'],
    ['mood=eq.angry', 'ERROR 22P02 (invalid_text_representation) invalid input value for enum mood: "angry"'],
    ['n=in.(1,b)', 'ERROR 22P02 (invalid_text_representation) invalid input syntax for type integer: "b"'],
    ['n=in.(1,"2)', 'ERROR 22P02 (invalid_text_representation) malformed array literal: "{1,"2}"'],
    [`n=in.(${list(101)})`, raised('too many values for `in` filter. Maximum 100')],
    ['n=is.nothing', raised('invalid value for is filter: must be null, true, false, or unknown')],
    ['n=is.null or true', raised('invalid value for is filter: must be null, true, false, or unknown')],
    ['n=is.NULL', raised('invalid value for is filter: must be null, true, false, or unknown')],
    ['subject=is.true', raised('is true filter requires a boolean column, got text')],
    ['n=like.1%', raised('operator like requires a text-compatible column type, got integer')],
    ['n=ilike.1%', raised('operator ilike requires a text-compatible column type, got integer')],
    ['name=like.a%', raised('operator like requires a text-compatible column type, got character varying')],
    ['n=match.1', raised('operator match requires a text-compatible column type, got integer')],
    ['raw=imatch.1', raised('operator imatch requires a text-compatible column type, got bytea')],
    ['subject=like.a\\', raised('LIKE pattern must not end with escape character')],
    [
      'subject=match.(',
      raised('invalid regular expression for match filter: invalid regular expression: parentheses () not balanced'),
    ],
    [
      'subject=not.imatch.[',
      raised('invalid regular expression for imatch filter: invalid regular expression: brackets [] not balanced'),
    ],
    ['facts=eq.{}', 'ERROR 42883 (undefined_function) operator does not exist: json = json'],
    ['tags=in.({a})', 'ERROR 42883 (undefined_function) operator does not exist: text[] = text'],
    ['subject=eq.a\0b', expect.stringMatching(/^ERROR 22021 \(character_not_in_repertoire\) /)],
  ])('%s', async (filter, text) => {
    expect(await exception(filter)).toEqual(text)
  })

  test.each([
    `n=in.(${list(100)})`,
    'n=in.()',
    'done=not.is.unknown',
    'n=is.null',
    'facts=is.null',
    'subject=like.a\\\\',
    'subject=not.imatch.^a.*$',
    'tags=eq."{a,b}"',
    'mood=gt.sad',
    'raw=eq.\\x00ff',
  ])('%s is fine', async (filter) => {
    expect(await refusal({ table: 'todos', filter })).toBe('nothing: it was accepted')
  })
})

test('a role that is unknown, or that the server may not take, is refused', async () => {
  expect(await refusal({ table: 'todos' }, { role: 'nobody', exp: 1 })).toMatch(
    /Exception: ERROR 22023 \(invalid_parameter_value\) role "nobody" does not exist$/,
  )
  expect(await refusal({ table: 'todos' }, { role: 'supabase_admin', exp: 1 })).toMatch(
    /Exception: ERROR 42501 \(insufficient_privilege\) permission denied to set role "supabase_admin"$/,
  )
})

test('one refused entry keeps the others from becoming active', async () => {
  const entry = { event: '*', schema: 'public', table: 'other' }
  const follower = feed.subscribe([entry, { ...entry, filter: 'id=eq.a' }], serviceRole)
  await expect(follower.subscription.ready).rejects.toThrow('invalid input syntax for type integer: "a"')
  await feed.client.query('insert into public.other values (1)')
  await feed.caughtUp()
  expect(follower.payloads).toEqual([])
})
