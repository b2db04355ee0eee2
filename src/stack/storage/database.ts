import postgres, { type Sql, type TransactionSql } from 'postgres'
import { fromDatabase } from './errors.ts'
import type { Identity } from './identity.ts'

/** Transactions on schema storage, each as somebody: row level security decides what they see and may do. */
export class Database {
  readonly #sql: Sql

  /** @param url of the project's database, as supabase_storage_admin */
  constructor(url: string) {
    this.#sql = postgres(url, {
      max: 5,
      idle_timeout: 30,
      // Policies may call what is in the schemas `public` and `extensions`, as on hosted.
      connection: {
        application_name: 'storage',
        search_path: 'storage, public, extensions',
        statement_timeout: 30_000,
      },
    })
  }

  /**
   * Runs `work` in one transaction as `identity`.
   * @param operation storage-api's name of what is done, for policies that ask `storage.operation()`
   * @throws {StorageError} for what the database refused
   */
  async as<T>(identity: Identity, operation: string, work: (sql: TransactionSql) => Promise<T>): Promise<T> {
    const claims = JSON.stringify(identity.claims)
    const transaction = this.#sql.begin(async (sql) => {
      await sql`
        select
          set_config('role', ${identity.role}, true),
          set_config('request.jwt.claims', ${claims}, true),
          set_config('request.jwt.claim.sub', ${identity.userId ?? ''}, true),
          set_config('request.jwt.claim.role', ${identity.role}, true),
          set_config('storage.operation', ${operation}, true),
          set_config('storage.allow_delete_query', 'true', true)`
      // In an array, because `begin` awaits every member of one: a bare array of rows would be taken for queries.
      return { result: await work(sql) }
    })
    try {
      return (await transaction).result as T
    } catch (error) {
      throw fromDatabase(error)
    }
  }

  /** Throws what `as` would throw, and leaves no trace: asks the policies before the bytes are there. */
  async probe(identity: Identity, operation: string, work: (sql: TransactionSql) => Promise<unknown>): Promise<void> {
    const allowed = new Error('allowed; rolled back')
    try {
      await this.as(identity, operation, async (sql) => {
        await work(sql)
        throw allowed
      })
    } catch (error) {
      if (error !== allowed) throw error
    }
  }

  /** The versions that are in use: every other file is an orphan. */
  async versions(): Promise<Set<string>> {
    const rows = await this.#sql<{ version: string }[]>`
      select version from storage.objects where version is not null`
    return new Set(rows.map(({ version }) => version))
  }

  close(): Promise<void> {
    return this.#sql.end({ timeout: 5 })
  }
}
