import type { Context, MiddlewareHandler } from 'hono'
import { errors, type JWTPayload, jwtVerify } from 'jose'
import type { Keys } from '../keys.ts'
import { AuthError, badJwt } from './errors.ts'
import { sameText } from './one-time-tokens.ts'
import { type Env, isUuid } from './request.ts'
import type { Auth } from './settings.ts'
import { findUserById, type User } from './users.ts'

export interface Claims extends JWTPayload {
  role?: string
  session_id?: string
}

// Links in mails are opened by browsers, which have no key.
const withoutKey = /^\/auth\/v1\/(verify|callback|authorize|\.well-known\/.*)$/

/** Lets only those through who show one of the project's two keys, as the gateway of a hosted project does. */
export function requireApiKey(keys: Keys): MiddlewareHandler<Env> {
  return async (c, next) => {
    if (withoutKey.test(c.req.path)) return next()
    const key = apiKeyOf(c)
    const refuse = (code: string, message: string, hint?: string) =>
      c.json({ message, hint }, 401, { 'sb-error-code': code })
    if (!key) {
      const hint = 'No `apikey` request header or url param was found.'
      return refuse('UNAUTHORIZED_MISSING_API_KEY', 'No API key found in request', hint)
    }
    const role = roleOfKey(keys, key)
    if (!role) {
      return refuse('UNAUTHORIZED_INVALID_API_KEY', 'Invalid API key', 'Double check your Supabase `apikey`')
    }
    const usesSecret = role === 'service_role' || roleOfKey(keys, bearerOf(c) ?? '') === 'service_role'
    if (usesSecret && /^\s*mozilla\s*\//i.test(c.req.header('user-agent') ?? '')) {
      return refuse('UNAUTHORIZED_INVALID_API_KEY_TYPE', 'Forbidden use of secret API key in browser')
    }
    return next()
  }
}

function apiKeyOf(c: Context<Env>): string {
  return c.req.header('apikey') || c.req.query('apikey') || ''
}

function bearerOf(c: Context<Env>): string | undefined {
  return /^bearer\s+(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
}

function roleOfKey(keys: Keys, key: string): 'anon' | 'service_role' | undefined {
  if (sameText(key, keys.secret)) return 'service_role'
  if (sameText(key, keys.publishable)) return 'anon'
  return undefined
}

/**
 * What the caller's token says. Without one the API key speaks, and it has a role only.
 * @throws AuthError `bad_jwt`, `no_authorization`
 */
async function claimsOf(c: Context<Env>, auth: Auth, keys: Keys): Promise<Claims> {
  const bearer = c.req.header('authorization') === undefined ? apiKeyOf(c) : bearerOf(c)
  if (!bearer) throw new AuthError(401, 'no_authorization', 'This endpoint requires a valid Bearer token')
  const role = roleOfKey(keys, bearer)
  if (role) return { role }
  try {
    const secret = new TextEncoder().encode(auth.jwtSecret)
    const { payload } = await jwtVerify<Claims>(bearer, secret, { algorithms: ['HS256'] })
    return payload
  } catch (error) {
    throw badJwt(`invalid JWT: unable to parse or verify signature, ${reasonOf(error)}`)
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'token has invalid claims: token is expired'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'token signature is invalid: signature is invalid'
  return 'token is malformed'
}

/** Lets only the secret key and tokens of its role through. */
export function requireAdmin(auth: Auth, keys: Keys): MiddlewareHandler<Env> {
  return async (c, next) => {
    const { role } = await claimsOf(c, auth, keys)
    if (role !== 'service_role' && role !== 'supabase_admin') {
      throw new AuthError(403, 'not_admin', 'User not allowed')
    }
    return next()
  }
}

export interface SignedIn {
  user: User
  /** Absent for tokens that were not made here. */
  sessionId: string | undefined
}

/**
 * The user behind the caller's token, who must still exist, and whose session must not have ended.
 * @throws AuthError `bad_jwt`, `user_not_found`, `session_not_found`
 */
export async function signedInUser(c: Context<Env>, auth: Auth, keys: Keys): Promise<SignedIn> {
  const { sub, session_id: sessionId } = await claimsOf(c, auth, keys)
  if (!sub) throw badJwt('invalid claim: missing sub claim')
  if (!isUuid(sub)) throw new AuthError(400, 'bad_jwt', 'invalid claim: sub claim must be a UUID')
  const user = await findUserById(auth.db, sub)
  if (!user) throw new AuthError(403, 'user_not_found', 'User from sub claim in JWT does not exist')
  if (!sessionId) return { user, sessionId: undefined }
  if (!isUuid(sessionId)) throw badJwt('invalid claim: session_id claim must be a UUID')
  const session = await auth.db.query('select from auth.sessions where id = $1 and user_id = $2', [sessionId, user.id])
  if (session.length === 0) {
    throw new AuthError(403, 'session_not_found', 'Session from session_id claim in JWT does not exist')
  }
  return { user, sessionId }
}
