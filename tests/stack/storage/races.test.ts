import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type StorageServer, serveStorage } from './serve.ts'

let server: StorageServer
beforeAll(async () => {
  server = await serveStorage()
  await server.admin.storage.createBucket('files', { public: false })
  // Rows with a file wait here, while a test holds the gate.
  await server.sql(`
    create function public.wait_at_gate() returns trigger language plpgsql as
    $$ begin if new.metadata is not null then perform pg_advisory_xact_lock(42); end if; return new; end $$`)
  await server.sql(`
    create trigger wait_at_gate before insert on storage.objects for each row execute function public.wait_at_gate()`)
})
afterAll(() => server.close())
beforeEach(() => server.admin.storage.emptyBucket('files'))

const files = () => server.admin.storage.from('files')
const content = async (name: string) => (await files().download(name)).data?.text()

/** Starts one after the other, each when the one before waits in the database, and lets them all go at once. */
async function atOnce(...starts: (() => Promise<{ error: unknown }>)[]): Promise<void> {
  const started: Promise<{ error: unknown }>[] = []
  await server.sql('select pg_advisory_lock(42)')
  try {
    for (const start of starts) {
      started.push(start())
      const waiting = () =>
        server.sql(
          `select distinct pid from pg_locks
           where not granted and pid in (select pid from pg_stat_activity where datname = current_database())`,
        )
      await expect.poll(waiting, { timeout: 10_000 }).toHaveLength(started.length)
    }
  } finally {
    await server.sql('select pg_advisory_unlock(42)')
  }
  for (const { error } of await Promise.all(started)) expect(error).toBeNull()
}

test('two upserts of a new name leave one file', async () => {
  await atOnce(
    () => files().upload('a.txt', 'first', { upsert: true }),
    () => files().upload('a.txt', 'second', { upsert: true }),
  )
  expect(await content('a.txt')).toBe('second')
  expect(await server.files()).toHaveLength(1)
})

test('an upsert takes the place of an upload that came just before it', async () => {
  await atOnce(
    () => files().upload('a.txt', 'first'),
    () => files().upload('a.txt', 'second', { upsert: true }),
  )
  expect(await content('a.txt')).toBe('second')
  expect(await server.files()).toHaveLength(1)
})

test('an upsert does not take the file of an object that is moved away meanwhile', async () => {
  await files().upload('a.txt', 'old')
  await atOnce(
    () => files().upload('a.txt', 'new', { upsert: true }),
    () => files().move('a.txt', 'b.txt'),
  )
  expect(await content('b.txt')).toBe('new')
  expect(await server.files()).toHaveLength(1)
})
