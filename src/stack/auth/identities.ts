import { randomUUID } from 'node:crypto'
import type { Db } from './database.ts'
import { type Metadata, mergeMetadata, type User, updateUser } from './users.ts'

/** A way in that belongs to a user; for an e-mail address the provider's id is the user's own. */
export interface Identity {
  id: string
  provider: string
  provider_id: string
  user_id: string
  identity_data: Metadata
  email: string | null
  last_sign_in_at: Date | null
  created_at: Date
  updated_at: Date
}

/** Of each user the oldest first. */
export function listIdentities(db: Db, userIds: string[]): Promise<Identity[]> {
  return db.query<Identity>('select * from auth.identities where user_id = any ($1) order by created_at, id', [userIds])
}

/** Makes the address a way in, or changes the one there is, and keeps the list of providers true. */
export async function setEmailIdentity(tx: Db, user: User, data: Metadata & { email: string }): Promise<User> {
  const identity = { phone_verified: false, ...data, sub: user.id }
  await tx.query(
    `insert into auth.identities (id, provider, provider_id, user_id, identity_data, last_sign_in_at)
    values ($1, 'email', $2::text, $2::text::uuid, $3, now())
    on conflict (provider, provider_id) do update
    set identity_data = auth.identities.identity_data || excluded.identity_data, updated_at = now()`,
    [randomUUID(), user.id, identity],
  )
  return syncProviders(tx, user)
}

/** Writes the providers of a user's identities into app_metadata, the oldest first. */
export async function syncProviders(tx: Db, user: User): Promise<User> {
  const identities = await listIdentities(tx, [user.id])
  const providers = [...new Set(identities.map((identity) => identity.provider))]
  const first = providers[0] ? { provider: providers[0] } : {}
  return updateUser(tx, user.id, {
    raw_app_meta_data: mergeMetadata(user.raw_app_meta_data, { ...first, providers }),
  })
}
