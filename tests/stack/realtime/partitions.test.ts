import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { localKeys } from '../../../src/stack/keys.ts'
import { keepPartitions, maintainPartitions } from '../../../src/stack/realtime/partitions.ts'
import { startRealtime } from '../../../src/stack/realtime/realtime.ts'
import { createDatabase, type Database } from '../../support/database.ts'

let database: Database
let client: pg.Client

beforeAll(async () => {
  database = await createDatabase({ migrated: false })
  client = new pg.Client({ connectionString: database.url('supabase_admin') })
  await client.connect()
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

beforeEach(async () => {
  const { rows } = await client.query(`select inhrelid::regclass::text as name from pg_inherits
    where inhparent = 'realtime.messages'::regclass`)
  for (const { name } of rows) await client.query(`drop table ${name}`)
})

afterEach(() => vi.useRealTimers())

const url = () => database.url('supabase_realtime_admin')
const daysFromNow = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
const nameOf = (day: string) => `messages_${day.replaceAll('-', '_')}`
const names = async (): Promise<string[]> => {
  const { rows } = await client.query(
    `select c.relname, pg_get_userbyid(c.relowner) as owner from pg_inherits join pg_class as c on c.oid = inhrelid
     where inhparent = 'realtime.messages'::regclass order by 1`,
  )
  expect(rows.every((row) => row.owner === 'supabase_realtime_admin')).toBe(true)
  return rows.map((row) => row.relname)
}
const kept = () => [-1, 0, 1, 2, 3].map((days) => nameOf(daysFromNow(days)))

test('a new database has a partition for today', async () => {
  const fresh = await createDatabase({ migrated: false })
  const inFresh = new pg.Client({ connectionString: fresh.url() })
  await inFresh.connect()
  await inFresh.query(`select realtime.send('{}', 'hi', 'den')`)
  const { rows } = await inFresh.query('select tableoid::regclass::text as partition from realtime.messages')
  await inFresh.end()
  await fresh.drop()
  expect(rows).toEqual([{ partition: `realtime.${nameOf(daysFromNow(0))}` }])
})

test('there is one for each day from yesterday to three days ahead, whatever the time zone', async () => {
  for (const zone of ['Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
    await client.query(`alter database ${database.name} set timezone to '${zone}'`)
    await maintainPartitions(url())
    expect(await names()).toEqual(kept())
  }
  await client.query(`alter database ${database.name} reset timezone`)
})

test('a server that starts makes them', async () => {
  const realtime = await startRealtime({ databaseUrl: url(), keys: localKeys, log: () => {} })
  await realtime.close()
  expect(await names()).toEqual(kept())
})

test('two services may make them at once, and again', async () => {
  await Promise.all([maintainPartitions(url()), maintainPartitions(url())])
  await maintainPartitions(url())
  expect(await names()).toEqual(kept())
})

test('those older than three days are dropped, and what looks otherwise is left', async () => {
  const add = (name: string, from: string, to: string) =>
    client.query(
      `create table realtime.${name} partition of realtime.messages for values from ('${from}') to ('${to}');
       alter table realtime.${name} owner to supabase_realtime_admin`,
    )
  await add(nameOf(daysFromNow(-4)), daysFromNow(-4), daysFromNow(-3))
  await add(nameOf(daysFromNow(-3)), daysFromNow(-3), daysFromNow(-2))
  await add('messages_archive', '2020-01-01', '2020-02-01')
  await maintainPartitions(url())
  expect(await names()).toEqual([nameOf(daysFromNow(-3)), ...kept(), 'messages_archive'])
})

test('when the day changes they are made without a restart', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
  const partitions = await keepPartitions({ url: url(), log: () => {} })
  const [missing = ''] = (await names()).slice(-1)
  await client.query(`drop table realtime.${missing}`)
  vi.advanceTimersByTime(3_600_000 * 24)
  await vi.waitFor(async () => expect(await names()).toContain(missing))
  await partitions.close()
})

test('when they cannot be made, that is told, and tried again a minute later', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
  const lines: string[] = []
  const partitions = await keepPartitions({ url: url(), log: (line) => lines.push(line) })
  await client.query(`revoke connect on database ${database.name} from public`)
  vi.setSystemTime(Date.now() + 86_400_000)
  vi.advanceTimersByTime(60_000)
  await vi.waitFor(() => expect(lines).toEqual([expect.stringContaining('permission denied for database')]))
  await client.query(`grant connect on database ${database.name} to public`)
  const [missing = ''] = (await names()).slice(-1)
  await client.query(`drop table realtime.${missing}`)
  vi.advanceTimersByTime(60_000)
  await vi.waitFor(async () => expect(await names()).toContain(missing))
  await partitions.close()
})
