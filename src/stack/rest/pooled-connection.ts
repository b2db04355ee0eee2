import { PostgresConnection } from '@supabase/lite/postgres'
import { Kysely, PostgresDialect } from 'kysely'
import type pg from 'pg'
import { openPool } from '../postgres/pool.ts'
import { WireTypes } from './wire-types.ts'

/**
 * The Postgres connection of @supabase/lite 0.10.0 over node-postgres. Its own driver, postgres 3.4.9, takes the whole
 * process down when the server goes away in the middle of a transaction.
 */
export class PooledConnection extends PostgresConnection {
  readonly types = new WireTypes()
  readonly #pool: pg.Pool

  /** @param max the most connections at a time; who comes then waits */
  constructor(url: string, max: number) {
    // The driver made here opens nothing before its first query, and is never given one.
    super({ url })
    // A connection that is lost while nobody uses it is replaced when needed.
    this.#pool = openPool({ connectionString: url, max, types: this.types.config }, () => {})
    this.kysely = new Kysely({ dialect: new PostgresDialect({ pool: this.#pool }) })
  }

  override async close(): Promise<void> {
    await Promise.all([this.#pool.end(), super.close()])
  }

  /** Runs SQL outside of any request. */
  async query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
    return (await this.#pool.query<Row>(sql)).rows
  }
}
