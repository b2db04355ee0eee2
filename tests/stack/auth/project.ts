import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import pg from 'pg'
import WebSocket from 'ws'
import { startAuth } from '../../../src/stack/auth/auth.ts'
import type { Mail } from '../../../src/stack/auth/mail.ts'
import type { AuthConfig } from '../../../src/stack/config.ts'
import { localKeys } from '../../../src/stack/keys.ts'
import { createDatabase } from '../../support/database.ts'

export const origin = 'http://127.0.0.1:54321'

/** An Auth service over a fresh database, with real clients that reach it without a network. */
export interface Project {
  /** A client of its own: another device. */
  client(options?: { flowType?: 'implicit' | 'pkce' }): SupabaseClient
  /** A client with the secret key. */
  admin: SupabaseClient
  /** A request as it goes over the wire, with the publishable key unless told otherwise. */
  request(path: string, init?: RequestInit): Promise<Response>
  /** Newest last. */
  mails: Mail[]
  /** What the service wrote about its own failures. */
  log: string[]
  /** A statement as the project's owner, who is no superuser. */
  sql<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>
  close(): Promise<void>
}

export interface ProjectOptions {
  hook?: string
  redirectUrls?: string[]
  config?: Partial<AuthConfig>
  /** With Parley's own schema. */
  migrated?: boolean
}

export async function startProject(options: ProjectOptions = {}): Promise<Project> {
  const { hook, redirectUrls = [], migrated = false, config } = options
  const database = await createDatabase({ migrated })
  const mails: Mail[] = []
  const log: string[] = []
  const service = await startAuth({
    databaseUrl: database.url('supabase_auth_admin'),
    keys: localKeys,
    siteUrl: 'http://app.test/welcome',
    redirectUrls,
    externalUrl: origin,
    bcryptCost: 4,
    hook,
    jwtExpiry: 3600,
    minimumPasswordLength: 6,
    signUpsAllowed: true,
    anonymousAllowed: true,
    ...config,
    mail: (mail) => mails.push(mail),
    log: (line) => log.push(line),
  })
  const owner = new pg.Client({ connectionString: database.url('postgres') })
  await owner.connect()

  const fetch = async (input: RequestInfo | URL, init?: RequestInit) =>
    service.fetch(new Request(input, init), { address: '127.0.0.1' })
  const connect = (key: string, flowType: 'implicit' | 'pkce') =>
    createClient(origin, key, {
      auth: { persistSession: false, autoRefreshToken: false, flowType },
      global: { fetch },
      realtime: { transport: WebSocket as never },
    })

  return {
    client: ({ flowType = 'implicit' } = {}) => connect(localKeys.publishable, flowType),
    admin: connect(localKeys.secret, 'implicit'),
    request: (path, init = {}) =>
      fetch(`${origin}/auth/v1${path}`, { ...init, headers: { apikey: localKeys.publishable, ...init.headers } }),
    mails,
    log,
    async sql<Row extends object>(text: string, values: unknown[] = []) {
      const { rows } = await owner.query<Row>(text, values)
      return rows
    },
    async close() {
      await owner.end()
      await service.close()
      await database.drop()
    },
  }
}

/** The last mail to this address. */
export function mailTo(project: Project, address: string): Mail {
  const mail = project.mails.findLast(({ to }) => to === address)
  if (!mail) throw new Error(`nothing was mailed to ${address}`)
  return mail
}

/** Signs somebody up and hands back their client. */
export async function signUp(project: Project, email: string, password = 'correct horse') {
  const client = project.client()
  const { data, error } = await client.auth.signUp({ email, password })
  if (error || !data.user || !data.session) throw error ?? new Error(`no session for ${email}`)
  return { client, user: data.user, session: data.session }
}

/** The claims of a token, unchecked. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}
