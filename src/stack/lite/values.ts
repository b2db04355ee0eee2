import type { AnyAST, IntrospectResult } from '@supabase/lite'

/**
 * Keeps the values of a request what they are on their way to Postgres; PostgREST stores them as they were sent.
 * @supabase/lite 0.10.0 parses a string meant for a json column (`"123"` becomes a number) and takes a string argument
 * for JSON text (`"hello"` is refused); its driver takes a list of booleans for one boolean.
 */
export function keepValues(ast: AnyAST, schema: IntrospectResult): AnyAST {
  if (ast.type === 'rpc') return keepArguments(ast, schema)
  if (!ast.values) return ast
  const json = new Set(
    schema.columns
      .filter(({ table, schema: of }) => table === ast.from && of === (ast.schema ?? 'public'))
      .filter(({ type, pg_type }) => isJson(pg_type ?? type))
      .map(({ name }) => name),
  )
  // Once for Postgres, once more because lite decodes it once on the way.
  const keep = (name: string, value: unknown) =>
    json.has(name) && value !== null ? JSON.stringify(JSON.stringify(value)) : keepBooleans(value)
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
  const keep = (name: string, value: unknown) => {
    if (!takesJson(name)) return keepBooleans(value)
    return typeof value === 'string' ? JSON.stringify(value) : value
  }
  return { ...ast, args: mapEntries(ast.args, keep) }
}

/** A list of booleans as Postgres writes it, `{true,null}`; anything else unchanged. */
function keepBooleans(value: unknown): unknown {
  const isList = Array.isArray(value) && value.length > 0
  return isList && value.every((item) => item === null || typeof item === 'boolean') ? `{${value.map(String)}}` : value
}

const isJson = (type: string) => type === 'json' || type === 'jsonb'

function mapEntries(from: object, change: (name: string, value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, change(name, value)]))
}
