import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type Feed, serviceRole, startFeed } from './feed.ts'

let feed: Feed

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  feed = await startFeed(`
    create table public.todos (id int primary key);
    create table public.notes (id int primary key);
    alter publication supabase_realtime add table public.todos;
  `)
})

afterAll(async () => {
  vi.useRealTimers()
  await feed.close()
})
afterEach(() => feed.reset())

const todos = [{ event: '*', schema: 'public', table: 'todos' }]
const minute = () => vi.advanceTimersByTimeAsync(60_000)

test('tables that are published or not any more are noticed within a minute, by those who followed', async () => {
  const told: Array<Error | null> = []
  const follower = feed.subscribe(todos, serviceRole, (error) => told.push(error))
  await follower.subscription.ready

  await feed.client.query('alter publication supabase_realtime add table public.notes')
  await minute()
  await expect.poll(() => told).toEqual([null])

  await feed.client.query('alter publication supabase_realtime drop table public.todos')
  await minute()
  await expect.poll(() => told.length).toBe(2)
  expect(told[1]?.message).toMatch(/^Unable to subscribe to changes with given parameters\. Please check Realtime/)

  await feed.client.query('alter publication supabase_realtime add table public.todos')
  await minute()
  await expect.poll(() => told.length).toBe(3)
  expect(told[2]).toBeNull()

  await feed.client.query('insert into public.todos values (1)')
  await feed.caughtUp()
  expect(follower.rows()).toEqual([1])
})

test('one whose entries were refused is not told', async () => {
  const told: Array<Error | null> = []
  const refused = feed.subscribe([{ ...todos[0], event: '*', filter: 'id=eq.a' }], serviceRole, (error) =>
    told.push(error),
  )
  await expect(refused.subscription.ready).rejects.toThrow('invalid input syntax')
  const other: Array<Error | null> = []
  const follower = feed.subscribe(todos, serviceRole, (error) => other.push(error))
  await follower.subscription.ready
  await feed.client.query('alter publication supabase_realtime drop table public.notes')
  await minute()
  await expect.poll(() => other).toEqual([null])
  expect(told).toEqual([])
})

test('a publication that stays tells nobody anything', async () => {
  const told: Array<Error | null> = []
  const follower = feed.subscribe(todos, serviceRole, (error) => told.push(error))
  await follower.subscription.ready
  await minute()
  await feed.client.query('insert into public.todos values (2)')
  await feed.caughtUp()
  expect(told).toEqual([])
})
