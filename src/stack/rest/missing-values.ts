import type { AnyAST } from '@supabase/lite'

/**
 * Rows of one insert may name different columns; supabase-js then lists all of them in `columns`. What a row leaves out
 * is null, or the column's default with `Prefer: missing=default`. @supabase/lite 0.10.0 always stores the default, and
 * always answers null.
 */
export function fillMissingValues(ast: AnyAST): AnyAST {
  const columns = ast.$meta?.columns
  if (!columns || !ast.values || (ast.type !== 'insert' && ast.type !== 'upsert')) return ast
  // Undefined becomes the word `default` in SQL.
  const missing = ast.$meta?.missing === 'default' ? undefined : null
  const blank = Object.fromEntries(columns.map((column) => [column, missing]))
  const fill = (row: object) => ({ ...blank, ...row })
  return { ...ast, values: Array.isArray(ast.values) ? ast.values.map(fill) : fill(ast.values) }
}
