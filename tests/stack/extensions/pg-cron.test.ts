import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createDatabase, type Database } from '../../support/database.ts'
import { type Client, connect } from './client.ts'

let database: Database
let postgres: Client
let admin: Client
beforeAll(async () => {
  database = await createDatabase({ migrated: false })
  postgres = await connect(database.url('postgres'))
  admin = await connect(database.url('supabase_admin'))
  // No superuser makes it: the control file says `trusted`.
  await postgres.sql('create extension pg_cron with schema pg_catalog')
  await postgres.sql('grant usage on schema cron to supabase_auth_admin')
})
afterAll(async () => {
  await postgres.end()
  await admin.end()
  await database.drop()
})
beforeEach(() => admin.sql('truncate cron.job'))

test('the interface is pg_cron 1.6.4', async () => {
  const functions = await admin.sql<{ signature: string }>(
    `select proname || '(' || pg_get_function_arguments(oid) || ') ' || pg_get_function_result(oid) as signature
     from pg_proc where pronamespace = 'cron'::regnamespace and proname not like '\\_%' order by 1`,
  )
  expect(functions.map((row) => row.signature)).toEqual([
    'alter_job(job_id bigint, schedule text DEFAULT NULL::text, command text DEFAULT NULL::text, database text DEFAULT NULL::text, username text DEFAULT NULL::text, active boolean DEFAULT NULL::boolean) void',
    'job_cache_invalidate() trigger',
    'schedule(job_name text, schedule text, command text) bigint',
    'schedule(schedule text, command text) bigint',
    'schedule_in_database(job_name text, schedule text, command text, database text, username text DEFAULT NULL::text, active boolean DEFAULT true) bigint',
    'unschedule(job_id bigint) boolean',
    'unschedule(job_name text) boolean',
  ])
  expect(await columnsOf('cron.job')).toEqual(
    'jobid bigint, schedule text, command text, nodename text, nodeport integer, database text, username text, active boolean, jobname text',
  )
  expect(await columnsOf('cron.job_run_details')).toEqual(
    'jobid bigint, runid bigint, job_pid integer, database text, username text, command text, status text, return_message text, start_time timestamp with time zone, end_time timestamp with time zone',
  )
})

test('a job is kept with its owner and the database postgres', async () => {
  const [job] = await postgres.sql<{ id: string }>(`select cron.schedule('sweep', '5 4 * * *', 'select 1') as id`)
  expect(await postgres.sql('select * from cron.job')).toEqual([
    {
      jobid: job?.id,
      schedule: '5 4 * * *',
      command: 'select 1',
      nodename: 'localhost',
      nodeport: expect.any(Number),
      database: 'postgres',
      username: 'postgres',
      active: true,
      jobname: 'sweep',
    },
  ])
})

test('scheduling a name again changes that job, but only for the same user', async () => {
  await postgres.sql(`select cron.schedule('sweep', '5 4 * * *', 'select 1')`)
  await postgres.sql(`select cron.schedule('sweep', '6 4 * * *', 'select 2')`)
  await asRole('supabase_auth_admin', `select cron.schedule('sweep', '7 4 * * *', 'select 3')`)
  expect(await admin.sql('select schedule, command, username from cron.job order by jobid')).toEqual([
    { schedule: '6 4 * * *', command: 'select 2', username: 'postgres' },
    { schedule: '7 4 * * *', command: 'select 3', username: 'supabase_auth_admin' },
  ])
})

test('a job belongs to the role a definer function runs as', async () => {
  await postgres.sql(
    `create function public.schedule_sweep() returns bigint language sql security definer set search_path = ''
     as $$ select cron.schedule('sweep', '5 4 * * *', 'select 1') $$`,
  )
  await asRole('authenticated', 'select public.schedule_sweep()')
  expect(await admin.sql('select username from cron.job')).toEqual([{ username: 'postgres' }])
})

test('an invalid schedule is refused in the words of pg_cron', async () => {
  await expect(postgres.sql(`select cron.schedule('* * * *', 'select 1')`)).rejects.toMatchObject({
    code: '22023',
    message: 'invalid schedule: * * * *',
    hint: "Use cron format (e.g. 5 4 * * *), or interval format '[1-59] seconds'",
  })
})

