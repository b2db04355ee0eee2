import type { AnyAST, ConnectionContextOptions, IntrospectResult, VarsContext } from '@supabase/lite'
import { callerRole, callerSettings } from './caller-settings.ts'
import { calledFunction, currentRequest, type RestRequest, requestSettings } from './current-request.ts'
import { databaseErrorResponse } from './database-error.ts'
import { keepJson } from './json-values.ts'
import { fillMissingValues } from './missing-values.ts'
import { PooledConnection } from './pooled-connection.ts'
import { readResponseSettings, withResponseSettings } from './response-settings.ts'
import type { Schema, SchemaCache } from './schema-cache.ts'
import { applySettings, type Database, inTransaction, type Setting } from './transaction.ts'

/** Hosted's `db-schemas` and `db-extra-search-path`: what names without a schema mean inside a request. */
const searchPath: Setting = ['search_path', '"public", "extensions"']

/**
 * Runs each request in the transaction PostgREST would give it, with its caller's rights and no more. Stock
 * @supabase/lite 0.10.0 grants everything on every table to everyone at the first request, or runs as the login role
 * when no table has row level security.
 */
export class RestConnection extends PooledConnection {
  readonly #schema: SchemaCache

  constructor(url: string, schema: SchemaCache) {
    super(url, 10)
    this.#schema = schema
  }

  override async introspect(): Promise<IntrospectResult> {
    return (await this.#schema.get()).objects
  }

  override async onPostgrestAST(ast: AnyAST): Promise<AnyAST> {
    const plan = fillMissingValues(keepJson(await super.onPostgrestAST(ast), await this.introspect()))
    // An estimate is exact up to a thousand rows; @supabase/lite 0.10.0 answers the planner's guess for any number.
    return plan.$meta?.count === 'estimated' ? { ...plan, $meta: { ...plan.$meta, count: 'exact' } } : plan
  }

  override async withContext<T>(
    vars: VarsContext | undefined,
    run: (db: Database) => Promise<T>,
    options?: ConnectionContextOptions,
  ): Promise<T> {
    const request = currentRequest()
    if (!vars || !request) return super.withContext(vars, run, options)
    // Inside a request lite's router is the only caller, and what it runs always answers.
    return (await this.#answer(vars, run as (db: Database) => Promise<Response>, request)) as T
  }

  async #answer(vars: VarsContext, run: (db: Database) => Promise<Response>, request: RestRequest): Promise<Response> {
    const schema = await this.#schema.get()
    this.types.arrays = schema.arrays
    const role = callerRole(vars)
    const called = calledFunction(request)
    const settings = [
      searchPath,
      ...callerSettings(vars),
      ...(schema.roleSettings.get(role) ?? []),
      ...(schema.functionSettings.get(called ?? '') ?? []),
      ...requestSettings(request),
    ]
    try {
      const { response } = await inTransaction(
        this.kysely,
        isReadOnly(request, schema) ? 'read only' : 'read write',
        async (db) => {
          await applySettings(db, settings)
          return settle(db, await run(db), called !== undefined)
        },
        ({ refused }) => refused,
      )
      return response
    } catch (error) {
      const table = called === undefined ? request.path.slice(1) : undefined
      const response = databaseErrorResponse(error, { role, table })
      if (response) return response
      throw error
    }
  }
}

/**
 * Applies what SQL set on the response; lite has done so already for functions. A refusal that is lite's own (one row
 * was asked for and there are two) undoes the request; a status that SQL chose does not.
 */
async function settle(
  db: Database,
  response: Response,
  isCall: boolean,
): Promise<{ response: Response; refused: boolean }> {
  if (isCall && response.status < 400) return { response, refused: false }
  const settings = await readResponseSettings(db)
  if (isCall) return { response, refused: settings.status === '' }
  if (response.status >= 400) return { response, refused: true }
  return { response: withResponseSettings(response, settings), refused: false }
}

/** Reading requests cannot write, and neither can functions that promise not to (`stable`, `immutable`). */
function isReadOnly(request: RestRequest, schema: Schema): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return true
  const called = calledFunction(request)
  if (called === undefined) return false
  const overloads = (schema.objects.functions ?? []).filter(({ name }) => name === called)
  return overloads.length > 0 && overloads.every(({ volatility }) => volatility !== 'v')
}
