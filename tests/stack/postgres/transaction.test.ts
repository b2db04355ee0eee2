import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPool } from '../../../src/stack/postgres/pool.ts'
import { inTransaction, type Transaction } from '../../../src/stack/postgres/transaction.ts'
import { createDatabase, type Database } from '../../support/database.ts'

let database: Database
let pool: pg.Pool
const lost: string[] = []
beforeAll(async () => {
  database = await createDatabase({ migrated: false })
  pool = openPool({ connectionString: database.url(), max: 2 }, (error) => lost.push(error.message))
  await pool.query('create table public.kept (id integer primary key)')
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})

const kept = async () => (await pool.query<{ id: number }>('select id from public.kept order by id')).rows
const add = (tx: Transaction, id: number) => tx.query('insert into public.kept values ($1)', [id])

test('what returns is kept, and what throws is undone', async () => {
  expect(await inTransaction(pool, (tx) => add(tx, 1).then(() => 'done'))).toBe('done')
  const failure = new Error('no')
  const failing = inTransaction(pool, async (tx) => {
    await add(tx, 2)
    throw failure
  })
  await expect(failing).rejects.toBe(failure)
  expect(await kept()).toEqual([{ id: 1 }])
})

test('pg 8.23.1: a connection cut between two statements fails the next one, not the process', async () => {
  const work = inTransaction(pool, async (tx) => {
    await add(tx, 3)
    const [row] = await tx.query<{ pid: number }>('select pg_backend_pid() as pid')
    await pool.query('select pg_terminate_backend($1, 5000)', [row?.pid])
    await add(tx, 4)
  })
  await expect(work).rejects.toThrow(/terminat|not queryable/)
  expect(await kept()).toEqual([{ id: 1 }])
})

test('connections cut while nobody uses them are told of and replaced', async () => {
  await Promise.all([pool.query('select pg_sleep(0.01)'), pool.query('select pg_sleep(0.01)')])
  const cut = await pool.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity
     where datname = current_database() and usename = current_user and pid <> pg_backend_pid()`,
  )
  expect(cut.rowCount).toBe(1)
  await expect.poll(() => lost).toEqual([expect.stringContaining('terminating connection')])
  expect(await Promise.all([kept(), kept()])).toEqual([[{ id: 1 }], [{ id: 1 }]])
})
