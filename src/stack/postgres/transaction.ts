import type pg from 'pg'

/** The connection of an open transaction. */
export interface Transaction {
  /** Runs one statement, one at a time; its rows. */
  query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>
}

/** Runs the work in one transaction: kept when it returns, undone when it throws. */
export async function inTransaction<Result>(
  pool: pg.Pool,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect()
  const tx: Transaction = {
    query: async <Row extends object>(text: string, values: unknown[] = []) =>
      (await client.query<Row>(text, values)).rows,
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
