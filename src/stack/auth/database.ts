import pg from 'pg'

/** Something that runs one statement: the pool, or the connection of an open transaction. */
export interface Db {
  query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>
}

/** The service's connections, as the role that owns schema auth. */
export class AuthDatabase implements Db {
  readonly #pool: pg.Pool

  /** @param log told of connections that break while nobody uses them */
  constructor(url: string, log: (line: string) => void) {
    this.#pool = new pg.Pool({ connectionString: url, max: 5 })
    this.#pool.on('error', (error) => log(`auth: lost a database connection: ${error.message}`))
  }

  async query<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
    const { rows } = await this.#pool.query<Row>(text, values)
    return rows
  }

  /** Runs the work in one transaction: kept when it returns, undone when it throws. */
  async transaction<Result>(work: (tx: Db) => Promise<Result>): Promise<Result> {
    const client = await this.#pool.connect()
    const tx: Db = {
      async query<Row extends object>(text: string, values: unknown[] = []) {
        const { rows } = await client.query<Row>(text, values)
        return rows
      },
    }
    try {
      await client.query('begin')
      const result = await work(tx)
      await client.query('commit')
      client.release()
      return result
    } catch (error) {
      await client.query('rollback').then(
        () => client.release(),
        // The connection itself is gone: drop it, and report what went wrong first.
        (broken: Error) => client.release(broken),
      )
      throw error
    }
  }

  close(): Promise<void> {
    return this.#pool.end()
  }
}

/** Whether a statement failed because another row already has this value. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '23505'
}
