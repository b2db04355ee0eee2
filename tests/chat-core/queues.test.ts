import type pg from 'pg'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { createSessions, type Sessions } from '../support/sessions.ts'

interface Job {
  job_id: number
  attempt: number
  job: { message_id: number }
}

let sessions: Sessions
let owner: pg.Client

beforeEach(async () => {
  await sessions?.close()
  sessions = await createSessions()
  owner = await sessions.open()
})

afterAll(() => sessions.close())

/** A connection of a job function's. */
async function worker(): Promise<pg.Client> {
  const client = await sessions.open()
  await client.query('set role service_role')
  return client
}

async function read(client: pg.Client, limit: number, seconds = 60): Promise<Job[]> {
  const { rows } = await client.query('select public.read_jobs($1, $2, $3) as jobs', ['push', limit, seconds])
  return rows[0].jobs
}

async function finish(client: pg.Client, jobs: Job[]): Promise<void> {
  await client.query('select public.finish_jobs($1, $2)', ['push', jobs.map(({ job_id }) => job_id)])
}

async function queue(count: number): Promise<void> {
  await owner.query(
    `select pgmq.send('push', jsonb_build_object('message_id', n)) from generate_series(1, $1::int) as n`,
    [count],
  )
}

async function left(): Promise<number> {
  const { rows } = await owner.query('select count(*)::int from pgmq.q_push')
  return rows[0].count
}

test('a thousand jobs are drained by several workers at once, each by one of them', async () => {
  await queue(1000)
  const done: number[] = []
  await Promise.all(
    [1, 2, 3, 4].map(async () => {
      const client = await worker()
      for (;;) {
        const jobs = await read(client, 50)
        if (jobs.length === 0) return
        done.push(...jobs.map(({ job }) => job.message_id))
        await finish(client, jobs)
      }
    }),
  )
  expect(done.sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, n) => n + 1))
  expect(await left()).toBe(0)
})

test('jobs of a worker that dies come back when their time is over, and no other one does', async () => {
  await queue(10)
  const [dying, living] = [await worker(), await worker()]
  const lost = await read(dying, 4, 1)
  await dying.end()

  const others = await read(living, 100)
  expect(others.map(({ job }) => job.message_id)).toEqual([5, 6, 7, 8, 9, 10])
  await finish(living, others)
  // Each comes back by itself.
  const again: Job[] = []
  while (again.length < lost.length) again.push(...(await read(living, 100)))
  expect(again.map(({ job_id, attempt }) => ({ job_id, attempt }))).toEqual(
    lost.map(({ job_id }) => ({ job_id, attempt: 2 })),
  )
  await finish(living, again)
  expect(await left()).toBe(0)
})

test('jobs of a worker that dies within its transaction were never read', async () => {
  await queue(3)
  const [dying, living] = [await worker(), await worker()]
  await dying.query('begin')
  expect(await read(dying, 2)).toHaveLength(2)
  expect(await read(living, 100), 'what another is reading is passed over').toHaveLength(1)
  await dying.end()
  let jobs: Job[] = []
  while (jobs.length === 0) jobs = await read(living, 100)
  expect(jobs.map(({ attempt }) => attempt)).toEqual([1, 1])
})

test('a message and its job are written together or not at all', async () => {
  const ana = await sessions.signUp('ana')
  const { rows } = await owner.query(
    `with room as (insert into public.chat_rooms (type, title) values ('group', 'lounge') returning id)
     insert into public.chat_room_members (room_id, user_id) select id, $1 from room returning room_id`,
    [ana.id],
  )
  const send = () => ana.client.query('select public.send_message($1, $2)', [rows[0].room_id, 'hello'])
  await ana.client.query('begin')
  await send()
  await ana.client.query('rollback')
  expect(await left()).toBe(0)
  await send()
  expect(await left()).toBe(1)
})

test('who sends while another calls the function waits for nobody', async () => {
  await owner.query(`select vault.create_secret('http://127.0.0.1:1', 'parley_functions_url')`)
  await owner.query(`select vault.create_secret('secret', 'parley_job_secret')`)
  const [one, two] = [await sessions.open(), await sessions.open()]
  await one.query('begin')
  await one.query(`select private.kick('push')`)
  // It would wait until the first one ends, which is after this.
  await two.query(`set lock_timeout = '5s'`)
  await two.query(`select private.kick('push')`)
  await one.query('commit')
  const { rows } = await owner.query('select count(*)::int from net.http_request_queue')
  expect(rows[0].count).toBe(1)
})
