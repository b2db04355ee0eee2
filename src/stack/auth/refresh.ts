import { signAccessToken } from './claims.ts'
import { AuthError } from './errors.ts'
import { type Device, insertRefreshToken, type SessionJson, sessionJson } from './sessions.ts'
import { type Auth, reuseInterval } from './settings.ts'
import { findUserById, isBanned } from './users.ts'

interface RefreshToken {
  token: string
  user_id: string
  session_id: string | null
  revoked: boolean
  reusable: boolean
}

const notFound = () => new AuthError(400, 'refresh_token_not_found', 'Invalid Refresh Token: Refresh Token Not Found')

/**
 * A new pair of tokens for an old refresh token, which is then used up. A used one is taken again within a few
 * seconds, for tabs that wake up together, and while nobody has used its successor, for clients that never got the
 * answer. After that it is in the wrong hands, and the session's tokens are all revoked.
 */
export async function refreshSession(auth: Auth, refreshToken: string, device: Device): Promise<SessionJson> {
  const outcome = await auth.db.transaction(async (tx) => {
    // The session first: signing out takes the two locks in this order.
    await tx.query(
      'select from auth.sessions where id = (select session_id from auth.refresh_tokens where token = $1) for update',
      [refreshToken],
    )
    const [found] = await tx.query<RefreshToken>(
      `select t.token, t.user_id, t.revoked, t.updated_at + make_interval(secs => $2) > now() as reusable, s.id as session_id
      from auth.refresh_tokens t left join auth.sessions s on s.id = t.session_id where t.token = $1`,
      [refreshToken, reuseInterval],
    )
    const user = found && (await findUserById(tx, found.user_id))
    if (!found || !user) throw notFound()
    if (isBanned(user)) throw new AuthError(400, 'user_banned', 'Invalid Refresh Token: User Banned')
    const sessionId = found.session_id
    if (!sessionId) throw new AuthError(400, 'session_not_found', 'Invalid Refresh Token: No Valid Session Found')

    const [active] = await tx.query<{ token: string; parent: string | null }>(
      'select token, parent from auth.refresh_tokens where session_id = $1 and not revoked order by id desc limit 1',
      [sessionId],
    )
    let issued = found.revoked && active?.parent === found.token ? active.token : undefined
    // A session without an active token has been revoked whole: the seconds of grace are over for all of its tokens.
    if (found.revoked && !issued && !(active && found.reusable)) {
      await tx.query(
        'update auth.refresh_tokens set revoked = true, updated_at = now() where session_id = $1 and not revoked',
        [sessionId],
      )
      // Returned and not thrown: the revocation has to be committed.
      return new AuthError(400, 'refresh_token_already_used', 'Invalid Refresh Token: Already Used')
    }
    if (!issued) {
      await tx.query('update auth.refresh_tokens set revoked = true, updated_at = now() where token = $1', [
        found.token,
      ])
      issued = await insertRefreshToken(tx, user.id, sessionId, found.token)
    }
    const accessToken = await signAccessToken(auth, tx, user, sessionId, 'token_refresh')
    await tx.query(
      'update auth.sessions set refreshed_at = now(), updated_at = now(), user_agent = $2, ip = $3 where id = $1',
      [sessionId, device.userAgent, device.ip],
    )
    return sessionJson(auth, tx, accessToken, issued, user)
  })
  if (outcome instanceof AuthError) throw outcome
  return outcome
}
