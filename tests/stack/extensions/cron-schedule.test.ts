import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isDue, type Schedule } from '../../../src/stack/extensions/cron-schedule.ts'
import { createDatabase, type Database } from '../../support/database.ts'
import { type Client, connect } from './client.ts'

let database: Database
let admin: Client
beforeAll(async () => {
  database = await createDatabase({ migrated: false })
  admin = await connect(database.url('supabase_admin'))
  await admin.sql('create extension if not exists pg_cron with schema pg_catalog')
})
afterAll(async () => {
  await admin.end()
  await database.drop()
})

const parse = async (schedule: string) =>
  (await admin.sql<Schedule>('select * from cron._parse_schedule($1)', [schedule]))[0]

test.each([
  // A Saturday, the last day of February.
  ['* * * * *', '2026-02-28T10:59Z', true],
  ['*/15 9-17 * * *', '2026-02-28T10:45Z', true],
  ['*/15 9-17 * * *', '2026-02-28T10:44Z', false],
  ['0,30 * * * *', '2026-02-28T10:30Z', true],
  ['10-40/10 * * * *', '2026-02-28T10:20Z', true],
  ['10-40/10 * * * *', '2026-02-28T10:25Z', false],
  ['0 0 $ * *', '2026-02-28T00:00Z', true],
  ['0 0 $ * *', '2028-02-28T00:00Z', false],
  ['0 0 $ * *', '2028-02-29T00:00Z', true],
  ['0 0 * feb SAT', '2026-02-28T00:00Z', true],
  ['0 0 * * 7', '2026-03-01T00:00Z', true],
  ['0 0 * * 0', '2026-03-01T00:00Z', true],
  ['0 0 1 * mon', '2026-03-01T00:00Z', true],
  ['0 0 1 * mon', '2026-03-02T00:00Z', true],
  ['0 0 1 * mon', '2026-03-03T00:00Z', false],
  ['0 0 */2 * mon', '2026-03-02T00:00Z', false],
  ['@hourly', '2026-02-28T10:00Z', true],
  ['@daily', '2026-02-28T10:00Z', false],
  ['@weekly', '2026-03-01T00:00Z', true],
  ['@monthly', '2026-03-01T00:00Z', true],
  ['@yearly', '2026-03-01T00:00Z', false],
])('%s at %s: %s', async (schedule, minute, due) => {
  const parsed = await parse(schedule)
  expect(parsed).toBeDefined()
  expect(isDue(parsed as Schedule, new Date(minute))).toBe(due)
})

test.each([
  ['1 second', 1],
  [' 30 sEcOnDs ', 30],
  ['59 seconds', 59],
  ['17  seconds ', 17],
])('"%s" is an interval of %d seconds', async (schedule, every) => {
  expect((await parse(schedule))?.every).toBe(every)
})

describe('refused, as by pg_cron 1.6', () => {
  test.each([
    'a'.repeat(1000),
    '',
    '* * * *',
    '5 secondc',
    '50 seconds c',
    '-1 seconds',
    '0 seconds',
    '60 seconds',
    '10000000000 seconds',
    '@restar',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 8',
    '1/20 * * * *',
    '5-64/30 * * * *',
    '*/0 * * * *',
    '1,,2 * * * *',
    '* * * feb-foo *',
  ])('%s', async (schedule) => {
    expect(await parse(schedule)).toBeUndefined()
  })
})
