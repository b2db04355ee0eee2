import type { Pgoutput } from 'pg-logical-replication'
import type { RowChange } from './replication.ts'

type RowMessage = Pgoutput.MessageInsert | Pgoutput.MessageUpdate | Pgoutput.MessageDelete

const types = { insert: 'INSERT', update: 'UPDATE', delete: 'DELETE' } as const

/** A row message of a publication, as a change. The decoder leaves a value undefined that was not in the stream. */
export function rowChange(message: RowMessage, commitTime: Date): RowChange {
  const { relation } = message
  const row = (values: Record<string, string | null | undefined> | null) =>
    values &&
    new Map(
      relation.columns.flatMap(({ name }): Array<[string, string | null]> => {
        const value = values[name]
        return value === undefined ? [] : [[name, value]]
      }),
    )
  return {
    schema: relation.schema,
    table: relation.name,
    oid: unsigned(relation.relationOid),
    type: types[message.tag],
    commitTime,
    columns: relation.columns.map(({ name, typeOid, flags }) => ({
      name,
      typeOid: unsigned(typeOid),
      isIdentity: (flags & 1) === 1,
    })),
    new: row(message.tag === 'delete' ? null : message.new),
    old: row(message.tag === 'insert' ? null : (message.old ?? message.key)),
  }
}

/** The decoder reads OIDs as signed. */
function unsigned(oid: number): number {
  return oid >>> 0
}
