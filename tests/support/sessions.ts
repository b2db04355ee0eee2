import pg from 'pg'
import { createDatabase, type Database } from './database.ts'

/** Somebody signed in, with a database connection of their own, as PostgREST would open one for each of their calls. */
export interface Session {
  id: string
  client: pg.Client
}

/** A database of the test's own with Parley's schema, and connections to it. */
export async function createSessions(): Promise<Sessions> {
  return new Sessions(await createDatabase({ migrated: true }))
}

export class Sessions {
  readonly database: Database
  readonly #clients: pg.Client[] = []

  constructor(database: Database) {
    this.database = database
  }

  /** As `postgres`, or as the superuser, who may switch off what keeps rows whole. */
  async open(role: 'postgres' | 'supabase_admin' = 'postgres'): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.database.url(role) })
    await client.connect()
    this.#clients.push(client)
    return client
  }

  /** A new account, signed in. */
  async signUp(name: string): Promise<Session> {
    const client = await this.open()
    const { rows } = await client.query(
      `insert into auth.users (id, email, raw_user_meta_data)
       values (gen_random_uuid(), $1::text || gen_random_uuid() || '@example.com', jsonb_build_object('username', $1::text))
       returning id`,
      [name],
    )
    await signIn(client, rows[0].id)
    return { id: rows[0].id, client }
  }

  /** One more connection of the same person: another device. */
  async again({ id }: Session): Promise<Session> {
    const client = await this.open()
    await signIn(client, id)
    return { id, client }
  }

  /** Ends the connections, and the database with them. */
  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()))
    await this.database.drop()
  }
}

async function signIn(client: pg.Client, id: string): Promise<void> {
  await client.query("select set_config('request.jwt.claims', $1, false), set_config('role', 'authenticated', false)", [
    JSON.stringify({ sub: id, role: 'authenticated' }),
  ])
}

/** The first value of a query's first row. */
export async function one<T>(client: pg.Client, sql: string, values: unknown[] = []): Promise<T> {
  const { rows } = await client.query({ text: sql, values, rowMode: 'array' })
  return rows[0]?.[0]
}

/** Resolves once this connection waits for another one's lock, as `observer`, a third one, sees it. */
export async function waitsForALock(observer: pg.Client, client: pg.Client): Promise<void> {
  const pid = (client as unknown as { processID: number }).processID
  while (!(await one<boolean>(observer, 'select cardinality(pg_blocking_pids($1)) > 0', [pid]))) {
    await new Promise(setImmediate)
  }
}