test('a job is removed by its id or its name', async () => {
  await postgres.sql(`select cron.schedule('sweep', '5 4 * * *', 'select 1')`)
  const [job] = await postgres.sql<{ id: string }>(`select cron.schedule('5 4 * * *', 'select 1') as id`)
  await postgres.sql(`select cron.unschedule('sweep')`)
  await postgres.sql('select cron.unschedule($1::bigint)', [job?.id])
  expect(await admin.sql('select from cron.job')).toEqual([])
  await expect(postgres.sql(`select cron.unschedule('sweep')`)).rejects.toThrow(
    "could not find valid entry for job 'sweep'",
  )
  await expect(postgres.sql('select cron.unschedule(0)')).rejects.toThrow('could not find valid entry for job 0')
})

test('a job is altered by its owner', async () => {
  const [job] = await postgres.sql<{ id: string }>(`select cron.schedule('5 4 * * *', 'select 1') as id`)
  await postgres.sql(`select cron.alter_job($1, schedule := '10 seconds', active := false)`, [job?.id])
  expect(await postgres.sql('select schedule, command, active from cron.job')).toEqual([
    { schedule: '10 seconds', command: 'select 1', active: false },
  ])
  await expect(postgres.sql('select cron.alter_job($1)', [job?.id])).rejects.toThrow('no updates specified')
  await expect(postgres.sql('select cron.alter_job(0, active := true)')).rejects.toThrow(
    "Job 0 does not exist or you don't own it",
  )
})

describe('refusals', () => {
  test('postgres reads cron.job and cannot write it', async () => {
    for (const statement of [
      `insert into cron.job (schedule, command) values ('* * * * *', 'select 1')`,
      `update cron.job set username = 'supabase_admin'`,
      'delete from cron.job',
    ]) {
      await expect(postgres.sql(statement)).rejects.toThrow('permission denied for table job')
    }
  })

  test('postgres cannot schedule for a superuser', async () => {
    const name = 'supabase_admin'
    await expect(
      postgres.sql(`select cron.schedule_in_database('b', '* * * * *', 'select 1', 'postgres', $1)`, [name]),
    ).rejects.toThrow('must be superuser to create a job for another role')
    const [job] = await postgres.sql<{ id: string }>(`select cron.schedule('5 4 * * *', 'select 1') as id`)
    await expect(postgres.sql('select cron.alter_job($1, username := $2)', [job?.id, name])).rejects.toThrow(
      'must be superuser to alter username',
    )
    await expect(
      postgres.sql(
        `insert into cron._call (action, caller, schedule, command) values ('schedule', $1, '* * * * *', 'select 1')`,
        [name],
      ),
    ).rejects.toThrow('permission denied')
    await expect(
      postgres.sql(`select cron._insert_job(row('schedule', $1, 1, 'a', '* * * * *', 'x', null, null, true))`, [name]),
    ).rejects.toThrow('permission denied for function _insert_job')
  })

  test('postgres cannot put a trigger on the tables that the scheduler writes as a superuser', async () => {
    for (const table of ['cron.job', 'cron.job_run_details']) {
      await expect(
        postgres.sql(`create trigger t after insert on ${table} execute function cron.job_cache_invalidate()`),
      ).rejects.toThrow('permission denied')
    }
  })

  test.each(['anon', 'authenticated', 'service_role'])('%s cannot schedule', async (role) => {
    await expect(asRole(role, `select cron.schedule('* * * * *', 'select 1')`)).rejects.toThrow(
      'permission denied for schema cron',
    )
  })

  test('other roles see and touch only their own jobs, and cannot choose a database', async () => {
    const [job] = await postgres.sql<{ id: string }>(`select cron.schedule('5 4 * * *', 'select 1') as id`)
    expect(await asRole('supabase_auth_admin', 'select * from cron.job')).toEqual([])
    await expect(asRole('supabase_auth_admin', `select cron.unschedule(${job?.id})`)).rejects.toThrow(
      'permission denied for table job',
    )
    await expect(
      asRole('supabase_auth_admin', `select cron.schedule_in_database('b', '* * * * *', 'select 1', 'postgres')`),
    ).rejects.toThrow('permission denied for function schedule_in_database')
  })
})

async function asRole(role: string, statement: string): Promise<unknown[]> {
  await admin.sql(`set role ${role}`)
  try {
    return await admin.sql(statement)
  } finally {
    await admin.sql('reset role')
  }
}

async function columnsOf(table: string): Promise<string | undefined> {
  const [row] = await admin.sql<{ columns: string }>(
    `select string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' order by attnum) as columns
     from pg_attribute where attrelid = $1::regclass and attnum > 0`,
    [table],
  )
  return row?.columns
}
