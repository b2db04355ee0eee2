import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { startCron } from '../../../src/stack/extensions/cron.ts'
import { createDatabase, type Database } from '../../support/database.ts'
import { type Client, connect } from './client.ts'

interface Details {
  status: string
  return_message: string
  username: string
  database: string
  command: string
  job_pid: number
  start_time: Date
  end_time: Date
}

let database: Database
let postgres: Client
let admin: Client
let cron: { close(): Promise<void> }
let logged: string[]
beforeAll(async () => {
  database = await createDatabase({ migrated: false })
  postgres = await connect(database.url('postgres'))
  admin = await connect(database.url('supabase_admin'))
})
afterAll(async () => {
  await postgres.end()
  await admin.end()
  await database.drop()
})
beforeEach(async () => {
  logged = []
  cron = await start()
  await postgres.sql('create extension pg_cron with schema pg_catalog')
})
afterEach(async () => {
  vi.useRealTimers()
  await cron.close()
  await postgres.sql('drop extension if exists pg_cron')
})

const start = () => startCron({ url: database.url('supabase_admin'), log: (message) => logged.push(message) })
const ended = (job: string) =>
  postgres.until<Details>(
    `select d.* from cron.job_run_details as d join cron.job as j using (jobid)
     where j.jobname = $1 and d.end_time is not null order by runid limit 1`,
    [job],
  )

test('a job every second runs and is recorded, though pg_cron was made after the scheduler started', async () => {
  await postgres.sql(`select cron.schedule('count', '1 second', 'select 1 union select 2')`)
  expect(await ended('count')).toMatchObject({
    status: 'succeeded',
    return_message: '2 rows',
    command: 'select 1 union select 2',
    username: 'postgres',
    database: 'postgres',
    job_pid: expect.any(Number),
    start_time: expect.any(Date),
  })
  await postgres.until('select from cron.job_run_details having count(*) > 1')
})

test('a job at a minute of the day runs when that minute begins, in GMT', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-03-01T10:59:59.900Z') })
  await cron.close()
  cron = await start()
  await postgres.sql(`select cron.schedule('eleven', '0 11 * * *', 'select 1')`)
  const [since] = await postgres.sql<{ at: string }>('select clock_timestamp()::text as at')
  await postgres.sql(`select cron.schedule('noon', '0 12 * * *', 'select 1')`)
  // The clock stands still until the scheduler has read the jobs.
  await postgres.until(
    `select from pg_stat_activity where datname = current_database() and application_name = 'pg_cron scheduler'
     and query like '%cron.\\_parse\\_schedule%' and query_start > $1 and state = 'idle'`,
    [since?.at],
  )
  vi.setSystemTime(new Date('2026-03-01T11:00:00.000Z'))
  expect(await ended('eleven')).toMatchObject({ status: 'succeeded', return_message: '1 row' })
  expect(
    await postgres.sql(`select from cron.job_run_details join cron.job using (jobid) where jobname = 'noon'`),
  ).toEqual([])
})

test('a failing job records its error, and the next job is none the worse', async () => {
  await postgres.sql(`select cron.schedule('fail', '1 second', $$\n  select 1 / 0,\n  nowhere $$)`)
  await postgres.sql(
    `select cron.schedule('insert', '1 second', 'create temp table t (); insert into t default values')`,
  )
  expect(await ended('fail')).toMatchObject({
    status: 'failed',
    return_message: 'ERROR:  column "nowhere" does not exist\nLINE 3:   nowhere \n          ^\n',
  })
  expect(await ended('insert')).toMatchObject({ status: 'succeeded', return_message: 'INSERT 0 1' })
})

test('what a command that returns no table did is its command tag', async () => {
  await postgres.sql(`select cron.schedule('ddl', '1 second', 'create temp table t ()')`)
  expect((await ended('ddl')).return_message).toBe('CREATE TABLE')
})

test('what the last of several statements returned is counted, and COPY is refused', async () => {
  await postgres.sql('create table public.written (id integer)')
  await postgres.sql(
    `select cron.schedule('several', '1 second', 'create temp table t (); table pg_roles; values (1), (2), (3)')`,
  )
  await postgres.sql(`select cron.schedule('copy', '1 second', 'copy public.written to stdout')`)
  await postgres.sql(`select cron.schedule('copy in', '1 second', 'copy public.written from stdin')`)
  await postgres.sql(`select cron.schedule('nothing', '1 second', '')`)
  expect(await ended('several')).toMatchObject({ status: 'succeeded', return_message: '3 rows' })
  for (const name of ['copy', 'copy in']) {
    expect(await ended(name)).toMatchObject({ status: 'failed', return_message: 'COPY not supported' })
  }
  expect(await ended('nothing')).toMatchObject({ status: 'succeeded', return_message: '0 rows' })
})

