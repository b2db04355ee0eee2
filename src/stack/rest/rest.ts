import { App } from '@supabase/lite'
import type { MiddlewareHandler } from 'hono'
import type { Keys } from '../keys.ts'
import type { Service } from '../service.ts'
import { isPreflight, preflightResponse, withCors } from './cors.ts'
import { describeRequest, isCall, runForRequest } from './current-request.ts'
import { errorResponse } from './database-error.ts'
import { RestConnection } from './rest-connection.ts'
import { SchemaCache } from './schema-cache.ts'
import { refuseUnreadable } from './unreadable-requests.ts'

export interface RestOptions {
  /** A connection string of `authenticator`, which may become the callers' roles and nothing else. */
  databaseUrl: string
  /** The same database, as `supabase_admin`: only for reading the schema. */
  introspectionUrl: string
  keys: Keys
  /** Takes a line for whoever watches the stack. */
  log: (line: string) => void
}

/** `/rest/v1`: the tables, views and functions of `public` over HTTP, as PostgREST serves them. */
export async function startRest({ databaseUrl, introspectionUrl, keys, log }: RestOptions): Promise<Service> {
  const schema = await SchemaCache.open(introspectionUrl)
  const connection = new RestConnection(databaseUrl, schema)
  const app = new App({
    connection,
    // Never without a valid token or key: lite's anonymous access also lets broken tokens in, as anon.
    api: { schemas: ['public'], anonymous_enabled: false },
    auth: { enabled: false, jwt_secret: keys.jwtSecret, publishable_key: keys.publishable, secret_key: keys.secret },
    storage: { enabled: false },
    studio: { enabled: false },
    options: { server: { middlewares: [trustTokens] } },
  })

  return {
    async fetch(request) {
      if (isPreflight(request)) return preflightResponse(request)
      try {
        await schema.get()
      } catch (error) {
        log(`rest: the schema cannot be read: ${error instanceof Error ? error.message : error}`)
        const message = 'Could not query the database for the schema cache. Retrying.'
        return withCors(errorResponse(503, { code: 'PGRST002', details: null, hint: null, message }))
      }
      const described = describeRequest(request)
      const isHeadCall = request.method === 'HEAD' && isCall(described)
      const understood = asLiteReads(request, isHeadCall ? 'GET' : request.method)
      const response = await refuseUnreadable(await runForRequest(described, () => app.fetch(understood)))
      return withCors(isHeadCall ? new Response(null, response) : response)
    },
    async close() {
      await Promise.all([connection.close(), schema.close()])
    },
  }
}

// @supabase/lite 0.10.0 finds a function's arguments in the query of a GET, not of a HEAD, and takes who writes `bearer`
// for nobody; to PostgREST and HTTP both spellings are the same.
function asLiteReads(request: Request, method: string): Request {
  const headers = new Headers(request.headers)
  const authorization = headers.get('authorization')
  if (authorization) headers.set('authorization', authorization.replace(/^bearer\s/i, 'Bearer '))
  return new Request(request, { method, headers })
}

// A token is good until it expires, as for PostgREST: @supabase/lite 0.10.0 looks its user and session up on each
// request, in tables that the callers' role must not read.
const trustTokens: MiddlewareHandler = (context, next) => {
  const known = async () => true
  context.set('authService', { repo: { findUserById: known, findSessionById: known } })
  return next()
}
