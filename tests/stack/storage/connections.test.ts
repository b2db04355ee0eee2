import { afterAll, beforeAll, expect, test } from 'vitest'
import { type StorageServer, serveStorage } from './serve.ts'

let server: StorageServer
beforeAll(async () => {
  server = await serveStorage()
  await server.admin.storage.createBucket('files', { public: false })
  // The row of one name waits, when its file is written.
  await server.sql(`
    create function public.wait() returns trigger language plpgsql as
    $$ begin if new.name = 'slow.txt' and new.metadata is not null then perform pg_sleep(20); end if; return new; end $$`)
  await server.sql(`
    create trigger wait before insert on storage.objects for each row execute function public.wait()`)
})
afterAll(() => server.close())

const files = () => server.admin.storage.from('files')
const connections = (condition: string) =>
  `from pg_stat_activity where datname = current_database() and usename = 'supabase_storage_admin' and ${condition}`
const count = async (condition: string) => (await server.sql(`select ${connections(condition)}`)).length
const cut = (condition: string) => server.sql(`select pg_terminate_backend(pid, 5000) ${connections(condition)}`)

test('after all connections were cut the next request is served', async () => {
  await Promise.all(['a.txt', 'b.txt', 'c.txt'].map((name) => files().upload(name, name)))
  const { length } = await cut(`state = 'idle'`)
  expect(length).toBeGreaterThan(1)
  await expect.poll(() => server.faults).toEqual(Array(length).fill(expect.stringContaining('lost a database')))
  server.faults.length = 0
  expect(await (await files().download('a.txt')).data?.text()).toBe('a.txt')
})

test('postgres 3.4.9: a connection cut in the middle of a request fails that request, not the process', async () => {
  const upload = files().upload('slow.txt', 'slow')
  const waiting = `wait_event = 'PgSleep'`
  await expect.poll(() => count(waiting)).toBe(1)
  await cut(waiting)
  expect((await upload).error).toMatchObject({ status: 500, code: 'InternalError' })
  expect((await files().upload('d.txt', 'd')).error).toBeNull()
  expect(server.faults.splice(0)).toEqual([expect.stringContaining('terminating connection')])
})

test('the file of a commit whose end is unknown stays until the next start finds no row for it', async () => {
  const objects = await server.sql<{ version: string }>('select version from storage.objects')
  expect(await server.files()).toHaveLength(objects.length + 1)
  await server.restart()
  expect((await server.files()).sort()).toEqual(objects.map(({ version }) => version).sort())
})
