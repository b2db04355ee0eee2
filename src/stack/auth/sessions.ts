import { randomBytes, randomUUID } from 'node:crypto'
import { type AccessToken, type Method, signAccessToken } from './claims.ts'
import type { Db } from './database.ts'
import type { Auth } from './settings.ts'
import { userJson } from './user-json.ts'
import { type User, updateUser } from './users.ts'

/** Where a session lives, kept beside it. */
export interface Device {
  userAgent: string | null
  ip: string | null
}

export interface SessionJson {
  access_token: string
  token_type: 'bearer'
  /** Seconds. */
  expires_in: number
  /** Seconds since 1970. */
  expires_at: number
  refresh_token: string
  user: Record<string, unknown>
}

/** Signs a user in. */
export async function startSession(
  auth: Auth,
  tx: Db,
  user: User,
  method: Method,
  device: Device,
): Promise<SessionJson> {
  const sessionId = randomUUID()
  await tx.query(`insert into auth.sessions (id, user_id, aal, user_agent, ip) values ($1, $2, 'aal1', $3, $4)`, [
    sessionId,
    user.id,
    device.userAgent,
    device.ip,
  ])
  await tx.query('insert into auth.mfa_amr_claims (session_id, authentication_method) values ($1, $2)', [
    sessionId,
    method,
  ])
  const refreshToken = await insertRefreshToken(tx, user.id, sessionId, null)
  const signedIn = await updateUser(tx, user.id, { last_sign_in_at: new Date() })
  const accessToken = await signAccessToken(auth, tx, signedIn, sessionId, method)
  return sessionJson(auth, tx, accessToken, refreshToken, signedIn)
}

export async function sessionJson(
  auth: Auth,
  tx: Db,
  accessToken: AccessToken,
  refreshToken: string,
  user: User,
): Promise<SessionJson> {
  return {
    access_token: accessToken.token,
    token_type: 'bearer',
    expires_in: auth.jwtExpiry,
    expires_at: accessToken.expiresAt,
    refresh_token: refreshToken,
    user: await userJson(tx, user),
  }
}

/** @param parent the token it replaces */
export async function insertRefreshToken(
  tx: Db,
  userId: string,
  sessionId: string,
  parent: string | null,
): Promise<string> {
  const token = newRefreshToken()
  await tx.query('insert into auth.refresh_tokens (token, user_id, session_id, parent) values ($1, $2, $3, $4)', [
    token,
    userId,
    sessionId,
    parent,
  ])
  return token
}

// Twelve letters and digits, as production's: 60 bits.
function newRefreshToken(): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
  return Array.from(randomBytes(12), (byte) => alphabet[byte % 32]).join('')
}

export type SignOutScope = 'global' | 'local' | 'others'

/**
 * Ends sessions; their refresh tokens go with them. Access tokens that are out stay good for what checks no session.
 * @param sessionId the caller's own, unless their token belongs to none
 */
export async function endSessions(
  db: Db,
  userId: string,
  sessionId: string | undefined,
  scope: SignOutScope,
): Promise<void> {
  if (scope === 'global' || !sessionId) await db.query('delete from auth.sessions where user_id = $1', [userId])
  else if (scope === 'local') await db.query('delete from auth.sessions where id = $1', [sessionId])
  else await db.query('delete from auth.sessions where user_id = $1 and id <> $2', [userId, sessionId])
}
