import type pg from 'pg'
import type { RowChange } from '../replication.ts'
import { conditionSql } from './condition-sql.ts'
import { isConnectionLoss } from './database-error.ts'
import type { Condition } from './filter.ts'
import type { Table } from './table.ts'
import { queryRow, TypedParameters } from './typed-query.ts'

// The protocol counts parameters in 16 bits. A table has 1600 columns at most, and a change two rows.
const maxConditions = 10_000

const bytea = 17

/** The values of one row, as JSON, by column. */
export type Values = Map<string, unknown>

export interface Evaluation {
  new: Values
  old: Values
  /** The keys of the conditions that are met. */
  met: Set<string>
}

/**
 * Converts a change's values to JSON and tests conditions on them, both in Postgres, where the types are known.
 * A condition that raises is not met, and spoils no other.
 */
export async function evaluate(
  client: pg.ClientBase,
  table: Table,
  change: RowChange,
  conditions: Condition[],
  log: (line: string) => void,
): Promise<Evaluation> {
  const first = conditions.slice(0, maxConditions)
  try {
    const evaluation = await evaluateTogether(client, table, change, first)
    for (let from = maxConditions; from < conditions.length; from += maxConditions) {
      const more = await evaluateTogether(client, table, change, conditions.slice(from, from + maxConditions), false)
      for (const key of more.met) evaluation.met.add(key)
    }
    return evaluation
  } catch (error) {
    if (isConnectionLoss(error) || conditions.length === 0) throw error
    return evaluateOneByOne(client, table, change, conditions, log)
  }
}

/** For the rare filter that fits its column no longer, after the column's type was changed. */
async function evaluateOneByOne(
  client: pg.ClientBase,
  table: Table,
  change: RowChange,
  conditions: Condition[],
  log: (line: string) => void,
): Promise<Evaluation> {
  const evaluation = await evaluateTogether(client, table, change, [])
  for (const condition of conditions) {
    try {
      const alone = await evaluateTogether(client, table, change, [condition], false)
      for (const key of alone.met) evaluation.met.add(key)
    } catch (error) {
      if (isConnectionLoss(error)) throw error
      log(`A filter on ${table.schema}.${table.name} failed: ${condition.key}: ${(error as Error).message}`)
    }
  }
  return evaluation
}

async function evaluateTogether(
  client: pg.ClientBase,
  table: Table,
  change: RowChange,
  conditions: Condition[],
  withValues = true,
): Promise<Evaluation> {
  const columns = new Map(table.columns.map((column) => [column.name, column]))
  const parameters = new TypedParameters()
  const jsons: string[] = []
  const slots: Array<{ row: 'new' | 'old'; name: string }> = []
  const placeholders = new Map<string, string>()
  for (const row of ['new', 'old'] as const) {
    const isTested = row === (change.type === 'DELETE' ? 'old' : 'new')
    for (const [name, value] of change[row] ?? []) {
      const column = columns.get(name)
      if (!column) continue
      const needed = isTested && conditions.some((condition) => condition.column === name)
      if (!withValues && !needed) continue
      const placeholder = parameters.add(value, column.typeOid)
      if (isTested) placeholders.set(name, placeholder)
      if (!withValues) continue
      // Supabase tells bytes without the `\x` that JSON has in Postgres.
      jsons.push(column.typeOid === bytea ? `to_jsonb(encode(${placeholder}, 'hex'))` : `to_jsonb(${placeholder})`)
      slots.push({ row, name })
    }
  }

  // A column that is not in this image of the row meets no condition.
  const testable = conditions.filter(({ column }) => placeholders.has(column))
  const tests = testable.map((condition) => {
    const column = columns.get(condition.column)
    const placeholder = placeholders.get(condition.column)
    if (!column || !placeholder) throw new Error(`no column ${condition.column}`)
    return conditionSql(condition, column, placeholder, parameters)
  })

  const evaluation: Evaluation = { new: new Map(), old: new Map(), met: new Set() }
  if (parameters.values.length === 0) return evaluation
  const [values, results] = await queryRow(
    client,
    `select to_jsonb(array[${jsons.join(', ')}]::jsonb[]), array[${tests.join(', ')}]::boolean[]`,
    parameters,
  )
  slots.forEach(({ row, name }, index) => {
    evaluation[row].set(name, (values as unknown[])[index])
  })
  testable.forEach(({ key }, index) => {
    if ((results as Array<boolean | null>)[index] === true) evaluation.met.add(key)
  })
  return evaluation
}
