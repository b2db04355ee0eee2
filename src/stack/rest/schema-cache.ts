import type { IntrospectResult } from '@supabase/lite'
import { PostgresConnection } from '@supabase/lite/postgres'
import type { Setting } from '../lite/connection.ts'

/** What REST knows of the database without asking. */
export interface Schema {
  objects: IntrospectResult
  /** Settings given to a role (`alter role … set`) or a function, which hold for one request. */
  roleSettings: Map<string, Setting[]>
  functionSettings: Map<string, Setting[]>
}

interface SettingRow {
  owner: string
  setting: string
  value: string
}

/**
 * The schema `public` as the API sees it, read on demand and again after `notify pgrst, 'reload schema'`, which
 * @supabase/lite 0.10.0 does not listen to. It reads as a superuser, because information_schema shows a role only what
 * it may use: what a caller may not touch must be known to be refused (42501) rather than missing (PGRST205).
 */
export class SchemaCache {
  readonly #connection: PostgresConnection
  #schema: Promise<Schema> | undefined

  private constructor(connection: PostgresConnection) {
    this.#connection = connection
  }

  /** @param url a connection string of supabase_admin. Rejects when the database cannot be reached. */
  static async open(url: string): Promise<SchemaCache> {
    const connection = new PostgresConnection({
      url,
      postgresOptions: { max: 1, max_lifetime: null, backoff: () => 0.1, onnotice: () => {} },
    })
    const cache = new SchemaCache(connection)
    const forget = () => {
      cache.#schema = undefined
    }
    // Also forgets whenever it listens anew: a notice given while the connection was down is lost.
    await connection.driver.listen('pgrst', forget, forget)
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
    await this.#connection.close()
  }

  async #load(): Promise<Schema> {
    const settings = await this.#settings()
    const objects = await this.#connection.introspect()
    // Where introspection fails, lite answers with an empty database, in which time zones are missing too.
    if (!objects.timezones) throw new Error('The schema of the database could not be read.')
    return { objects: exposed(objects), ...settings }
  }

  async #settings(): Promise<Omit<Schema, 'objects'>> {
    const { driver } = this.#connection
    const ofRoles = await driver<SettingRow[]>`
      select rolname as owner, split_part(entry, '=', 1) as setting, substr(entry, strpos(entry, '=') + 1) as value
      from pg_catalog.pg_roles, unnest(rolconfig) as entry
      join pg_catalog.pg_settings on name = split_part(entry, '=', 1) and context = 'user'`
    // PostgREST sets these two before the call: inside it, a time limit would come too late.
    const ofFunctions = await driver<SettingRow[]>`
      select proname as owner, split_part(entry, '=', 1) as setting, substr(entry, strpos(entry, '=') + 1) as value
      from pg_catalog.pg_proc, unnest(proconfig) as entry
      where pronamespace = 'public'::regnamespace
        and split_part(entry, '=', 1) = 'statement_timeout'`
    return { roleSettings: byOwner(ofRoles), functionSettings: byOwner(ofFunctions) }
  }
}

function byOwner(rows: SettingRow[]): Map<string, Setting[]> {
  const settings = new Map<string, Setting[]>()
  for (const { owner, setting, value } of rows) settings.set(owner, [...(settings.get(owner) ?? []), [setting, value]])
  return settings
}

// Lite would offer embeds into auth.users and search every extension's functions by name on each request.
function exposed(all: IntrospectResult): IntrospectResult {
  const inPublic = ({ schema }: { schema: string }) => schema === 'public'
  const inKey = new Set(
    all.primary_keys.flatMap(({ schema, table, columns }) => columns.map((column) => `${schema}.${table}.${column}`)),
  )
  const isKeyColumn = ({ schema, table, column }: { schema: string; table: string; column: string }) =>
    inKey.has(`${schema}.${table}.${column}`)
  return {
    ...all,
    tables: all.tables.filter(inPublic),
    columns: all.columns.filter(inPublic),
    indexes: all.indexes.filter(inPublic),
    // A table joins two others many-to-many by its primary key; lite takes the first foreign key it finds, which may be
    // `invited_by`.
    foreign_keys: all.foreign_keys
      .filter((key) => inPublic(key) && (key.ref_schema ?? 'public') === 'public')
      .sort((a, b) => Number(isKeyColumn(b)) - Number(isKeyColumn(a))),
    primary_keys: all.primary_keys.filter(inPublic),
    views: all.views.filter(inPublic),
    functions: (all.functions ?? []).filter(inPublic),
  }
}
