import type { Db } from './database.ts'

export type Metadata = Record<string, unknown>

/** A row of `auth.users`, without what only Auth's future versions read. */
export interface User {
  id: string
  aud: string | null
  role: string | null
  email: string | null
  encrypted_password: string | null
  phone: string | null
  email_confirmed_at: Date | null
  phone_confirmed_at: Date | null
  confirmed_at: Date | null
  invited_at: Date | null
  confirmation_token: string | null
  confirmation_sent_at: Date | null
  recovery_token: string | null
  recovery_sent_at: Date | null
  email_change: string | null
  email_change_token_new: string | null
  email_change_token_current: string | null
  email_change_sent_at: Date | null
  reauthentication_token: string | null
  reauthentication_sent_at: Date | null
  raw_app_meta_data: Metadata | null
  raw_user_meta_data: Metadata | null
  is_anonymous: boolean
  banned_until: Date | null
  deleted_at: Date | null
  last_sign_in_at: Date | null
  created_at: Date
  updated_at: Date
}

export type UserChanges = Partial<Omit<User, 'id' | 'confirmed_at' | 'created_at' | 'updated_at'>>

export async function findUserById(db: Db, id: string): Promise<User | undefined> {
  const [user] = await db.query<User>('select * from auth.users where id = $1', [id])
  return user
}

export async function findUserByEmail(db: Db, email: string): Promise<User | undefined> {
  const [user] = await db.query<User>('select * from auth.users where lower(email) = $1 and not is_sso_user', [email])
  return user
}

/** Waits for others who change this account, and keeps them out until the transaction ends. */
export async function lockUser(tx: Db, id: string): Promise<User | undefined> {
  const [user] = await tx.query<User>('select * from auth.users where id = $1 for update', [id])
  return user
}

export interface NewUser {
  id: string
  email: string | null
  encryptedPassword: string | null
  appMetadata: Metadata
  userMetadata: Metadata
  isAnonymous: boolean
}

/**
 * Adds the row only: confirming the address, a role and app_metadata from an admin are updates afterwards, as in
 * production, so that a project's insert trigger sees here what it will see there.
 */
export async function insertUser(tx: Db, user: NewUser): Promise<void> {
  await tx.query(
    `insert into auth.users (
      instance_id, id, aud, role, email, encrypted_password, raw_app_meta_data, raw_user_meta_data, is_anonymous
    ) values ('00000000-0000-0000-0000-000000000000', $1, 'authenticated', 'authenticated', $2, $3, $4, $5, $6)`,
    [user.id, user.email, user.encryptedPassword, user.appMetadata, user.userMetadata, user.isAnonymous],
  )
}

export async function updateUser(db: Db, id: string, changes: UserChanges): Promise<User> {
  const columns = Object.keys(changes)
  const assignments = columns.map((column, index) => `${column} = $${index + 2}`)
  const [user] = await db.query<User>(
    `update auth.users set ${[...assignments, 'updated_at = now()'].join(', ')} where id = $1 returning *`,
    [id, ...Object.values(changes)],
  )
  if (!user) throw new Error(`user ${id} disappeared`)
  return user
}

/** Confirms the address and withdraws what was sent to confirm it. */
export function confirmEmail(tx: Db, user: User): Promise<User> {
  return updateUser(tx, user.id, {
    email_confirmed_at: new Date(),
    confirmation_token: '',
    raw_user_meta_data: { ...user.raw_user_meta_data, email_verified: true },
  })
}

/** Adds and replaces fields; null takes one away. */
export function mergeMetadata(old: Metadata | null, changes: Metadata): Metadata {
  return Object.fromEntries(Object.entries({ ...old, ...changes }).filter(([, value]) => value !== null))
}

export function isBanned(user: User): boolean {
  return user.banned_until !== null && user.banned_until > new Date()
}
