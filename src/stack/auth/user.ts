import type { Hono } from 'hono'
import type { Keys } from '../keys.ts'
import { signedInUser } from './callers.ts'
import { confirmEmailChange, requestEmailChange } from './email-change.ts'
import { AuthError, emailExists, invalid } from './errors.ts'
import { withdrawnTokens } from './one-time-tokens.ts'
import type { Passwords } from './passwords.ts'
import { challengeOf, rememberFlow } from './pkce.ts'
import { redirectTarget } from './redirects.ts'
import { type Body, type Env, emailAddress, metadata, readBody, text } from './request.ts'
import { endSessions, type SignOutScope } from './sessions.ts'
import type { Auth } from './settings.ts'
import { userJson } from './user-json.ts'
import { findUserByEmail, lockUser, mergeMetadata, type User, updateUser } from './users.ts'

/** `/user` and `/logout`: what users see and change of themselves. */
export function userRoutes(app: Hono<Env>, auth: Auth, keys: Keys): void {
  app.get('/user', async (c) => {
    const { user } = await signedInUser(c, auth, keys)
    return c.json(await userJson(auth.db, user))
  })

  app.put('/user', async (c) => {
    const { user, sessionId } = await signedInUser(c, auth, keys)
    const body = await readBody(c)
    if (body.app_metadata) {
      throw new AuthError(403, 'not_admin', 'Updating app_metadata requires admin privileges')
    }
    if (text(body, 'phone')) throw new AuthError(400, 'phone_provider_disabled', 'Unsupported phone provider')
    const data = metadata(body, 'data')
    const email = await wishedEmail(auth, user, body)
    const encryptedPassword = await wishedPassword(auth.passwords, user, body, email)
    const challenge = challengeOf(body)
    const redirectTo = redirectTarget(auth, c.req.query('redirect_to'), c.req.header('referer'))

    const { user: updated, mails } = await auth.db.transaction(async (tx) => {
      let current = await lockUser(tx, user.id)
      if (!current) throw new AuthError(403, 'user_not_found', 'User from sub claim in JWT does not exist')
      if (encryptedPassword) {
        current = await updateUser(tx, user.id, { ...withdrawnTokens, encrypted_password: encryptedPassword })
        // Whoever knew the old password is out; this session knows the new one.
        await endSessions(tx, user.id, sessionId, 'others')
      }
      if (data) {
        current = await updateUser(tx, user.id, { raw_user_meta_data: mergeMetadata(current.raw_user_meta_data, data) })
      }
      if (!email) return { user: current, mails: [] }
      if (current.is_anonymous) {
        return { user: await confirmEmailChange(tx, { ...current, email_change: email }), mails: [] }
      }
      if (challenge) await rememberFlow(tx, user.id, challenge, 'email_change')
      return requestEmailChange(auth, tx, current, { email, redirectTo, pkce: challenge !== undefined })
    })
    mails.forEach(auth.send)
    return c.json(await userJson(auth.db, updated))
  })

  app.post('/logout', async (c) => {
    const scope = c.req.query('scope') || 'global'
    if (!isScope(scope)) throw invalid(`Unsupported logout scope "${scope}"`)
    const { user, sessionId } = await signedInUser(c, auth, keys)
    await endSessions(auth.db, user.id, sessionId, scope)
    return c.body(null, 204)
  })
}

/** The address to change to, if it is another. @throws AuthError `email_exists` */
async function wishedEmail(auth: Auth, user: User, body: Body): Promise<string | undefined> {
  if (!text(body, 'email')) return undefined
  const email = emailAddress(text(body, 'email'))
  if (email === user.email?.toLowerCase()) return undefined
  if (await findUserByEmail(auth.db, email)) throw emailExists()
  return email
}

/** The hash of the password to change to. @throws AuthError `weak_password`, `same_password`, `validation_failed` */
async function wishedPassword(
  passwords: Passwords,
  user: User,
  body: Body,
  email: string | undefined,
): Promise<string | undefined> {
  if (body.password === undefined) return undefined
  const password = text(body, 'password')
  passwords.checkStrength(password)
  if (user.is_anonymous && !email) {
    throw invalid('Updating password of an anonymous user without an email or phone is not allowed', 422)
  }
  if (user.encrypted_password && (await passwords.match(password, user.encrypted_password))) {
    throw new AuthError(422, 'same_password', 'New password should be different from the old password.')
  }
  return passwords.hash(password)
}

function isScope(scope: string): scope is SignOutScope {
  return ['global', 'local', 'others'].includes(scope)
}
