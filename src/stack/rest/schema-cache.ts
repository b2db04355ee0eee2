import type { IntrospectResult } from '@supabase/lite'
import { exposed, outwardForeignKeys } from './exposed-objects.ts'
import { PooledConnection } from './pooled-connection.ts'
import { ReloadNotices } from './reload-notices.ts'
import type { Setting } from './transaction.ts'

/** What REST knows of the database without asking. */
export interface Schema {
  objects: IntrospectResult
  /** Settings given to a role (`alter role … set`) or a function, which hold for one request. */
  roleSettings: ReadonlyMap<string, Setting[]>
  functionSettings: ReadonlyMap<string, Setting[]>
  /** The element type of each array type. */
  arrays: ReadonlyMap<number, number>
}

interface SettingRow {
  owner: string
  setting: string
  value: string
}

const roleSettings = `
  select rolname as owner, split_part(entry, '=', 1) as setting, substr(entry, strpos(entry, '=') + 1) as value
  from pg_catalog.pg_roles, unnest(rolconfig) as entry
  join pg_catalog.pg_settings on name = split_part(entry, '=', 1) and context = 'user'`

// PostgREST sets this one before the call: inside it, a limit on the call's time would come too late.
const functionSettings = `
  select proname as owner, split_part(entry, '=', 1) as setting, substr(entry, strpos(entry, '=') + 1) as value
  from pg_catalog.pg_proc, unnest(proconfig) as entry
  where pronamespace = 'public'::regnamespace and split_part(entry, '=', 1) = 'statement_timeout'`

const arrayTypes = `select oid::int as oid, typelem::int as element from pg_catalog.pg_type where typcategory = 'A'`

/**
 * The schema `public` as the API sees it, read on demand and again after `notify pgrst`, which @supabase/lite 0.10.0
 * does not listen to. It is read as a superuser, because information_schema shows a role only what it may use: what a
 * caller may not touch must be known to be refused (42501) rather than missing (PGRST205).
 */
export class SchemaCache {
  readonly #connection: PooledConnection
  #notices: ReloadNotices | undefined
  #schema: Promise<Schema> | undefined

  private constructor(url: string) {
    this.#connection = new PooledConnection(url, 1)
  }

  /**
   * Reads the schema once, so that the first request need not wait for it.
   * @param url a connection string of supabase_admin. Rejects when the database cannot be read.
   */
  static async open(url: string): Promise<SchemaCache> {
    const cache = new SchemaCache(url)
    cache.#notices = await ReloadNotices.open(url, () => {
      cache.#schema = undefined
    })
    await cache.get()
    return cache
  }

  /** Rejects while the database cannot be asked; the next call tries again. */
  get(): Promise<Schema> {
    if (!this.#schema) {
      const loading = this.#load()
      this.#schema = loading
      loading.catch(() => {
        if (this.#schema === loading) this.#schema = undefined
      })
    }
    return this.#schema
  }

  async close(): Promise<void> {
    await Promise.all([this.#notices?.close(), this.#connection.close()])
  }

  async #load(): Promise<Schema> {
    const connection = this.#connection
    const arrays = await connection.query<{ oid: number; element: number }>(arrayTypes)
    connection.types.arrays = new Map(arrays.map(({ oid, element }) => [oid, element]))
    const schema = {
      arrays: connection.types.arrays,
      roleSettings: byOwner(await connection.query(roleSettings)),
      functionSettings: byOwner(await connection.query(functionSettings)),
      objects: exposed(await connection.introspect(), await connection.query(outwardForeignKeys)),
    }
    // Where introspection fails, lite answers with an empty database, in which time zones are missing too.
    if (!schema.objects.timezones) throw new Error('the catalog could not be read')
    return schema
  }
}

function byOwner(rows: SettingRow[]): Map<string, Setting[]> {
  const settings = new Map<string, Setting[]>()
  for (const { owner, setting, value } of rows) settings.set(owner, [...(settings.get(owner) ?? []), [setting, value]])
  return settings
}
