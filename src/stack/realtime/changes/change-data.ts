import type { RowChange } from '../replication.ts'
import type { Evaluation, Values } from './evaluation.ts'
import type { Column, Table } from './table.ts'

const maxChangeBytes = 1_048_576
/** What of a larger change is still told: values whose JSON is no longer than this. */
const maxValueBytes = 64

/** Why a role is told no more than that something changed; null when it is told. */
export function refusalReason(change: RowChange, table: Table, role: string): string | null {
  if (change.type === 'DELETE') return null
  const keys = table.columns.filter((column) => column.inPrimaryKey)
  if (keys.length === 0) return 'Error 400: Bad Request, no primary key'
  return keys.every((column) => column.readers.includes(role)) ? null : 'Error 401: Unauthorized'
}

/** The `data` of a message that tells no more than that something changed. */
export function refusalData(change: RowChange, reason: string): Record<string, unknown> {
  return {
    schema: change.schema,
    table: change.table,
    type: change.type,
    commit_timestamp: null,
    columns: [],
    record: {},
    ...(change.type === 'UPDATE' && { old_record: {} }),
    errors: [reason],
  }
}

/** The `data` of a message, as a role may see it, cut to the columns selected. */
export function changeData(
  change: RowChange,
  table: Table,
  evaluation: Evaluation,
  role: string,
  select: string[] | null,
): Record<string, unknown> {
  const told = table.columns.filter(
    (column) =>
      column.readers.includes(role) && (select === null || column.inPrimaryKey || select.includes(column.name)),
  )
  const tooLarge = changeBytes(change) > maxChangeBytes
  const tell = (values: Values, columns = told) => toRecord(values, columns, tooLarge)
  const { new: added, old: removed } = evaluation
  return {
    schema: change.schema,
    table: change.table,
    type: change.type,
    commit_timestamp: change.commitTime.toISOString(),
    columns: told.map(({ name, typeName }) => ({ name, type: typeName })),
    // With REPLICA IDENTITY FULL, a large value that did not change is in the old row only.
    ...(change.type !== 'DELETE' && { record: tell(new Map([...removed, ...added])) }),
    ...(change.type === 'UPDATE' && { old_record: tell(oldIdentity(change, evaluation)) }),
    // Nobody can be asked whether a row that is gone was visible.
    ...(change.type === 'DELETE' && {
      old_record: tell(removed, table.rowSecurity ? told.filter((column) => column.inPrimaryKey) : told),
    }),
    errors: tooLarge ? ['Error 413: Payload Too Large'] : null,
  }
}

/** The columns that identify the row before the change. No old row in the stream: they are what they were. */
function oldIdentity(change: RowChange, { new: added, old: removed }: Evaluation): Values {
  if (change.old) return removed
  const identity = new Set(change.columns.filter((column) => column.isIdentity).map((column) => column.name))
  return new Map([...added].filter(([name]) => identity.has(name)))
}

function toRecord(values: Values, columns: Column[], tooLarge: boolean): Record<string, unknown> {
  return Object.fromEntries(
    columns
      .filter(({ name }) => values.has(name))
      .map(({ name }): [string, unknown] => [name, values.get(name)])
      .filter(
        ([, value]) => !tooLarge || (value !== null && Buffer.byteLength(JSON.stringify(value)) <= maxValueBytes),
      ),
  )
}

/** About as much as its JSON would have. */
export function changeBytes(change: RowChange): number {
  let bytes = 0
  for (const row of [change.new, change.old]) {
    for (const [name, value] of row ?? []) bytes += name.length + (value === null ? 4 : Buffer.byteLength(value))
  }
  return bytes
}
