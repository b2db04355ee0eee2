import type { IntrospectResult } from '@supabase/lite'

/** A foreign key by its table and name. */
export interface ForeignKeyName {
  table: string
  name: string
}

/** Those that lead out of the API, which @supabase/lite 0.10.0 takes for keys to a table of the same name in public. */
export const outwardForeignKeys = `
  select pg_class.relname as table, conname as name
  from pg_catalog.pg_constraint
  join pg_catalog.pg_class on pg_class.oid = conrelid
  join pg_catalog.pg_class as target on target.oid = confrelid
  where contype = 'f'
    and pg_class.relnamespace = 'public'::regnamespace and target.relnamespace <> 'public'::regnamespace`

/**
 * What of the database is in the API: the schema `public`. Lite would offer embeds into auth.users, and search every
 * extension's functions by name on each request.
 */
export function exposed(all: IntrospectResult, outward: ForeignKeyName[]): IntrospectResult {
  const inPublic = ({ schema }: { schema: string }) => schema === 'public'
  const leadsOut = new Set(outward.map(({ table, name }) => `${table}.${name}`))
  return {
    ...all,
    tables: all.tables.filter(inPublic),
    columns: all.columns.filter(inPublic),
    indexes: all.indexes.filter(inPublic),
    foreign_keys: keysFirst(
      all.foreign_keys.filter((key) => inPublic(key) && !leadsOut.has(`${key.table}.${key.foreign_key_name}`)),
      all.primary_keys.filter(inPublic),
    ),
    primary_keys: all.primary_keys.filter(inPublic),
    views: all.views.filter(inPublic),
    functions: (all.functions ?? []).filter(inPublic),
  }
}

// A table joins two others many-to-many by its primary key; lite joins by the first foreign key it finds, which may be
// `invited_by`.
function keysFirst(
  foreignKeys: IntrospectResult['foreign_keys'],
  primaryKeys: IntrospectResult['primary_keys'],
): IntrospectResult['foreign_keys'] {
  const columns = new Set(primaryKeys.flatMap((key) => key.columns.map((column) => `${key.table}.${column}`)))
  const rank = (key: { table: string; column: string }) => (columns.has(`${key.table}.${key.column}`) ? 0 : 1)
  return foreignKeys.toSorted((a, b) => rank(a) - rank(b))
}
