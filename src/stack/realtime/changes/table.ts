import type { ClientBase } from 'pg'

export interface Column {
  name: string
  typeOid: number
  /** Zero when there is no such type: an array has none. */
  arrayTypeOid: number
  /** `int8`, `_text` */
  typeName: string
  /** `bigint`, `text[]` */
  sqlType: string
  inPrimaryKey: boolean
  /** Those of the roles asked about that may select it. */
  readers: string[]
}

/** A table as it is now. */
export interface Table {
  schema: string
  name: string
  rowSecurity: boolean
  /** In their order. */
  columns: Column[]
}

/** Null when the table is gone. */
export async function readTable(client: ClientBase, oid: number, roles: string[]): Promise<Table | null> {
  const { rows } = await client.query<{ schema: string; table: string; rowSecurity: boolean } & Column>(
    `select
      n.nspname as schema,
      c.relname as table,
      c.relrowsecurity as "rowSecurity",
      a.attname as name,
      a.atttypid as "typeOid",
      t.typarray as "arrayTypeOid",
      t.typname as "typeName",
      a.atttypid::regtype::text as "sqlType",
      coalesce(a.attnum = any (i.indkey), false) as "inPrimaryKey",
      array(
        select r.rolname::text from pg_roles r
        where r.rolname = any ($2::text[]) and has_column_privilege(r.oid, c.oid, a.attnum, 'select')
      ) as readers
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    join pg_type t on t.oid = a.atttypid
    left join pg_index i on i.indrelid = c.oid and i.indisprimary
    where c.oid = $1
    order by a.attnum`,
    [oid, roles],
  )
  const first = rows[0]
  if (!first) return null
  const columns = rows.map(({ schema: _, table: __, rowSecurity: ___, ...column }) => column)
  return { schema: first.schema, name: first.table, rowSecurity: first.rowSecurity, columns }
}
