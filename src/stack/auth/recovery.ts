import { randomUUID } from 'node:crypto'
import type { Context, Hono } from 'hono'
import type { Keys } from '../keys.ts'
import { createEmailAccount } from './accounts.ts'
import { signedInUser } from './callers.ts'
import { requestEmailChange } from './email-change.ts'
import { AuthError, invalid } from './errors.ts'
import { actionLink, composeMail, type MailType } from './mail.ts'
import { newToken, type TokenColumn, tokenChanges } from './one-time-tokens.ts'
import { randomPassword } from './passwords.ts'
import { type Challenge, challengeOf, rememberFlow } from './pkce.ts'
import { redirectTarget } from './redirects.ts'
import { type Body, type Env, emailAddress, metadata, readBody, text } from './request.ts'
import type { Auth } from './settings.ts'
import { confirmEmail, findUserByEmail, type User, updateUser } from './users.ts'

const columnOfType = {
  signup: 'confirmation_token',
  invite: 'confirmation_token',
  recovery: 'recovery_token',
  magiclink: 'recovery_token',
} as const satisfies Partial<Record<MailType, TokenColumn>>

/** Sends a user the link and the digits for one thing, and forgets those sent before for the same. */
async function mailToken(
  auth: Auth,
  user: User,
  type: keyof typeof columnOfType,
  options: { redirectTo: string; challenge?: Challenge | undefined },
): Promise<User> {
  const { redirectTo, challenge } = options
  const email = user.email ?? ''
  const token = newToken(email, { pkce: challenge !== undefined })
  const updated = await auth.db.transaction(async (tx) => {
    if (challenge) await rememberFlow(tx, user.id, challenge, type)
    return updateUser(tx, user.id, tokenChanges(columnOfType[type], token))
  })
  // After the commit: whoever reads fast must find the token there.
  const link = actionLink(auth, type, token.hash, redirectTo)
  auth.send(composeMail({ to: email, type, code: token.code, tokenHash: token.hash, link }))
  return updated
}

/** `/recover`, `/otp`, `/magiclink`, `/resend`, `/reauthenticate`: what sends a mail to who says they own an address. */
export function recoveryRoutes(app: Hono<Env>, auth: Auth, keys: Keys): void {
  const askedRedirect = (c: Context<Env>) => redirectTarget(auth, c.req.query('redirect_to'), c.req.header('referer'))

  app.post('/recover', async (c) => {
    const body = await readBody(c)
    if (!text(body, 'email')) throw invalid('Password recovery requires an email')
    const challenge = challengeOf(body)
    const user = await findUserByEmail(auth.db, emailAddress(text(body, 'email')))
    // The same answer for nobody: who has an account is not said.
    if (user) await mailToken(auth, user, 'recovery', { redirectTo: askedRedirect(c), challenge })
    return c.json({})
  })

  async function magicLink(c: Context<Env>) {
    const body = await readBody(c)
    if (text(body, 'phone')) throw new AuthError(400, 'phone_provider_disabled', 'Unsupported phone provider')
    if (!text(body, 'email')) throw invalid('One of email or phone must be set')
    const email = emailAddress(text(body, 'email'))
    const challenge = challengeOf(body)
    const known = await findUserByEmail(auth.db, email)
    if (!known && body.create_user === false) {
      throw new AuthError(422, 'otp_disabled', 'Signups not allowed for otp')
    }
    const user = known ?? (await createWithoutPassword(auth, email, body))
    await mailToken(auth, user, 'magiclink', { redirectTo: askedRedirect(c), challenge })
    return c.json({})
  }
  app.post('/otp', magicLink)
  app.post('/magiclink', magicLink)

  app.post('/resend', async (c) => {
    const body = await readBody(c)
    const type = text(body, 'type')
    if (type !== 'signup' && type !== 'email_change') throw invalid('Missing one of these types: signup, email_change')
    const user = await findUserByEmail(auth.db, emailAddress(text(body, 'email')))
    const redirectTo = askedRedirect(c)
    if (type === 'signup' && user && !user.email_confirmed_at) await mailToken(auth, user, 'signup', { redirectTo })
    const wished = type === 'email_change' && user?.email_change
    if (wished) {
      const { mails } = await requestEmailChange(auth, auth.db, user, { email: wished, redirectTo, pkce: false })
      mails.forEach(auth.send)
    }
    return c.json({})
  })

  app.get('/reauthenticate', async (c) => {
    const { user } = await signedInUser(c, auth, keys)
    if (!user.email) throw invalid('Reauthentication requires the user to have an email or a phone number')
    const token = newToken(user.email)
    await updateUser(auth.db, user.id, tokenChanges('reauthentication_token', token))
    auth.send(composeMail({ to: user.email, type: 'reauthentication', code: token.code, tokenHash: token.hash }))
    return c.json({})
  })
}

async function createWithoutPassword(auth: Auth, email: string, body: Body): Promise<User> {
  if (!auth.signUpsAllowed) throw new AuthError(422, 'signup_disabled', 'Signups not allowed for this instance')
  const data = metadata(body, 'data') ?? {}
  const encryptedPassword = await auth.passwords.hash(randomPassword())
  return auth.db.transaction(async (tx) => {
    const id = randomUUID()
    const userMetadata = { ...data, sub: id, email, email_verified: false, phone_verified: false }
    const account = { id, email, encryptedPassword, userMetadata, identityData: data }
    const taken = () => new AuthError(422, 'user_already_exists', 'User already registered')
    return confirmEmail(tx, await createEmailAccount(tx, account, taken))
  })
}
