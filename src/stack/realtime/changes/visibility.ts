import pg from 'pg'
import type { Claims } from '../claims.ts'
import type { RowChange } from '../replication.ts'
import { isConnectionLoss } from './database-error.ts'
import type { Row } from './delivery.ts'
import type { Table } from './table.ts'

/** Postgres' text of a row's primary key, by column. */
type Key = Map<string, string>

const queryCanceled = '57014'

/** Asks once for all rows that the same claims are to see. */
export async function dropInvisible(
  client: pg.ClientBase,
  table: Table,
  rows: Row[],
  log: (line: string) => void,
): Promise<void> {
  const keyColumns = table.columns.filter((column) => column.inPrimaryKey).map((column) => column.name)
  const texts = new Map<Claims, string>()
  const textOf = (claims: Claims) => {
    const text = texts.get(claims) ?? JSON.stringify(claims)
    texts.set(claims, text)
    return text
  }
  const groups = new Map<string, { claims: Claims; rows: Set<Row> }>()
  const existing = rows.filter(({ change }) => change.type !== 'DELETE')
  for (const row of existing) {
    for (const { claims } of row.matches) {
      const text = textOf(claims)
      const group = groups.get(text) ?? { claims, rows: new Set() }
      groups.set(text, group)
      group.rows.add(row)
    }
  }

  const visible = new Map<Row, Set<string>>(existing.map((row) => [row, new Set()]))
  for (const [text, group] of groups) {
    const asked = [...group.rows].flatMap((row) => {
      const key = keyOf(row.change, keyColumns)
      return key ? [{ row, key }] : []
    })
    if (asked.length === 0) continue
    const keys = asked.map(({ key }) => key)
    const answers = await visibleRows(client, table, keys, group.claims, log)
    asked.forEach(({ row }, index) => {
      if (answers[index]) visible.get(row)?.add(text)
    })
  }
  for (const row of existing) {
    row.matches = row.matches.filter(({ claims }) => visible.get(row)?.has(textOf(claims)))
  }
}

/** Null when the stream does not tell all of it. */
function keyOf(change: RowChange, columns: string[]): Key | null {
  const values = columns.map((name) => change.new?.get(name) ?? change.old?.get(name))
  if (!values.every((value) => value != null)) return null
  return new Map(columns.map((name, index) => [name, values[index] as string]))
}

/**
 * Which of these rows row level security lets the claims see now; one answer per key, in order.
 *
 * A policy that raises hides its row alone, and one that takes too long hides them all: asking again for each row would
 * take as long again.
 */
async function visibleRows(
  client: pg.ClientBase,
  table: Table,
  keys: Key[],
  claims: Claims,
  log: (line: string) => void,
): Promise<boolean[]> {
  try {
    return await ask(client, table, keys, claims)
  } catch (error) {
    if (isConnectionLoss(error)) throw error
    const { code, message } = error as pg.DatabaseError
    if (keys.length > 1 && code !== queryCanceled) {
      const answers: boolean[] = []
      for (const key of keys) answers.push(...(await visibleRows(client, table, [key], claims, log)))
      return answers
    }
    log(`A policy of ${table.schema}.${table.name} failed for role ${claims.role}: ${message}`)
    return keys.map(() => false)
  }
}

async function ask(client: pg.ClientBase, table: Table, keys: Key[], claims: Claims): Promise<boolean[]> {
  const name = `${pg.escapeIdentifier(table.schema)}.${pg.escapeIdentifier(table.name)}`
  const row = (values: string[]) => `(${values.join(', ')})`
  const columns = row([...(keys[0]?.keys() ?? [])].map((column) => `t.${pg.escapeIdentifier(column)}`))
  // Without a type of their own, the literals are read as what they are compared with.
  const rows = keys.map((key) => row([...key.values()].map(pg.escapeLiteral)))
  // Statements sent together are one transaction, which ends with them whatever happens, in one round trip.
  const results = (await client.query({
    text: `select set_config('role', ${pg.escapeLiteral(claims.role)}, true),
        set_config('request.jwt.claims', ${pg.escapeLiteral(JSON.stringify(claims))}, true);
      select array_positions(array[${rows.map((values) => `${columns} = ${values}`).join(', ')}], true)
      from ${name} t where ${columns} in (${rows.join(', ')})`,
    rowMode: 'array',
  })) as unknown as Array<pg.QueryArrayResult<[number[]]>>
  const found = new Set(results[1]?.rows.flatMap(([positions]) => positions))
  return keys.map((_, index) => found.has(index + 1))
}
