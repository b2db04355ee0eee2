import pg from 'pg'

/** A connection for tests. */
export interface Client {
  /** Runs one statement; its rows. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>
  /** Asks again until there is a row. The test's own time limit ends a vain wait. */
  until<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row>
  end(): Promise<void>
}

export async function connect(url: string): Promise<Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const sql = async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
    (await client.query<Row>(text, values)).rows
  return {
    sql,
    until: async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) => {
      for (;;) {
        const [row] = await sql<Row>(text, values)
        if (row) return row
        await sql('select pg_sleep(0.02)')
      }
    },
    end: () => client.end(),
  }
}
