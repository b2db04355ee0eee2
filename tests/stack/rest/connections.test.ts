import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Served, serve } from './serve.ts'

let rest: Served
beforeAll(async () => {
  rest = await serve()
})
afterAll(() => rest.close())

const connections = (condition: string) => `
  from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and ${condition}`
const count = async (condition: string) => {
  const [row] = await rest.adminSql(`select count(*)::int as count ${connections(condition)}`)
  return row?.count
}
const cut = (condition: string) => rest.adminSql(`select pg_terminate_backend(pid, 5000) ${connections(condition)}`)

test('more requests than connections wait their turn, and all are answered', async () => {
  const naps = await Promise.all(Array.from({ length: 60 }, () => rest.anon.rpc('nap')))
  expect(naps.every(({ data }) => data === 1)).toBe(true)
  expect(await count(`usename = 'authenticator'`)).toBeLessThanOrEqual(10)
})

test('after all connections were cut the next request is served, and notices are heard', async () => {
  await cut(`usename in ('authenticator', 'supabase_admin')`)
  await expect.poll(async () => (await rest.anon.rpc('add', { p_a: 1 })).data).toBe(11)

  await rest.sql('create table public.afterwards (id integer)')
  await expect.poll(async () => (await rest.service.from('afterwards').select()).data).toEqual([])
})

test('postgres 3.4.9: a connection cut in the middle of a request fails that request, not the process', async () => {
  const asleep = `usename = 'authenticator' and state = 'active' and query like '%sleep%'`
  const sleeping = Promise.all([rest.service.rpc('sleep'), rest.service.rpc('sleep')])
  await expect.poll(() => count(asleep)).toBe(2)
  await cut(asleep)
  for (const { status } of await sleeping) expect(status).toBe(503)
  expect((await rest.anon.rpc('add', { p_a: 1 })).data).toBe(11)
})
