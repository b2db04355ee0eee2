import type { IntrospectResult } from '@supabase/lite'

/**
 * What of the database is in the API: the schema `public`. Lite would offer embeds into auth.users, and search every
 * extension's functions by name on each request.
 */
export function exposed(all: IntrospectResult): IntrospectResult {
  const inPublic = ({ schema }: { schema: string }) => schema === 'public'
  return {
    ...all,
    tables: all.tables.filter(inPublic),
    columns: all.columns.filter(inPublic),
    indexes: all.indexes.filter(inPublic),
    foreign_keys: keysFirst(
      all.foreign_keys.filter((key) => inPublic(key) && (key.ref_schema ?? 'public') === 'public'),
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
