import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { evaluate } from '../../../../src/stack/realtime/changes/evaluation.ts'
import { parseFilter } from '../../../../src/stack/realtime/changes/filter.ts'
import type { Table } from '../../../../src/stack/realtime/changes/table.ts'
import type { RowChange } from '../../../../src/stack/realtime/replication.ts'
import { createDatabase, type Database } from '../../../support/database.ts'

let database: Database
let client: pg.Client

beforeAll(async () => {
  database = await createDatabase({ migrated: false })
  client = new pg.Client({ connectionString: database.url('supabase_realtime_admin') })
  await client.connect()
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

const column = { name: 'id', typeOid: 20, arrayTypeOid: 1016, typeName: 'int8', sqlType: 'bigint' }
const table: Table = {
  schema: 'public',
  name: 'items',
  rowSecurity: false,
  columns: [{ ...column, inPrimaryKey: true, readers: ['anon'] }],
}
const change: RowChange = {
  schema: 'public',
  table: 'items',
  oid: 1,
  type: 'INSERT',
  commitTime: new Date(),
  columns: [],
  new: new Map([['id', '10499']]),
  old: null,
}

test('more conditions than one statement is given are all tested', async () => {
  const conditions = Array.from({ length: 10_500 }, (_, id) => parseFilter(`id=eq.${id}`)).flat()
  const { met, new: values } = await evaluate(client, table, change, conditions, () => {})
  expect([...met]).toEqual([conditions.at(-1)?.key])
  expect(values).toEqual(new Map([['id', 10499]]))
})

test('a lost connection is no fault of a filter', async () => {
  const lost = new pg.Client({ connectionString: database.url('supabase_realtime_admin') })
  await lost.connect()
  await lost.end()
  const lines: string[] = []
  await expect(evaluate(lost, table, change, parseFilter('id=eq.1'), (line) => lines.push(line))).rejects.toThrow(
    'Client was closed',
  )
  expect(lines).toEqual([])
})
