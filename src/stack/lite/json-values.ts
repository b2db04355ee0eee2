import type { AnyAST, IntrospectResult } from '@supabase/lite'

/**
 * Keeps JSON values what they are. @supabase/lite 0.10.0 parses a string meant for a json column (`"123"` becomes the
 * number 123) and takes a string argument for JSON text (`"hello"` is refused); PostgREST stores both as JSON strings.
 * Objects, numbers and booleans in columns go the same way, so that the driver does not guess a type for them.
 */
export function keepJsonValues(ast: AnyAST, schema: IntrospectResult): AnyAST {
  if (ast.type === 'rpc') return keepJsonArguments(ast, schema)
  if (!ast.values) return ast
  const columns = new Set(
    schema.columns
      .filter(({ table, schema: of }) => table === ast.from && of === (ast.schema ?? 'public'))
      .filter(({ type, pg_type }) => isJson(pg_type ?? type))
      .map(({ name }) => name),
  )
  if (columns.size === 0) return ast
  const keep = (row: object) =>
    mapEntries(row, (name, value) => (columns.has(name) && value !== null ? encodeTwice(value) : value))
  return { ...ast, values: Array.isArray(ast.values) ? ast.values.map(keep) : keep(ast.values) }
}

function keepJsonArguments(ast: AnyAST, schema: IntrospectResult): AnyAST {
  // A GET carries JSON text in its query string, which is right as it is.
  if (ast.httpMethod !== 'POST' || !ast.args || Array.isArray(ast.args)) return ast
  const overloads = (schema.functions ?? []).filter(
    (candidate) => candidate.name === ast.function && candidate.schema === (ast.schema ?? 'public'),
  )
  const takesJson = (name: string) =>
    overloads.some(({ arg_names, arg_types }) => isJson(arg_types[arg_names.indexOf(name)] ?? ''))
  return {
    ...ast,
    args: mapEntries(ast.args, (name, value) =>
      typeof value === 'string' && takesJson(name) ? JSON.stringify(value) : value,
    ),
  }
}

// Once for Postgres, once more because lite decodes it once on the way.
const encodeTwice = (value: unknown) => JSON.stringify(JSON.stringify(value))

const isJson = (type: string) => type === 'json' || type === 'jsonb'

function mapEntries(from: object, change: (name: string, value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, change(name, value)]))
}
