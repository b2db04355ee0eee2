import type { Context, Hono } from 'hono'
import type { Db } from './database.ts'
import { confirmEmailChange } from './email-change.ts'
import { AuthError, invalid, userBanned } from './errors.ts'
import { setEmailIdentity, syncProviders } from './identities.ts'
import { hashesOf, isTokenValid, pkcePrefix, type TokenColumn, withdrawnTokens } from './one-time-tokens.ts'
import { issueCode } from './pkce.ts'
import { redirectTarget } from './redirects.ts'
import { deviceOf, type Env, emailAddress, isStorable, readBody, text } from './request.ts'
import { type SessionJson, startSession } from './sessions.ts'
import type { Auth } from './settings.ts'
import { confirmEmail, isBanned, lockUser, type User, updateUser } from './users.ts'

// Where each kind of mail left its token; `email` is a magic link or a confirmation, whichever was asked for.
const columnsOfType = new Map<string, TokenColumn[]>(
  Object.entries({
    signup: ['confirmation_token'],
    invite: ['confirmation_token'],
    recovery: ['recovery_token'],
    magiclink: ['recovery_token'],
    email: ['confirmation_token', 'recovery_token'],
    email_change: ['email_change_token_new', 'email_change_token_current'],
  }),
)

/** `/verify`: a session for what was mailed, as a link that is opened or as digits that are typed in. */
export function verifyRoutes(app: Hono<Env>, auth: Auth): void {
  app.get('/verify', async (c) => {
    const { type = '', token: hash = '' } = c.req.query()
    const columns = columnsFor(type)
    if (!isStorable(hash) || !hash) throw invalid('Verify requires a token or a token hash')
    const target = redirectTarget(auth, c.req.query('redirect_to'), c.req.header('referer'))
    try {
      return await openLink(c, target, { columns, hash, type })
    } catch (error) {
      // A failure of ours is not the app's to explain.
      if (error instanceof AuthError && error.status < 500) return c.redirect(withError(target, error), 303)
      throw error
    }
  })

  async function openLink(
    c: Context<Env>,
    target: string,
    link: { columns: TokenColumn[]; hash: string; type: string },
  ): Promise<Response> {
    const { columns, hash, type } = link
    return auth.db.transaction(async (tx) => {
      const user = await redeem(tx, columns, [hash])
      if (hash.startsWith(pkcePrefix)) {
        const url = new URL(target)
        url.searchParams.set('code', await issueCode(tx, user.id, type))
        return c.redirect(url.toString(), 303)
      }
      const session = await startSession(auth, tx, user, 'otp', deviceOf(c))
      return c.redirect(`${target}#${inFragment(session, type)}`, 303)
    })
  }

  app.post('/verify', async (c) => {
    const body = await readBody(c)
    const type = text(body, 'type')
    const columns = columnsFor(type)
    const [code, hash] = [text(body, 'token').replaceAll('-', ''), text(body, 'token_hash')]
    if (Boolean(code) === Boolean(hash)) throw invalid('Verify requires either a token or a token hash')
    const email = code ? emailAddress(text(body, 'email')) : ''
    if (hash && (text(body, 'email') || text(body, 'phone'))) {
      throw invalid('Only the token_hash and type should be provided')
    }
    const session = await auth.db.transaction(async (tx) => {
      const user = await redeem(tx, columns, hash ? [hash] : hashesOf(email, code))
      return startSession(auth, tx, user, 'otp', deviceOf(c))
    })
    return c.json(session)
  })
}

function columnsFor(type: string): TokenColumn[] {
  if (!type) throw invalid('Verify requires a verification type')
  const columns = columnsOfType.get(type)
  if (!columns) throw invalid('Invalid email verification type')
  return columns
}

/** Takes the token, so that it works once, and does what its mail promised. */
async function redeem(tx: Db, columns: TokenColumn[], hashes: string[]): Promise<User> {
  const [found] = await tx.query<{ id: string }>(
    `select id from auth.users where array[${columns.join(', ')}]::text[] && $1::text[]`,
    [hashes],
  )
  const user = found && (await lockUser(tx, found.id))
  const column = user && columns.find((candidate) => hashes.some((hash) => isTokenValid(user, candidate, hash)))
  if (!user || !column) throw new AuthError(403, 'otp_expired', 'Email link is invalid or has expired')
  if (isBanned(user)) throw userBanned()
  if (column.startsWith('email_change')) return confirmEmailChange(tx, user)

  const redeemed = await updateUser(tx, user.id, withdrawnTokens)
  const confirmed = redeemed.email_confirmed_at ? redeemed : await confirmEmail(tx, redeemed)
  if (column !== 'confirmation_token' || !confirmed.email) return syncProviders(tx, confirmed)
  return setEmailIdentity(tx, confirmed, { email: confirmed.email, email_verified: true })
}

function inFragment(session: SessionJson, type: string): URLSearchParams {
  return new URLSearchParams({
    access_token: session.access_token,
    expires_at: String(session.expires_at),
    expires_in: String(session.expires_in),
    refresh_token: session.refresh_token,
    token_type: session.token_type,
    type,
  })
}

const oauthNames: Record<number, string> = { 400: 'invalid_request', 403: 'access_denied' }

function withError(target: string, error: AuthError): string {
  const url = new URL(target)
  url.hash = new URLSearchParams({
    error: oauthNames[error.status] ?? 'access_denied',
    error_code: error.code,
    error_description: error.message,
  }).toString()
  return url.toString()
}
