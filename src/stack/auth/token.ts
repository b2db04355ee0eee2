import type { Hono } from 'hono'
import { AuthError, invalid, userBanned } from './errors.ts'
import { exchangeCode } from './pkce.ts'
import { refreshSession } from './refresh.ts'
import { deviceOf, type Env, readBody, text } from './request.ts'
import { type Device, type SessionJson, startSession } from './sessions.ts'
import type { Auth } from './settings.ts'
import { findUserByEmail, isBanned } from './users.ts'

/** `/token`: a session for a password, for a refresh token, or for the code a PKCE link led to. */
export function tokenRoutes(app: Hono<Env>, auth: Auth): void {
  app.post('/token', async (c) => {
    const body = await readBody(c)
    const device = deviceOf(c)
    switch (c.req.query('grant_type')) {
      case 'password':
        if (text(body, 'phone')) throw new AuthError(422, 'phone_provider_disabled', 'Phone logins are disabled')
        return c.json(await signInWithPassword(auth, text(body, 'email'), text(body, 'password'), device))
      case 'refresh_token': {
        const refreshToken = text(body, 'refresh_token')
        if (!refreshToken) throw invalid('Refresh token is not valid')
        return c.json(await refreshSession(auth, refreshToken, device))
      }
      case 'pkce':
        return c.json(await exchangeCode(auth, text(body, 'auth_code'), text(body, 'code_verifier'), device))
      default:
        throw new AuthError(400, 'invalid_credentials', 'unsupported_grant_type')
    }
  })
}

async function signInWithPassword(auth: Auth, email: string, password: string, device: Device): Promise<SessionJson> {
  if (!email) throw invalid('missing email or phone')
  const user = await findUserByEmail(auth.db, email.toLowerCase())
  const matches = await auth.passwords.match(password, user?.encrypted_password)
  // One answer for a wrong password and for nobody: neither says who has an account.
  if (!user || !matches) throw new AuthError(400, 'invalid_credentials', 'Invalid login credentials')
  if (isBanned(user)) throw userBanned(400)
  if (!user.email_confirmed_at) throw new AuthError(400, 'email_not_confirmed', 'Email not confirmed')
  return auth.db.transaction((tx) => startSession(auth, tx, user, 'password', device))
}
