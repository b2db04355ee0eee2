import { afterAll, beforeAll, expect, test } from 'vitest'
import { ana, keys, type Served, serve } from './serve.ts'

let rest: Served
beforeAll(async () => {
  rest = await serve()
})
afterAll(() => rest.close())

const notes = () => rest.service.from('notes')

test('an insert answers nothing, what was asked for, or how many', async () => {
  expect(await notes().insert({ id: 1, body: 'a' })).toMatchObject({ status: 201, data: null })
  const asked = await notes().insert({ id: 2, body: 'b' }).select('body').single()
  expect(asked).toMatchObject({ status: 201, data: { body: 'b' } })
  expect((await notes().insert([{ id: 3 }, { id: 4 }], { count: 'exact' })).count).toBe(2)
  expect((await notes().insert([]).select()).data).toEqual([])
})

test('an update changes what its filter finds', async () => {
  await notes().insert([{ id: 10 }, { id: 11 }])
  expect(await notes().update({ body: 'x' }, { count: 'exact' }).in('id', [10, 11])).toMatchObject({
    status: 204,
    count: 2,
  })
  expect((await notes().update({ body: 'y' }).eq('id', 10).select('id, body')).data).toEqual([{ id: 10, body: 'y' }])
  expect(await notes().update({ body: 'z' }).eq('id', 999).select()).toMatchObject({ status: 200, data: [] })
})

test('a delete removes what its filter finds', async () => {
  await notes().insert([{ id: 20 }, { id: 21 }])
  expect(await notes().delete({ count: 'exact' }).eq('id', 20)).toMatchObject({ status: 204, count: 1 })
  expect((await notes().delete().eq('id', 21).select('id')).data).toEqual([{ id: 21 }])
})

test('an upsert merges, or leaves what is there', async () => {
  const inserted = await notes()
    .upsert([{ id: 30, body: 'first' }])
    .select('body')
  expect(inserted).toMatchObject({ status: 201, data: [{ body: 'first' }] })
  const merged = await notes().upsert({ id: 30, body: 'second' }).select('body')
  expect(merged).toMatchObject({ status: 200, data: [{ body: 'second' }] })
  const ignored = await notes().upsert({ id: 30, body: 'third' }, { ignoreDuplicates: true }).select('body')
  expect(ignored.data).toEqual([])
  expect((await notes().select('body').eq('id', 30).single()).data).toEqual({ body: 'second' })
})

test('an upsert takes the unique columns it is told', async () => {
  const byName = await rest.service
    .from('people')
    .upsert({ id: ana, name: 'ana', mood: 'glad' }, { onConflict: 'name' })
  expect(byName.error).toBeNull()
  const members = rest.service.from('members')
  const both = await members
    .upsert({ room_id: 1, person_id: ana, invited_by: ana }, { onConflict: 'room_id,person_id' })
    .select()
  expect(both.data).toEqual([{ room_id: 1, person_id: ana, invited_by: ana }])
})

test('a view of one table is written through', async () => {
  await rest.sql('create view public.titles as select id, title from public.rooms')
  const rename = () => rest.service.from('titles').update({ title: 'hall' }).eq('id', 2).select().single()
  await expect.poll(async () => (await rename()).data).toEqual({ id: 2, title: 'hall' })
})

test('no more rows are changed than was allowed', async () => {
  const response = await rest.request('/rooms?id=in.(1,2)', {
    method: 'PATCH',
    headers: {
      apikey: keys.secret,
      'content-type': 'application/json',
      prefer: 'handling=strict, max-affected=1',
    },
    body: JSON.stringify({ seq: 5 }),
  })
  expect((await response.json()).code).toBe('PGRST124')
  expect(await rest.sql('select * from public.rooms where seq = 5')).toEqual([])
})

test.each<[string, object, number, string]>([
  ['a unique value twice', { id: crypto.randomUUID(), name: 'ana' }, 409, '23505'],
  ['a value that is no member of an enum', { id: crypto.randomUUID(), name: 'eve', mood: 'odd' }, 400, '22P02'],
  ['a required value missing', { id: crypto.randomUUID() }, 400, '23502'],
  ['an unknown column', { id: crypto.randomUUID(), nope: 1 }, 400, 'PGRST204'],
])('%s is refused', async (_, row, status, code) => {
  const refused = await rest.service.from('people').insert(row)
  expect({ status: refused.status, code: refused.error?.code }).toEqual({ status, code })
})

test.each<[string, object, number, string]>([
  ['a check', { title: 'x'.repeat(30) }, 400, '23514'],
  ['a foreign key', { title: 'x', owner_id: crypto.randomUUID() }, 409, '23503'],
  ['a generated column', { title: 'x', title_length: 1 }, 400, '428C9'],
  ['an identity column', { title: 'x', id: 50 }, 400, '428C9'],
  ['a wrong type', { title: 'x', seq: 'many' }, 400, '22P02'],
])('%s refuses a row', async (_, row, status, code) => {
  const refused = await rest.service.from('rooms').insert(row)
  expect({ status: refused.status, code: refused.error?.code }).toEqual({ status, code })
})

test('a row others refer to stays', async () => {
  const { status, error } = await rest.service.from('people').delete().eq('id', ana)
  expect({ status, code: error?.code }).toEqual({ status: 409, code: '23503' })
})
