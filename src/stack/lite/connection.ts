import type { AnyAST, ConnectionContextOptions, VarsContext } from '@supabase/lite'
import { PostgresConnection } from '@supabase/lite/postgres'
import { keepValues } from './values.ts'
import { wireTypes } from './wire-types.ts'

type Database = PostgresConnection['kysely']
/** A Postgres setting for the length of one transaction. */
export type Setting = readonly [name: string, value: string]

/** Who a request runs as, in the shape @supabase/lite hands it over. */
interface RequestVars {
  auth?: { role?: string | null; uid?: string | null; jwt?: unknown }
  storage?: { operation?: string | null }
}

export interface ConnectionOptions {
  /** The most connections at a time; requests beyond wait. */
  max?: number
}

/**
 * A pool of connections for one part of the stack, which runs each request in one transaction as the caller's role.
 * Opens nothing before the first query.
 * @param url a connection string; its role must be allowed to switch to the callers' roles
 */
export async function openConnection(url: string, options: ConnectionOptions = {}): Promise<PostgresConnection> {
  return new RoleConnection(url, options)
}

/**
 * The Postgres connection of @supabase/lite 0.10.0, where every request runs with its caller's rights and no more:
 * stock, the first request grants everything on every table to everyone, or runs as the login role when no table has
 * row level security. What a request needs to know about its caller is told to Postgres in one round trip.
 */
export class RoleConnection extends PostgresConnection {
  constructor(url: string, { max = 10 }: ConnectionOptions = {}) {
    super({
      url,
      postgresOptions: {
        max,
        types: wireTypes,
        // A connection that is ended for its age may be in the middle of a transaction.
        max_lifetime: null,
        // After a restart of Postgres the stack is back at once, not when a growing pause is over.
        backoff: () => 0.1,
        onnotice: () => {},
      },
    })
  }

  override async withContext<T>(
    vars: VarsContext | undefined,
    run: (db: Database) => Promise<T>,
    options: ConnectionContextOptions = {},
  ): Promise<T> {
    if (!vars) return super.withContext(vars, run, options)
    const settings = callerSettings(vars as RequestVars)
    const runAsCaller = async (db: Database) => {
      await applySettings(db, settings)
      return run(db)
    }
    if (options.transaction) return runAsCaller(options.transaction)
    return inTransaction(this.kysely, runAsCaller, () => options.forceRollback === true)
  }

  override async onPostgrestAST(ast: AnyAST): Promise<AnyAST> {
    return keepValues(await super.onPostgrestAST(ast), await this.introspect({ useCache: true }))
  }
}

/** What policies and functions may ask about the caller: Supabase's `auth.uid()`, `auth.jwt()` and friends read these. */
export function callerSettings({ auth, storage }: RequestVars): Setting[] {
  const role = auth?.role || 'anon'
  const uid = auth?.uid ?? ''
  const claims = auth?.jwt ?? { role, ...(uid && { sub: uid }) }
  return [
    ['role', role],
    ['request.jwt.claims', JSON.stringify(claims)],
    ['request.jwt.claim.sub', uid],
    ['request.jwt.claim.role', role],
    ['storage.operation', storage?.operation ?? ''],
  ]
}

/** Sets all of them, in this order, until the transaction ends. */
export async function applySettings(db: Database, settings: Setting[]): Promise<void> {
  await db
    .selectNoFrom((eb) =>
      settings.map(([name, value], index) =>
        eb.fn('set_config', [eb.val(name), eb.val(value), eb.lit(true)]).as(`setting_${index}`),
      ),
    )
    .execute()
}

class Rollback<T> extends Error {
  readonly result: T

  constructor(result: T) {
    super('rolled back on purpose')
    this.result = result
  }
}

/** Runs it in a transaction of its own, and gives its result back even when that result asks for a rollback. */
export async function inTransaction<T>(
  database: Database,
  run: (db: Database) => Promise<T>,
  rollsBack: (result: T) => boolean,
  accessMode: 'read only' | 'read write' = 'read write',
): Promise<T> {
  try {
    return await database
      .transaction()
      .setAccessMode(accessMode)
      .execute(async (db) => {
        const result = await run(db)
        if (rollsBack(result)) throw new Rollback(result)
        return result
      })
  } catch (error) {
    if (error instanceof Rollback) return error.result
    throw error
  }
}
