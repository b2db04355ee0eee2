import type pg from 'pg'
import { openPool } from '../postgres/pool.ts'
import { inTransaction, type Transaction } from '../postgres/transaction.ts'
import { fromDatabase } from './errors.ts'
import type { Identity } from './identity.ts'

/** Transactions on schema storage, each as somebody: row level security decides what they see and may do. */
export class Database {
  readonly #pool: pg.Pool

  /**
   * @param url of the project's database, as supabase_storage_admin
   * @param log told of connections that break while nobody uses them
   */
  constructor(url: string, log: (message: string) => void) {
    const config: pg.PoolConfig = {
      connectionString: url,
      max: 5,
      idleTimeoutMillis: 30_000,
      application_name: 'storage',
      statement_timeout: 30_000,
      // Policies may call what is in the schemas `public` and `extensions`, as on hosted.
      options: '-c search_path=storage,public,extensions',
    }
    this.#pool = openPool(config, (error) => log(`storage: lost a database connection: ${error.message}`))
  }

  /**
   * Runs `work` in one transaction as `identity`.
   * @param operation storage-api's name of what is done, for policies that ask `storage.operation()`
   * @throws {StorageError} for what the database refused
   */
  async as<T>(identity: Identity, operation: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    try {
      return await inTransaction(this.#pool, async (tx) => {
        await tx.query(
          `select
             set_config('role', $1, true),
             set_config('request.jwt.claims', $2, true),
             set_config('request.jwt.claim.sub', $3, true),
             set_config('request.jwt.claim.role', $1, true),
             set_config('storage.operation', $4, true),
             set_config('storage.allow_delete_query', 'true', true)`,
          [identity.role, JSON.stringify(identity.claims), identity.userId ?? '', operation],
        )
        return work(tx)
      })
    } catch (error) {
      throw fromDatabase(error)
    }
  }

  /** Throws what `as` would throw, and leaves no trace: asks the policies before the bytes are there. */
  async probe(identity: Identity, operation: string, work: (tx: Transaction) => Promise<unknown>): Promise<void> {
    const allowed = new Error('allowed; rolled back')
    try {
      await this.as(identity, operation, async (tx) => {
        await work(tx)
        throw allowed
      })
    } catch (error) {
      if (error !== allowed) throw error
    }
  }

  /** The versions that are in use: every other file is an orphan. */
  async versions(): Promise<Set<string>> {
    const { rows } = await this.#pool.query<{ version: string }>(
      'select version from storage.objects where version is not null',
    )
    return new Set(rows.map(({ version }) => version))
  }

  close(): Promise<void> {
    return this.#pool.end()
  }
}
