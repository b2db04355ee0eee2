import { createHash } from 'node:crypto'
import type { AuthDatabase, Db } from './database.ts'
import { failure } from './errors.ts'
import { listIdentities } from './identities.ts'
import { withdrawnTokens } from './one-time-tokens.ts'
import { endSessions } from './sessions.ts'
import { type User, updateUser } from './users.ts'

/** Takes the account and all that hangs on it; foreign keys and triggers of the project decide what else goes. */
export async function deleteUser(db: AuthDatabase, user: User): Promise<void> {
  await db
    .transaction((tx) => tx.query('delete from auth.users where id = $1', [user.id]))
    .catch((cause: unknown) => {
      throw failure('Database error deleting user', cause)
    })
}

/** Keeps the row for what refers to it, and nothing that says whose it was. The address is free again. */
export async function softDeleteUser(tx: Db, user: User): Promise<void> {
  if (user.deleted_at) return
  await updateUser(tx, user.id, {
    ...withdrawnTokens,
    email: digest(user.id, user.email ?? ''),
    phone: digest(user.id, user.phone ?? '').slice(0, 15),
    email_change: '',
    encrypted_password: null,
    raw_user_meta_data: {},
    raw_app_meta_data: {},
    deleted_at: new Date(),
  })
  for (const identity of await listIdentities(tx, [user.id])) {
    await tx.query(`update auth.identities set identity_data = '{}', provider_id = $2 where id = $1`, [
      identity.id,
      digest(user.id, `${identity.provider}:${identity.provider_id}`),
    ])
  }
  await endSessions(tx, user.id, undefined, 'global')
}

function digest(id: string, value: string): string {
  return createHash('sha256').update(`${id}${value}`).digest('base64url')
}
