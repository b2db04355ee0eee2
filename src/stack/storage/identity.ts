import { type JWTPayload, jwtVerify } from 'jose'
import type { Keys } from '../keys.ts'
import { accessDenied } from './errors.ts'

/** Who asks: the database role that the request runs as, and what its policies may know. */
export interface Identity {
  role: string
  /** The signed-in user; null for the two API keys. */
  userId: string | null
  claims: JWTPayload
}

/** Storage itself, where an API's answer does not depend on the caller: a public bucket, a signed URL. */
export const service: Identity = { role: 'service_role', userId: null, claims: { role: 'service_role' } }

const anon: Identity = { role: 'anon', userId: null, claims: { role: 'anon' } }

/**
 * Reads the `Authorization` header, or where there is none `apikey`, as hosted's gateway does: one of the two API keys or
 * a user's access token.
 * @throws {StorageError} 403 for no token, or one that we did not sign or that has expired
 */
export async function identify(headers: Headers, keys: Keys): Promise<Identity> {
  const token = headers.get('authorization')?.replace(/^Bearer\s+/i, '') || headers.get('apikey') || ''
  if (token === keys.publishable) return anon
  if (token === keys.secret) return service
  try {
    const secret = new TextEncoder().encode(keys.jwtSecret)
    const { payload } = await jwtVerify(token, secret, { algorithms: ['HS256'] })
    const role = typeof payload.role === 'string' ? payload.role : 'anon'
    return { role, userId: payload.sub ?? null, claims: payload }
  } catch (error) {
    throw accessDenied(error instanceof Error ? error.message : 'Invalid JWT', error)
  }
}
