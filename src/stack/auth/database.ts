import pg from 'pg'
import { openPool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'

/** Something that runs one statement: the pool, or the connection of an open transaction. */
export interface Db {
  query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>
}

/** The service's connections, as the role that owns schema auth. */
export class AuthDatabase implements Db {
  readonly #pool: pg.Pool

  /** @param log told of connections that break while nobody uses them */
  constructor(url: string, log: (line: string) => void) {
    this.#pool = openPool({ connectionString: url, max: 5 }, (error) =>
      log(`auth: lost a database connection: ${error.message}`),
    )
  }

  async query<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
    const { rows } = await this.#pool.query<Row>(text, values)
    return rows
  }

  /** Runs the work in one transaction: kept when it returns, undone when it throws. */
  transaction<Result>(work: (tx: Db) => Promise<Result>): Promise<Result> {
    return inTransaction(this.#pool, work)
  }

  close(): Promise<void> {
    return this.#pool.end()
  }
}

/** Whether a statement failed because another row already has this value. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '23505'
}
