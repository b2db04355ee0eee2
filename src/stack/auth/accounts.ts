import { randomUUID } from 'node:crypto'
import { type Db, isUniqueViolation } from './database.ts'
import { failure } from './errors.ts'
import { setEmailIdentity } from './identities.ts'
import { findUserById, insertUser, type Metadata, type NewUser, type User } from './users.ts'

interface EmailAccount {
  id: string
  email: string
  encryptedPassword: string | null
  userMetadata: Metadata
  /** What the identity says besides the address. */
  identityData?: Metadata
}

/**
 * A new account with an e-mail address, not confirmed yet.
 * @throws the given error when the address has an account
 */
export async function createEmailAccount(tx: Db, account: EmailAccount, taken: () => Error): Promise<User> {
  const { id, email } = account
  const user = await insert(
    tx,
    {
      id,
      email,
      encryptedPassword: account.encryptedPassword,
      appMetadata: { provider: 'email', providers: ['email'] },
      userMetadata: account.userMetadata,
      isAnonymous: false,
    },
    taken,
  )
  return setEmailIdentity(tx, user, { ...account.identityData, email, email_verified: false, phone_verified: false })
}

export function createAnonymousAccount(tx: Db, userMetadata: Metadata): Promise<User> {
  const nobody = { email: null, encryptedPassword: null, appMetadata: {}, isAnonymous: true }
  return insert(tx, { ...nobody, id: randomUUID(), userMetadata })
}

async function insert(tx: Db, user: NewUser, taken?: () => Error): Promise<User> {
  try {
    await insertUser(tx, user)
  } catch (error) {
    if (taken && isUniqueViolation(error)) throw taken()
    throw failure('Database error saving new user', error)
  }
  // Read again: triggers may have changed what was written.
  const saved = await findUserById(tx, user.id)
  if (!saved) throw failure('Database error saving new user', new Error('the new row is gone'))
  return saved
}
