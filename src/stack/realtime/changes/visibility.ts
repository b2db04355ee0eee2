import pg from 'pg'
import type { Claims } from '../claims.ts'
import { isConnectionLoss } from './database-error.ts'
import type { Table } from './table.ts'

/** Postgres' text of a row's primary key, by column. */
export type Key = Map<string, string>

const queryCanceled = '57014'

/**
 * Which of these rows row level security lets the claims see now; one answer per key, in order.
 *
 * A policy that raises hides its row alone, and one that takes too long hides them all: asking again for each row would
 * take as long again.
 */
export async function visibleRows(
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
  // Without a type of their own, the literals are read as what they are compared with.
  const exists = keys.map((key) => {
    const same = [...key].map(([column, value]) => `t.${pg.escapeIdentifier(column)} = ${pg.escapeLiteral(value)}`)
    return `exists (select from ${name} t where ${same.join(' and ')})`
  })
  // Statements sent together are one transaction, which ends with them whatever happens, in one round trip.
  const results = (await client.query({
    text: `select set_config('role', ${pg.escapeLiteral(claims.role)}, true),
        set_config('request.jwt.claims', ${pg.escapeLiteral(JSON.stringify(claims))}, true);
      select array[${exists.join(', ')}]`,
    rowMode: 'array',
  })) as unknown as Array<pg.QueryArrayResult<[boolean[]]>>
  return results[1]?.rows[0]?.[0] ?? []
}
