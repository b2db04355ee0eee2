import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keys, type Served, serve } from './serve.ts'

let rest: Served
beforeAll(async () => {
  rest = await serve()
})
afterAll(() => rest.close())

describe('embeds', () => {
  test('follow foreign keys, with hints, aliases and depth', async () => {
    const { data } = await rest.service
      .from('members')
      .select(
        'person:people!members_person_id_fkey(name), inviter:people!invited_by(name), rooms(title, owner:people!owner_id(name))',
      )
      .order('person_id')
    const room = { title: 'lobby', owner: { name: 'ana' } }
    expect(data).toEqual([
      { person: { name: 'ana' }, inviter: null, rooms: room },
      { person: { name: 'ben' }, inviter: { name: 'ana' }, rooms: room },
    ])
  })

  test('filter, order and limit for themselves', async () => {
    const { data } = await rest.service
      .from('rooms')
      .select('title, members(person_id)')
      .order('person_id', { referencedTable: 'members', ascending: false })
      .limit(1, { referencedTable: 'members' })
      .order('id')
    expect(data).toEqual([
      { title: 'lobby', members: [{ person_id: '00000000-0000-4000-8000-00000000000b' }] },
      { title: 'bar', members: [] },
    ])
    const inner = await rest.service
      .from('rooms')
      .select('title, people!owner_id!inner(name)', { count: 'exact' })
      .eq('people.name', 'ben')
    expect(inner).toMatchObject({ count: 1, data: [{ title: 'bar', people: { name: 'ben' } }] })
  })

  test('count and spread', async () => {
    const { data } = await rest.service
      .from('rooms')
      .select('members(count), ...people!owner_id(owner:name)')
      .order('id')
    expect(data).toEqual([
      { members: [{ count: 2 }], owner: 'ana' },
      { members: [{ count: 0 }], owner: 'ben' },
    ])
  })

  test('ask which one is meant when two would do', async () => {
    const { status, error } = await rest.service.from('members').select('people(name)')
    expect({ status, code: error?.code }).toEqual({ status: 300, code: 'PGRST201' })
  })

  test('reach nothing outside of public', async () => {
    await rest.sql('create table public.accounts (id uuid references auth.users (id))')
    await expect
      .poll(async () => (await rest.service.from('accounts').select('users(id)')).error?.code)
      .toBe('PGRST200')
  })
})

const rooms = () => rest.service.from('rooms').select('title')
type Rooms = ReturnType<typeof rooms>

test.each<[string, (rooms: Rooms) => Rooms, string[]]>([
  ['eq', (rooms) => rooms.eq('title', 'bar'), ['bar']],
  ['in, with commas', (rooms) => rooms.in('title', ['lobby', 'x,y', 'a"b']), ['lobby']],
  ['or with and', (rooms) => rooms.or('title.eq.lobby,and(id.gt.1,title.like.b*)'), ['lobby', 'bar']],
  ['not', (rooms) => rooms.not('price', 'is', null), ['lobby']],
  ['is null', (rooms) => rooms.is('price', null), ['bar']],
  ['like', (rooms) => rooms.like('title', 'lo%'), ['lobby']],
  ['ilike', (rooms) => rooms.ilike('title', 'LO%'), ['lobby']],
  ['contains an element', (rooms) => rooms.contains('tags', ['a']), ['lobby']],
  ['contains JSON', (rooms) => rooms.contains('settings', { sound: { on: true } }), ['lobby']],
  ['contained by', (rooms) => rooms.containedBy('numbers', [1, 2]), []],
  ['overlaps a range', (rooms) => rooms.overlaps('open_during', '[2024-01-31,2024-03-01)'), ['lobby']],
  ['a JSON path', (rooms) => rooms.eq('settings->sound->>on', 'true'), ['lobby']],
  ['a time', (rooms) => rooms.gte('opened_on', '2024-05-06'), ['lobby']],
  ['full text', (rooms) => rooms.textSearch('title', 'lobby'), ['lobby']],
  ['a cursor', (rooms) => rooms.lt('id', 2), ['lobby']],
])('the filter %s finds what Postgres finds', async (_, filter, titles) => {
  const { data } = await filter(rooms()).order('id')
  expect(data?.map(({ title }) => title)).toEqual(titles)
})

test('nulls are ordered where they are asked to be', async () => {
  const first = await rest.service.from('rooms').select('title').order('price', { nullsFirst: true })
  expect(first.data).toEqual([{ title: 'bar' }, { title: 'lobby' }])
})

test('a range says of how many', async () => {
  const rooms = () => rest.service.from('rooms')
  const second = await rooms().select('title', { count: 'exact' }).order('id').range(1, 1)
  expect(second).toMatchObject({ status: 206, count: 2, data: [{ title: 'bar' }] })
  expect(await rooms().select('*', { count: 'exact', head: true })).toMatchObject({ count: 2, data: null })
  expect((await rooms().select('*', { count: 'planned', head: true })).count).toEqual(expect.any(Number))
  const beyond = await rooms().select('title', { count: 'exact' }).range(10, 20)
  expect(beyond).toMatchObject({ status: 416, error: { code: 'PGRST103' } })
})

test('one row, one row or none, and too many', async () => {
  const rooms = () => rest.service.from('rooms').select('title')
  expect((await rooms().eq('id', 1).single()).data).toEqual({ title: 'lobby' })
  expect(await rooms().eq('id', 99).single()).toMatchObject({ status: 406, error: { code: 'PGRST116' } })
  expect(await rooms().single()).toMatchObject({ status: 406, error: { code: 'PGRST116' } })
  expect(await rooms().eq('id', 99).maybeSingle()).toMatchObject({ data: null, error: null })
})

test('a table can be had as CSV', async () => {
  const { data } = await rest.service.from('rooms').select('id, title, opened_on').order('id').csv()
  expect(data).toBe('id,title,opened_on\n1,lobby,2024-05-06\n2,bar,')
})

test.each([
  ['/nope?select=*', 404, 'PGRST205'],
  ['/rooms?select=nope', 400, '42703'],
  ['/rooms?nope=eq.1', 400, '42703'],
  ['/rooms?id=eq.abc', 400, '22P02'],
  ['/rooms?id=nope.1', 400, 'PGRST100'],
  ['/rooms?select=id&order=', 400, 'PGRST100'],
])('%s is refused with %i %s', async (path, status, code) => {
  const response = await rest.request(path, { headers: { apikey: keys.secret } })
  expect({ status: response.status, code: (await response.json()).code }).toEqual({ status, code })
})

test('the message about a missing column names its table', async () => {
  const { error } = await rest.service.from('rooms').select('nope')
  expect(error?.message).toBe('column rooms.nope does not exist')
})

test('schemas other than public are not served', async () => {
  const { status, error } = await rest.service.schema('auth').from('users').select()
  expect({ status, code: error?.code }).toEqual({ status: 406, code: 'PGRST106' })
})
