import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDatabase, type Database } from '../../support/database.ts'
import { type Client, connect } from './client.ts'

let database: Database
let postgres: Client
beforeAll(async () => {
  database = await createDatabase({ migrated: false })
  postgres = await connect(database.url('postgres'))
  await postgres.sql('create extension pgmq')
  await postgres.sql('create extension pgtap with schema extensions')
})
afterAll(async () => {
  await postgres.end()
  await database.drop()
})

test('pgmq and what is in it belong to postgres, who creates it', async () => {
  expect(
    await postgres.sql(
      `select extowner::regrole::text as owner, nspname as schema
       from pg_extension join pg_namespace on pg_namespace.oid = extnamespace where extname = 'pgmq'`,
    ),
  ).toEqual([{ owner: 'postgres', schema: 'pgmq' }])
  expect(
    await postgres.sql(
      `select distinct proowner::regrole::text as owner from pg_proc where pronamespace = 'pgmq'::regnamespace`,
    ),
  ).toEqual([{ owner: 'postgres' }])
})

test('postgres makes a queue, sends, reads, archives, deletes and drops it', async () => {
  await postgres.sql(`select pgmq.create('push')`)
  expect(await postgres.sql(`select pgmq.send('push', '{"to": "ana"}') as id`)).toEqual([{ id: '1' }])
  expect(await postgres.sql(`select pgmq.send('push', '{"to": "ben"}') as id`)).toEqual([{ id: '2' }])
  const read = `select msg_id, read_ct, message from pgmq.read('push', 30, 1)`
  expect(await postgres.sql(read)).toEqual([{ msg_id: '1', read_ct: 1, message: { to: 'ana' } }])
  expect(await postgres.sql(read)).toEqual([{ msg_id: '2', read_ct: 1, message: { to: 'ben' } }])
  expect(await postgres.sql(read)).toEqual([])
  expect(await postgres.sql(`select pgmq.archive('push', 1) as archived`)).toEqual([{ archived: true }])
  expect(await postgres.sql('select message from pgmq.a_push')).toEqual([{ message: { to: 'ana' } }])
  expect(await postgres.sql(`select pgmq.delete('push', 2) as deleted`)).toEqual([{ deleted: true }])
  expect(await postgres.sql(`select queue_length from pgmq.metrics('push')`)).toEqual([{ queue_length: '0' }])
  expect(await postgres.sql(`select pgmq.drop_queue('push') as dropped`)).toEqual([{ dropped: true }])
})

test('the API roles have no queue', async () => {
  for (const role of ['anon', 'authenticated']) {
    await postgres.sql(`set role ${role}`)
    await expect(postgres.sql('select * from pgmq.list_queues()')).rejects.toThrow('permission denied for schema pgmq')
    await postgres.sql('reset role')
  }
})

test('pgTAP runs for postgres', async () => {
  await postgres.sql('begin')
  await postgres.sql('select extensions.plan(1)')
  expect(await postgres.sql(`select extensions.is(1, 1, 'one is one') as line`)).toEqual([
    { line: 'ok 1 - one is one' },
  ])
  await postgres.sql('rollback')
})
