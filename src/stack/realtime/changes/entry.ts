import type { RowChange } from '../replication.ts'
import { type Condition, parseFilter } from './filter.ts'
import { inspect } from './inspect.ts'

/** One element of `config.postgres_changes`, as the client wrote it. */
export interface ChangeEntry {
  event: string
  schema?: string | null
  table?: string | null
  filter?: string | null
  select?: unknown
}

/** An entry understood: which changes it asks for, and which of their columns. */
export interface Interest {
  event: RowChange['type'] | '*'
  /** A name, or `*` for all. */
  schema: string
  table: string
  conditions: Condition[]
  /** Null for every column. Those of the primary key are always told. */
  select: string[] | null
}

/** @throws Error, whose message is the text for the client */
export function parseEntry(entry: ChangeEntry): Interest {
  const { schema, table, filter } = entry
  const select = parseSelect(entry.select)
  const named = typeof schema === 'string' || typeof table === 'string'
  const wellTyped = [schema, table, filter].every((part) => part == null || typeof part === 'string')
  if (!named || !wellTyped || (filter != null && (schema == null || table == null))) {
    throw new Error(
      `No subscription params provided. Please provide at least a \`schema\` or \`table\` to subscribe to: ${inspect(entry)}`,
    )
  }
  const interest: Interest = {
    event: parseEvent(entry.event),
    schema: schema ?? 'public',
    table: table ?? '*',
    conditions: parseConditions(filter ?? ''),
    select,
  }
  if (select && (interest.schema === '*' || interest.table === '*')) {
    throw new Error(
      'Column selection is not supported for wildcard subscriptions. Provide an explicit schema and table name.',
    )
  }
  return interest
}

function parseEvent(event: unknown): Interest['event'] {
  const name = String(event).toUpperCase()
  return name === 'INSERT' || name === 'UPDATE' || name === 'DELETE' ? name : '*'
}

function parseSelect(select: unknown): string[] | null {
  if (typeof select === 'string') {
    throw new Error(
      'Error parsing `select` params: expected a list of column name strings, e.g. select: ["col1", "col2"]',
    )
  }
  const names = Array.isArray(select) ? select.filter((name) => typeof name === 'string') : []
  return names.length ? names : null
}

function parseConditions(filter: string): Condition[] {
  try {
    return parseFilter(filter)
  } catch (error) {
    throw new Error(`Error parsing \`filter\` params: ${(error as Error).message}`)
  }
}

export function coversTable(interest: Interest, { schema, table }: { schema: string; table: string }): boolean {
  return (interest.schema === '*' || interest.schema === schema) && (interest.table === '*' || interest.table === table)
}

/** Whether a change is of the kind and table asked for; the conditions are another matter. */
export function concerns(interest: Interest, change: RowChange): boolean {
  return (interest.event === '*' || interest.event === change.type) && coversTable(interest, change)
}

/** As it stands in the messages that refuse it. */
export function describeInterest({ event, schema, table, conditions, select }: Interest): string {
  const filters = conditions.map(
    ({ column, operator, value, negated }) => `{${[column, operator, value, negated].map(inspect).join(', ')}}`,
  )
  return `event: ${event}, schema: ${schema}, table: ${table}, filters: [${filters.join(', ')}], select: ${inspect(select)}`
}
