import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { SignJWT } from 'jose'
import pg from 'pg'
import ws from 'ws'
import { localKeys } from '../../../src/stack/keys.ts'
import { startStorage } from '../../../src/stack/storage/storage.ts'
import { createDatabase } from '../../support/database.ts'

export interface StorageServer {
  /** Up to and with `/storage/v1`. */
  url: string
  /** Everything that storage reported as a fault of its own. */
  faults: string[]
  /** The project's owner, who writes policies. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>
  /** Past row level security. */
  admin: SupabaseClient
  anonymous: SupabaseClient
  /** A signed-in user; `id` is theirs. */
  user(id?: string): Promise<User>
  /** The names of the files on disk. */
  files(): Promise<string[]>
  /** The folder of the files. */
  dir: string
  /** Stops the service and starts it again over the same database and files. */
  restart(): Promise<void>
  close(): Promise<void>
}

export interface User {
  id: string
  token: string
  client: SupabaseClient
}

/** Storage behind a real HTTP server on loopback, over a database of its own. */
export async function serveStorage(): Promise<StorageServer> {
  const database = await createDatabase({ migrated: false })
  const dir = await mkdtemp(join(tmpdir(), 'parley-storage-'))
  const faults: string[] = []
  const start = () =>
    startStorage({
      databaseUrl: database.url('supabase_storage_admin'),
      dir,
      keys: localKeys,
      fileSizeLimit: 50 * 1024 * 1024,
      log: (message) => faults.push(message),
    })

  let service = await start()
  const server = serve({ port: 0, hostname: '127.0.0.1', fetch: (request) => service.fetch(request, { address: '' }) })
  await new Promise((listening) => server.once('listening', listening))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const owner = new pg.Client({ connectionString: database.url('postgres') })
  await owner.connect()

  return {
    url: `${origin}/storage/v1`,
    faults,
    sql: async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
      (await owner.query<Row>(text, values)).rows,
    dir,
    admin: connect(origin, localKeys.secret),
    anonymous: connect(origin, localKeys.publishable),
    async user(id = randomUUID()) {
      const token = await userToken(id)
      return { id, token, client: connect(origin, localKeys.publishable, token) }
    },
    files: () => readdir(dir),
    async restart() {
      await service.close()
      service = await start()
    },
    async close() {
      await new Promise((closed) => server.close(closed))
      await service.close()
      await owner.end()
      await database.drop()
      await rm(dir, { recursive: true })
    },
  }
}

/** An access token as the Auth service signs them. */
export function userToken(id: string, secret = localKeys.jwtSecret): Promise<string> {
  return new SignJWT({ role: 'authenticated' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(id)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret))
}

function connect(origin: string, key: string, token?: string): SupabaseClient {
  return createClient(origin, key, {
    ...(token !== undefined && { accessToken: async () => token }),
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: ws as never },
  })
}
