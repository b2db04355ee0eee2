import { SignJWT } from 'jose'
import type { Db } from './database.ts'
import { runAccessTokenHook } from './hook.ts'
import type { Auth } from './settings.ts'
import type { User } from './users.ts'

/** How a user proved who they are; `token_refresh` is told to the hook only. */
export type Method = 'password' | 'otp' | 'anonymous'

export interface AccessToken {
  token: string
  /** Seconds since 1970. */
  expiresAt: number
}

/**
 * An access token for a session: who the user is, what an admin and they themselves wrote into their metadata, and
 * how the session began. The access token hook has the last word.
 */
export async function signAccessToken(
  auth: Auth,
  tx: Db,
  user: User,
  sessionId: string,
  method: Method | 'token_refresh',
): Promise<AccessToken> {
  const issuedAt = Math.floor(Date.now() / 1000)
  const expiresAt = issuedAt + auth.jwtExpiry
  const standard = {
    iss: auth.publicUrl,
    sub: user.id,
    aud: user.aud ?? 'authenticated',
    exp: expiresAt,
    iat: issuedAt,
    email: user.email ?? '',
    phone: user.phone ?? '',
    app_metadata: user.raw_app_meta_data ?? {},
    user_metadata: user.raw_user_meta_data ?? {},
    role: user.role ?? '',
    aal: 'aal1',
    amr: await methodsOf(tx, sessionId),
    session_id: sessionId,
    is_anonymous: user.is_anonymous,
  }
  const event = { user_id: user.id, claims: standard, authentication_method: method }
  const claims = auth.hook ? await runAccessTokenHook(tx, auth.hook, event) : standard
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(auth.jwtSecret))
  return { token, expiresAt }
}

function methodsOf(tx: Db, sessionId: string): Promise<{ method: string; timestamp: number }[]> {
  return tx.query(
    `select authentication_method as method, extract(epoch from updated_at)::int as timestamp
    from auth.mfa_amr_claims where session_id = $1 order by updated_at desc`,
    [sessionId],
  )
}
