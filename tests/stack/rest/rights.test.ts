import { afterAll, beforeAll, expect, test } from 'vitest'
import { ana, ben, keys, type Served, serve, token } from './serve.ts'

let rest: Served
beforeAll(async () => {
  rest = await serve()
})
afterAll(() => rest.close())

test('columns that were granted are read, the others are not', async () => {
  const people = (await rest.signedIn(ana)).from('people')
  expect((await people.select('name').order('name')).data).toEqual([{ name: 'ana' }, { name: 'ben' }])
  expect(await people.select('phone')).toMatchObject({ status: 403, error: { code: '42501' } })
  expect(await people.select('name').eq('phone', '+1')).toMatchObject({ status: 403, error: { code: '42501' } })
  expect(await people.select()).toMatchObject({ status: 403, error: { code: '42501' } })
})

test('columns that were granted are written, the others are not', async () => {
  const people = (await rest.signedIn(ana)).from('people')
  const id = crypto.randomUUID()
  expect((await people.insert({ id, name: 'eve', phone: '+3' })).error?.code).toBe('42501')
  expect((await people.insert({ id, name: 'eve' })).error).toBeNull()
  expect((await people.update({ mood: 'sad' }).eq('id', id)).error?.code).toBe('42501')
  expect((await people.update({ name: 'eva' }).eq('id', id).select('name')).data).toEqual([{ name: 'eva' }])
  expect((await people.delete().eq('id', id)).error?.code).toBe('42501')
})

test('row level security shows and takes only one’s own', async () => {
  const [notesOfAna, notesOfBen] = [(await rest.signedIn(ana)).from('notes'), (await rest.signedIn(ben)).from('notes')]
  expect((await notesOfAna.insert({ id: 1, body: 'mine' }).select('author')).data).toEqual([{ author: ana }])
  expect((await notesOfBen.select()).data).toEqual([])
  expect((await notesOfBen.update({ body: 'taken' }).eq('id', 1).select()).data).toEqual([])
  expect((await notesOfBen.delete().eq('id', 1).select()).data).toEqual([])
  expect(await notesOfBen.insert({ id: 2, author: ana })).toMatchObject({ status: 403, error: { code: '42501' } })
  expect((await notesOfAna.select('body')).data).toEqual([{ body: 'mine' }])
})

test('who is nobody gets 401, and the secret key passes row level security', async () => {
  expect(await rest.anon.from('people').select('id')).toMatchObject({ status: 401, error: { code: '42501' } })
  expect(await rest.anon.from('notes').insert({ id: 3 })).toMatchObject({ status: 401, error: { code: '42501' } })
  expect((await rest.service.from('notes').insert({ id: 3, author: ben })).error).toBeNull()
})

test.each([
  ['wizard', 401, '22023'],
  ['postgres', 403, '42501'],
  ['supabase_admin', 403, '42501'],
  ['supabase_auth_admin', 403, '42501'],
])('a token cannot make its bearer %s', async (role, status, code) => {
  const headers = { apikey: keys.publishable, authorization: `Bearer ${await token({ role })}` }
  const response = await rest.request('/rooms', { headers })
  expect({ status: response.status, code: (await response.json()).code }).toEqual({ status, code })
})
