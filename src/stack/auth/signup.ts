import { randomUUID } from 'node:crypto'
import type { Hono } from 'hono'
import { createAnonymousAccount, createEmailAccount } from './accounts.ts'
import { AuthError, invalid } from './errors.ts'
import { deviceOf, type Env, emailAddress, metadata, readBody, text } from './request.ts'
import { startSession } from './sessions.ts'
import type { Auth } from './settings.ts'
import { confirmEmail, findUserByEmail } from './users.ts'

const alreadyExists = () => new AuthError(422, 'user_already_exists', 'User already registered')

/** `/signup`: with an address and a password, or with nothing, which is an anonymous user. */
export function signUpRoutes(app: Hono<Env>, auth: Auth): void {
  app.post('/signup', async (c) => {
    const body = await readBody(c)
    const given = { email: text(body, 'email'), phone: text(body, 'phone'), password: text(body, 'password') }
    const data = metadata(body, 'data') ?? {}
    if (!auth.signUpsAllowed) throw new AuthError(422, 'signup_disabled', 'Signups not allowed for this instance')
    if (given.email && given.phone) {
      throw invalid('Only an email address or phone number should be provided on signup.')
    }
    if (given.phone) throw new AuthError(400, 'phone_provider_disabled', 'Phone signups are disabled')
    if (!given.email) {
      if (!auth.anonymousAllowed) {
        throw new AuthError(422, 'anonymous_provider_disabled', 'Anonymous sign-ins are disabled')
      }
      const session = await auth.db.transaction(async (tx) =>
        startSession(auth, tx, await createAnonymousAccount(tx, data), 'anonymous', deviceOf(c)),
      )
      return c.json(session)
    }

    if (!given.password) throw invalid('Signup requires a valid password')
    auth.passwords.checkStrength(given.password)
    const email = emailAddress(given.email)
    // Production lets whoever knows an address that is not confirmed yet into its account when addresses need no
    // confirming. An account an admin made may have rights: here it is taken.
    if (await findUserByEmail(auth.db, email)) throw alreadyExists()
    const encryptedPassword = await auth.passwords.hash(given.password)
    const user = await auth.db.transaction(async (tx) => {
      const id = randomUUID()
      // What the address says of its owner comes last: it is not theirs to choose.
      const userMetadata = { ...data, sub: id, email, email_verified: false, phone_verified: false }
      const account = { id, email, encryptedPassword, userMetadata, identityData: data }
      const created = await createEmailAccount(tx, account, alreadyExists)
      return confirmEmail(tx, created)
    })
    return c.json(await auth.db.transaction((tx) => startSession(auth, tx, user, 'password', deviceOf(c))))
  })
}
