import { readFile } from 'node:fs/promises'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { type JWTPayload, SignJWT } from 'jose'
import pg from 'pg'
import WebSocket from 'ws'
import { localKeys } from '../../../src/stack/keys.ts'
import { startRest } from '../../../src/stack/rest/rest.ts'
import { createDatabase } from '../../support/database.ts'

export const keys = localKeys
export const ana = '00000000-0000-4000-8000-00000000000a'
export const ben = '00000000-0000-4000-8000-00000000000b'

export interface Served {
  /** supabase-js with the publishable key, and with the secret one. */
  anon: SupabaseClient
  service: SupabaseClient
  /** supabase-js as somebody signed in. */
  signedIn(userId: string): Promise<SupabaseClient>
  /** A request as it is, path after `/rest/v1`. */
  request(path: string, init?: RequestInit): Promise<Response>
  /** SQL as the project's owner. */
  sql(text: string): Promise<Record<string, unknown>[]>
  /** SQL as the superuser. */
  adminSql(text: string): Promise<Record<string, unknown>[]>
  close(): Promise<void>
}

/** `/rest/v1` over a database of its own that holds schema.sql. */
export async function serve(): Promise<Served> {
  const database = await createDatabase({ migrated: false })
  const sql = await connect(database.url('postgres'))
  const adminSql = await connect(database.url('supabase_admin'))
  await sql.run(await readFile(new URL('schema.sql', import.meta.url), 'utf8'))
  const rest = await startRest({
    databaseUrl: database.url('authenticator'),
    introspectionUrl: database.url('supabase_admin'),
    keys,
    log: () => {},
  })
  const send = (request: Request) => Promise.resolve(rest.fetch(request, { address: '203.0.113.7' }))
  const client = (key: string, token?: string) =>
    createClient('http://localhost', key, {
      auth: { persistSession: false, autoRefreshToken: false },
      realtime: { transport: WebSocket as never },
      global: {
        fetch: (input, init) => send(new Request(input, init)),
        headers: token ? { authorization: `Bearer ${token}` } : {},
      },
    })

  return {
    anon: client(keys.publishable),
    service: client(keys.secret),
    signedIn: async (sub) => client(keys.publishable, await token({ sub, role: 'authenticated' })),
    request: (path, init) => send(new Request(`http://localhost/rest/v1${path}`, init)),
    sql: sql.run,
    adminSql: adminSql.run,
    async close() {
      await rest.close()
      await sql.end()
      await adminSql.end()
      await database.drop()
    },
  }
}

/** A user's token with these claims, good for an hour. */
export function token(
  claims: JWTPayload,
  secret: string = keys.jwtSecret,
  expires: string | number = '1h',
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(secret))
}

async function connect(url: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return { run: async (text: string) => (await client.query(text)).rows, end: () => client.end() }
}