test('a job runs as its owner and cannot become another', async () => {
  await postgres.sql('create table public.who (name text, is_superuser boolean)')
  await postgres.sql(
    `select cron.schedule('who', '1 second', $$
       reset role; reset session authorization; set role none;
       insert into public.who select session_user, rolsuper from pg_roles where rolname = current_user
     $$)`,
  )
  expect(await ended('who')).toMatchObject({ status: 'succeeded' })
  expect(await postgres.sql('select distinct * from public.who')).toEqual([{ name: 'postgres', is_superuser: false }])
  await postgres.sql(`select cron.schedule('climb', '1 second', 'set session authorization supabase_admin')`)
  expect(await ended('climb')).toMatchObject({
    status: 'failed',
    return_message: expect.stringContaining('permission denied to set session authorization'),
  })
})

test('an owner who cannot log in makes the run fail', async () => {
  await admin.sql(`select cron.schedule_in_database('ghost', '1 second', 'select 1', 'postgres')`)
  await admin.sql(`update cron.job set username = 'authenticated'`)
  expect(await ended('ghost')).toMatchObject({
    status: 'failed',
    return_message: 'connection failed',
    start_time: null,
  })
  expect(logged.join()).toContain('cannot log in as authenticated')
})

test('a job never overlaps itself, and other jobs run meanwhile', async () => {
  await postgres.sql('create table public.gate (open boolean)')
  await postgres.sql(
    `select cron.schedule('slow', '1 second', $$
       do 'begin while not exists (select from public.gate) loop perform pg_sleep(0.02); commit; end loop; end' $$)`,
  )
  await postgres.sql(`select cron.schedule('quick', '1 second', 'select 1')`)
  const runs = `select from cron.job_run_details join cron.job using (jobid) where jobname = $1 having count(*) >= $2`
  await postgres.until(runs, ['slow', 1])
  await postgres.until(runs, ['quick', 3])
  expect(await postgres.sql(runs, ['slow', 2])).toEqual([])
  await postgres.sql('insert into public.gate values (true)')
  await postgres.until(runs, ['slow', 2])
})

test('unscheduling a job ends its run', async () => {
  await postgres.sql(`select cron.schedule('long', '1 second', 'select pg_sleep(600)')`)
  const { job_pid } = await postgres.until<Details>(`select * from cron.job_run_details where status = 'running'`)
  await postgres.sql(`select cron.unschedule('long')`)
  const details = await postgres.until<Details>(`select * from cron.job_run_details where status = 'failed'`)
  expect(details.return_message).toBe('job canceled')
  await postgres.until('select where not exists (select from pg_stat_activity where pid = $1)', [job_pid])
})

test('a run whose connection is cut is recorded as failed, and the scheduler lives', async () => {
  await postgres.sql(`select cron.schedule('cut', '1 second', 'select pg_sleep(600)')`)
  const { job_pid } = await postgres.until<Details>(`select * from cron.job_run_details where status = 'running'`)
  await admin.sql('select pg_terminate_backend($1, 5000)', [job_pid])
  expect(await ended('cut')).toMatchObject({
    status: 'failed',
    return_message: 'FATAL:  terminating connection due to administrator command\n',
  })
  await postgres.until(`select from cron.job_run_details where status = 'running' and job_pid <> $1`, [job_pid])
})

test('closing ends the running jobs and leaves no connection', async () => {
  await postgres.sql(`select cron.schedule('long', '1 second', 'select pg_sleep(600)')`)
  await postgres.until(`select from cron.job_run_details where status = 'running'`)
  await cron.close()
  expect(await postgres.sql('select status, return_message from cron.job_run_details')).toEqual([
    { status: 'failed', return_message: 'job canceled' },
  ])
  await postgres.until(
    `select where not exists (
       select from pg_stat_activity where datname = current_database() and application_name like 'pg_cron%'
     )`,
  )
  cron = await start()
})

test('runs that a killed scheduler left behind are marked as failed', async () => {
  await cron.close()
  await admin.sql(
    `insert into cron.job_run_details (jobid, status, job_pid) values (1, 'running', 1), (1, 'starting', null)`,
  )
  cron = await start()
  await postgres.until(
    `select from cron.job_run_details where status = 'failed' and return_message = 'server restarted' having count(*) = 2`,
  )
})

test('@reboot jobs run once when the scheduler starts', async () => {
  await postgres.sql(`select cron.schedule('boot', '@reboot', 'select 1')`)
  await cron.close()
  cron = await start()
  expect(await ended('boot')).toMatchObject({ status: 'succeeded' })
})

test('the scheduler comes back after its connection was lost', async () => {
  await admin.sql(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'pg_cron scheduler'`,
  )
  await postgres.sql(`select cron.schedule('after', '1 second', 'select 1')`)
  expect(await ended('after')).toMatchObject({ status: 'succeeded' })
})
