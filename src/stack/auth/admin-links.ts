import { randomUUID } from 'node:crypto'
import type { Hono } from 'hono'
import { createEmailAccount } from './accounts.ts'
import { AuthError, emailExists, invalid } from './errors.ts'
import { actionLink, composeMail, type MailType } from './mail.ts'
import { newToken, tokenChanges } from './one-time-tokens.ts'
import { randomPassword } from './passwords.ts'
import { redirectTarget } from './redirects.ts'
import { type Body, type Env, emailAddress, metadata, readBody, text } from './request.ts'
import type { Auth } from './settings.ts'
import { userJson } from './user-json.ts'
import { findUserByEmail, type User, type UserChanges, updateUser } from './users.ts'

/** `/invite` and `/admin/generate_link`: what an admin sends to people, or hands to a mailer of their own. */
export function adminLinkRoutes(app: Hono<Env>, auth: Auth): void {
  app.post('/invite', async (c) => {
    const body = await readBody(c)
    const email = emailAddress(text(body, 'email'))
    const user = await unconfirmedUser(auth, email, null, body)
    const token = newToken(email)
    const invited = await updateUser(auth.db, user.id, {
      ...tokenChanges('confirmation_token', token),
      invited_at: new Date(),
    })
    const link = actionLink(auth, 'invite', token.hash, redirectTarget(auth, c.req.query('redirect_to')))
    auth.send(composeMail({ to: email, type: 'invite', code: token.code, tokenHash: token.hash, link }))
    return c.json(await userJson(auth.db, invited))
  })

  app.post('/admin/generate_link', async (c) => {
    const body = await readBody(c)
    const email = emailAddress(text(body, 'email'))
    const known = await findUserByEmail(auth.db, email)
    const asked = text(body, 'type')
    // A magic link for who has no account is an invitation to get one.
    const type = asked === 'magiclink' && !known ? 'signup' : asked
    const user = await userForLink(auth, email, known, type, body)
    const newEmail = type.startsWith('email_change_') ? emailAddress(text(body, 'new_email')) : ''
    if (newEmail && (await findUserByEmail(auth.db, newEmail))) throw emailExists()
    const token = newToken(type === 'email_change_new' ? newEmail : email)
    const updated = await updateUser(auth.db, user.id, changesOf(type, token, newEmail))
    const redirectTo = redirectTarget(auth, text(body, 'redirect_to'), c.req.query('redirect_to'))
    const mailType = (newEmail ? 'email_change' : type) as MailType
    return c.json({
      ...(await userJson(auth.db, updated)),
      action_link: actionLink(auth, mailType, token.hash, redirectTo),
      email_otp: token.code,
      hashed_token: token.hash,
      verification_type: type,
      redirect_to: redirectTo,
    })
  })
}

function changesOf(type: string, token: ReturnType<typeof newToken>, newEmail: string): UserChanges {
  switch (type) {
    case 'signup':
      return tokenChanges('confirmation_token', token)
    case 'invite':
      return { ...tokenChanges('confirmation_token', token), invited_at: new Date() }
    case 'magiclink':
    case 'recovery':
      return tokenChanges('recovery_token', token)
    case 'email_change_current':
      return { ...tokenChanges('email_change_token_current', token), email_change: newEmail }
    case 'email_change_new':
      return { ...tokenChanges('email_change_token_new', token), email_change: newEmail }
    default:
      throw invalid(`Invalid email action link type requested: ${type}`)
  }
}

async function userForLink(
  auth: Auth,
  email: string,
  known: User | undefined,
  type: string,
  body: Body,
): Promise<User> {
  if (type === 'invite') return unconfirmedUser(auth, email, null, body)
  if (type === 'signup') {
    const password = text(body, 'password') || (text(body, 'type') === 'magiclink' ? randomPassword() : '')
    if (!known && !password) throw invalid('Signup requires a valid password')
    if (password) auth.passwords.checkStrength(password)
    return unconfirmedUser(auth, email, password, body)
  }
  if (!known) throw new AuthError(404, 'user_not_found', 'User with this email not found')
  return known
}

/** The account that waits for its address to be confirmed, made if need be. @throws AuthError `email_exists` */
async function unconfirmedUser(auth: Auth, email: string, password: string | null, body: Body): Promise<User> {
  const known = await findUserByEmail(auth.db, email)
  if (known?.email_confirmed_at) throw emailExists()
  if (known) return known
  const account = {
    id: randomUUID(),
    email,
    encryptedPassword: password ? await auth.passwords.hash(password) : null,
    userMetadata: metadata(body, 'data') ?? {},
  }
  return auth.db.transaction((tx) => createEmailAccount(tx, account, emailExists))
}
