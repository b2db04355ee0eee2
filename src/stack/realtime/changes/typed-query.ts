import pg from 'pg'

/** The parameters of one statement, each of a Postgres type named by its oid. */
export class TypedParameters {
  readonly values: Array<string | null> = []
  readonly types: number[] = []

  /** Adds a value, as Postgres' text of it, and answers its placeholder. */
  add(value: string | null, typeOid: number): string {
    this.types.push(typeOid)
    return `$${this.values.push(value)}`
  }
}

/**
 * Runs a statement whose parameters have types of their own; answers its only row, a list of columns.
 *
 * Written as casts, the types would have to be named, and Postgres lets a name be used by those with rights on its
 * schema only. node-postgres 8.23.1 hands `types` both to the message that prepares the statement, as the oids, and to
 * the reading of the answer.
 */
export async function queryRow(
  client: pg.ClientBase,
  text: string,
  { values, types }: TypedParameters,
): Promise<unknown[]> {
  const both: number[] & pg.CustomTypesConfig = Object.assign([...types], { getTypeParser: pg.types.getTypeParser })
  const statement: pg.QueryArrayConfig = { text, values, types: both, rowMode: 'array' }
  const { rows } = await client.query<unknown[]>(statement)
  return rows[0] ?? []
}
