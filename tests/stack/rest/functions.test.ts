import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Served, serve } from './serve.ts'

let rest: Served
beforeAll(async () => {
  rest = await serve()
})
afterAll(() => rest.close())

const call = (name: string, args?: object, options?: { get?: boolean }) => rest.service.rpc(name, args, options)

test('arguments go by name, and have their defaults', async () => {
  expect((await call('add', { p_b: 2, p_a: 1 })).data).toBe(3)
  expect((await call('add', { p_a: 1 })).data).toBe(11)
  expect((await call('add', { p_a: 1 }, { get: true })).data).toBe(11)
})

test('arguments arrive with their types, in the body and in the query', async () => {
  const given = {
    p_ids: ['00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-00000000000b'],
    p_tags: ['one', 'two'],
    p_at: '2024-05-06T09:08:09+02:00',
    p_big: 9_007_199_254_740_991,
  }
  const seen = {
    ids: given.p_ids,
    tags: given.p_tags,
    at: '2024-05-06T07:08:09+00:00',
    big: given.p_big,
    flags: null,
    mood: null,
  }
  expect((await call('show_arguments', given)).data).toEqual(seen)
  expect((await call('show_arguments', given, { get: true })).data).toEqual(seen)
  const more = { ...given, p_tags: ['a', null, '', 'comma, quote " and brace }'], p_flags: [true, null], p_mood: 'sad' }
  expect((await call('show_arguments', more)).data).toEqual({
    ...seen,
    tags: more.p_tags,
    flags: more.p_flags,
    mood: 'sad',
  })
})

test('null and empty lists are not the same', async () => {
  const nothing = { p_ids: null, p_tags: null, p_at: null, p_big: null }
  expect((await call('show_arguments', nothing)).data).toMatchObject({ ids: null, tags: null, at: null, big: null })
  expect((await call('show_arguments', { ...nothing, p_ids: [], p_tags: [] })).data).toMatchObject({
    ids: [],
    tags: [],
  })
})

test('the function is the one with these arguments', async () => {
  expect((await call('overloaded', { p_a: 1 })).data).toBe('a number')
  expect((await call('overloaded', { p_a: 1, p_b: 'x' })).data).toBe('a number and a text')
})

test.each<[string, number, unknown]>([
  ['nothing', 204, null],
  ['none', 200, null],
  ['moment', 200, '2024-05-06T07:08:09+00:00'],
  ['letters', 200, ['a', 'b']],
  ['pair', 200, { number: 1, letter: 'x' }],
  [
    'pairs',
    200,
    [
      { number: 1, letter: 'x' },
      { number: 2, letter: null },
    ],
  ],
])('%s() answers %i %j', async (name, status, data) => {
  expect(await call(name)).toMatchObject({ status, data, error: null })
})

test('a set of rows is filtered, ordered, embedded, counted and cut like a table', async () => {
  const rooms = rest.service.rpc('rooms_from', { p_id: 1 }, { count: 'exact' })
  const { data, count } = await rooms
    .select('title, people!owner_id(name)')
    .neq('title', 'x')
    .order('id', { ascending: false })
    .limit(1)
  expect({ data, count }).toEqual({ data: [{ title: 'bar', people: { name: 'ben' } }], count: 2 })
})

test.each<[string, object, number, string]>([
  ['nope', { p_a: 1 }, 404, 'PGRST202'],
  ['add', { p_x: 1 }, 404, 'PGRST202'],
  ['add', {}, 404, 'PGRST202'],
  ['add', { p_a: 'one' }, 400, '22P02'],
  ['show_arguments', { p_ids: ['one'], p_tags: [], p_at: null, p_big: 1 }, 400, '22P02'],
])('%s(%j) is refused with %i %s', async (name, args, status, code) => {
  const refused = await call(name, args)
  expect({ status: refused.status, code: refused.error?.code }).toEqual({ status, code })
})
