import type { AnyAST, IntrospectResult } from '@supabase/lite'

/**
 * Keeps the JSON of a request what it is on its way to Postgres; PostgREST stores it as it was sent. @supabase/lite
 * 0.10.0 parses a string meant for a json column (`"123"` becomes a number), takes a string argument for JSON text
 * (`"hello"` is refused) and encodes objects twice.
 */
export function keepJson(ast: AnyAST, schema: IntrospectResult): AnyAST {
  if (ast.type === 'rpc') return keepArguments(ast, schema)
  if (!ast.values) return ast
  const json = new Set(
    schema.columns
      .filter(({ table, schema: of }) => table === ast.from && of === (ast.schema ?? 'public'))
      .filter(({ type, pg_type }) => isJson(pg_type ?? type))
      .map(({ name }) => name),
  )
  if (json.size === 0) return ast
  // Once for Postgres, once more because lite decodes it once on the way.
  const keep = (name: string, value: unknown) =>
    json.has(name) && value !== null ? JSON.stringify(JSON.stringify(value)) : value
  const keepRow = (row: object) => mapEntries(row, keep)
  return { ...ast, values: Array.isArray(ast.values) ? ast.values.map(keepRow) : keepRow(ast.values) }
}

function keepArguments(ast: AnyAST, schema: IntrospectResult): AnyAST {
  // A GET carries JSON text in its query string, which is right as it is.
  if (ast.httpMethod !== 'POST' || !ast.args || Array.isArray(ast.args)) return ast
  const overloads = (schema.functions ?? []).filter(
    (candidate) => candidate.name === ast.function && candidate.schema === (ast.schema ?? 'public'),
  )
  const takesJson = (name: string) =>
    overloads.some(({ arg_names, arg_types }) => isJson(arg_types[arg_names.indexOf(name)] ?? ''))
  const keep = (name: string, value: unknown) => (takesJson(name) && value !== null ? JSON.stringify(value) : value)
  return { ...ast, args: mapEntries(ast.args, keep) }
}

const isJson = (type: string) => type === 'json' || type === 'jsonb'

function mapEntries(from: object, change: (name: string, value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, change(name, value)]))
}
