import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Feed, serviceRole, startFeed } from './feed.ts'

let feed: Feed

beforeAll(async () => {
  feed = await startFeed(`
    create table public.todos (id int primary key);
    alter publication supabase_realtime add table public.todos;
  `)
})

afterAll(() => feed.close())
afterEach(() => feed.reset())

const todos = [{ event: '*', schema: 'public', table: 'todos' }]

/** All but the one that streams. */
const loseConnections = () =>
  feed.client.query(`
    select pg_terminate_backend(pid, 10000) from pg_stat_activity
    where usename = 'supabase_realtime_admin' and datname = current_database() and backend_type = 'client backend'
  `)

test('a connection that is lost is replaced', async () => {
  const follower = await feed.follow(todos, serviceRole)
  await feed.client.query('insert into public.todos values (1)')
  await feed.caughtUp()
  await loseConnections()
  const later = await feed.follow(todos, serviceRole)
  await feed.client.query('insert into public.todos values (2)')
  await feed.caughtUp()
  expect([follower.rows(), later.rows()]).toEqual([[1, 2], [2]])
})

test('subscribing waits for a database that is not there', async () => {
  const { rows } = await feed.client.query<{ name: string }>('select current_database() as name')
  const limit = (connections: number) =>
    feed.client.query(`alter database ${rows[0]?.name} connection limit ${connections}`)
  await limit(0)
  await loseConnections()
  const follower = feed.subscribe(todos, serviceRole)
  await expect
    .poll(() => feed.lines)
    .toContainEqual(expect.stringContaining('waits for the database: too many connections'))
  await limit(-1)
  await follower.subscription.ready
  await feed.client.query('insert into public.todos values (3)')
  await feed.caughtUp()
  expect(follower.rows()).toEqual([3])
})

test('closed while it waits, it ends', async () => {
  const { rows } = await feed.client.query<{ name: string }>('select current_database() as name')
  await feed.client.query(`alter database ${rows[0]?.name} connection limit 0`)
  await loseConnections()
  const follower = feed.subscribe(todos, serviceRole)
  await expect
    .poll(() => feed.lines)
    .toContainEqual(expect.stringContaining('waits for the database: too many connections'))
  follower.subscription.close()
  await expect(follower.subscription.ready).rejects.toThrow('too many connections')
  await feed.client.query(`alter database ${rows[0]?.name} connection limit -1`)
})
