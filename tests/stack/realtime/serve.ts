import { createClient, type RealtimeChannel, type SupabaseClient } from '@supabase/supabase-js'
import { type JWTPayload, SignJWT } from 'jose'
import { createClient as createOldClient } from 'supabase-js-2024'
import WebSocket from 'ws'
import { startGateway } from '../../../src/stack/gateway/gateway.ts'
import { localKeys } from '../../../src/stack/keys.ts'
import { openPool } from '../../../src/stack/postgres/pool.ts'
import type { Limits } from '../../../src/stack/realtime/limits.ts'
import { startRealtime } from '../../../src/stack/realtime/realtime.ts'
import type { Service } from '../../../src/stack/service.ts'
import { createDatabase, type Database } from '../../support/database.ts'
import { RawClient } from './raw-client.ts'

export const keys = localKeys
export const ana = '00000000-0000-4000-8000-00000000000a'

export interface Served {
  url: string
  /** What the server has logged. */
  lines: string[]
  /** supabase-js of today, anonymous or with a token; closed with the server. */
  client(token?: string): Promise<SupabaseClient>
  /** supabase-js of two years ago. */
  oldClient(token?: string): Promise<SupabaseClient>
  raw(query?: string, headers?: Record<string, string>): Promise<RawClient>
  /** A request as it is, path after `/realtime/v1`. */
  request(path: string, init?: RequestInit): Promise<Response>
  /** SQL as the project's owner. */
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  adminSql(text: string): Promise<Record<string, unknown>[]>
  close(): Promise<void>
}

/** `/realtime/v1` behind the gateway, over a database without any policy: its own, unless one is given. */
export async function serve(limits: Partial<Limits> = {}, given?: Pick<Database, 'url' | 'drop'>): Promise<Served> {
  const database = given ?? (await createDatabase({ migrated: false }))
  const [sql, admin] = [oneConnection(database.url()), oneConnection(database.url('supabase_admin'))]
  const lines: string[] = []
  const log = (line: string) => lines.push(line)
  const databaseUrl = database.url('supabase_realtime_admin')
  const realtime = await startRealtime({ databaseUrl, keys, log, limits })
  const gateway = await startGateway(
    0,
    {
      '/rest/v1': nobody,
      '/auth/v1': nobody,
      '/storage/v1': nobody,
      '/functions/v1': nobody,
      '/realtime/v1': realtime,
      '/sandbox': nobody,
    },
    log,
  )
  const url = `http://127.0.0.1:${gateway.port}`
  const clients: SupabaseClient[] = []
  const kept = (client: SupabaseClient) => {
    clients.push(client)
    return client
  }
  const auth = { persistSession: false, autoRefreshToken: false }

  return {
    url,
    lines,
    async client(token) {
      const realtime = { transport: WebSocket as never }
      const client = kept(
        createClient(url, keys.publishable, token ? { realtime, accessToken: async () => token } : { realtime, auth }),
      )
      // Or its first join may come without the token, which it asks for meanwhile.
      await client.realtime.setAuth()
      return client
    },
    async oldClient(token) {
      const client = kept(createOldClient(url, keys.publishable, { auth }) as unknown as SupabaseClient)
      if (token) client.realtime.setAuth(token)
      return client
    },
    raw: (query = `apikey=${keys.publishable}&vsn=2.0.0`, headers = {}) =>
      RawClient.connect(`${url.replace('http', 'ws')}/realtime/v1/websocket?${query}`, headers),
    request: (path, init) => fetch(`${url}/realtime/v1${path}`, init),
    sql: async (text, values) => (await sql.query(text, values)).rows,
    adminSql: async (text) => (await admin.query(text)).rows,
    async close() {
      for (const client of clients) await client.realtime.disconnect()
      await realtime.close()
      await gateway.close()
      await Promise.all([sql.end(), admin.end()])
      await database.drop()
    },
  }
}

const nobody: Service = {
  fetch: () => new Response(null, { status: 404 }),
  close: async () => {},
}

/** A token with these claims, good for an hour. */
export function token(
  claims: JWTPayload = { role: 'authenticated', sub: ana },
  expires: string | number = '1h',
  secret: string = keys.jwtSecret,
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(secret))
}

/** Resolves once joined. @throws the server's reason when it is refused */
export function subscribed(channel: RealtimeChannel): Promise<RealtimeChannel> {
  return new Promise((resolve, reject) => {
    channel.subscribe((status, error) => {
      if (status === 'SUBSCRIBED') resolve(channel)
      else if (status !== 'CLOSED') reject(error ?? new Error(status))
    })
  })
}

/** Kept for as long as the database keeps it, and then replaced. */
const oneConnection = (connectionString: string) =>
  openPool({ connectionString, max: 1, idleTimeoutMillis: 0 }, () => {})
