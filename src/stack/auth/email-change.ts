import { type Db, isUniqueViolation } from './database.ts'
import { emailExists } from './errors.ts'
import { setEmailIdentity } from './identities.ts'
import { actionLink, composeMail, type Mail } from './mail.ts'
import { newToken, withdrawnTokens } from './one-time-tokens.ts'
import type { Auth } from './settings.ts'
import { mergeMetadata, type User, updateUser } from './users.ts'

/**
 * Notes the wish for another address, and writes to the new and the old one: either link fulfils it, as in production
 * where addresses need no confirming.
 * @returns the mails, to be sent once this is committed: whoever reads fast must find the token there
 */
export async function requestEmailChange(
  auth: Auth,
  tx: Db,
  user: User,
  change: { email: string; redirectTo: string; pkce: boolean },
): Promise<{ user: User; mails: Mail[] }> {
  const { email, redirectTo, pkce } = change
  const letters = [{ to: email, column: 'email_change_token_new', token: newToken(email, { pkce }) }]
  if (user.email) {
    letters.push({ to: user.email, column: 'email_change_token_current', token: newToken(user.email, { pkce }) })
  }
  const changed = await updateUser(tx, user.id, {
    email_change: email,
    email_change_sent_at: new Date(),
    ...Object.fromEntries(letters.map(({ column, token }) => [column, token.hash])),
  })
  const mails = letters.map(({ to, token }) => {
    const link = actionLink(auth, 'email_change', token.hash, redirectTo)
    return composeMail({ to, type: 'email_change', code: token.code, tokenHash: token.hash, link })
  })
  return { user: changed, mails }
}

/** Makes the wished address the user's own; an anonymous user is one no longer. @throws AuthError `email_exists` */
export async function confirmEmailChange(tx: Db, user: User): Promise<User> {
  const email = user.email_change
  if (!email) throw new Error(`user ${user.id} wishes no other address`)
  try {
    const changed = await updateUser(tx, user.id, {
      email,
      email_change: '',
      ...withdrawnTokens,
      email_confirmed_at: user.email_confirmed_at ?? new Date(),
      raw_user_meta_data: user.email_confirmed_at
        ? user.raw_user_meta_data
        : mergeMetadata(user.raw_user_meta_data, { email_verified: true }),
      is_anonymous: false,
    })
    return await setEmailIdentity(tx, changed, { email, email_verified: true })
  } catch (error) {
    if (isUniqueViolation(error)) throw emailExists()
    throw error
  }
}
