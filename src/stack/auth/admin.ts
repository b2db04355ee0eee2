import { randomUUID } from 'node:crypto'
import type { Context, Hono } from 'hono'
import { createEmailAccount } from './accounts.ts'
import { banUntil } from './bans.ts'
import { type Db, isUniqueViolation } from './database.ts'
import { deleteUser, softDeleteUser } from './deletion.ts'
import { AuthError, emailExists, failure, invalid } from './errors.ts'
import { setEmailIdentity } from './identities.ts'
import { withdrawnTokens } from './one-time-tokens.ts'
import { pageOf, pagingHeaders } from './paging.ts'
import { checkPasswordHash, type Passwords, randomPassword } from './passwords.ts'
import { type Body, type Env, emailAddress, isUuid, metadata, readBody, text } from './request.ts'
import { endSessions } from './sessions.ts'
import type { Auth } from './settings.ts'
import { userJson, usersJson } from './user-json.ts'
import { confirmEmail, findUserByEmail, findUserById, lockUser, mergeMetadata, type User, updateUser } from './users.ts'

/** `/admin/users`: accounts, for who holds the secret key. */
export function adminRoutes(app: Hono<Env>, auth: Auth): void {
  app.get('/admin/users', async (c) => {
    const page = pageOf(new URL(c.req.url))
    const [counted] = await auth.db.query<{ total: string }>('select count(*) as total from auth.users')
    const users = await auth.db.query<User>(
      'select * from auth.users order by created_at desc, id limit $1 offset $2',
      [page.size, (page.number - 1) * page.size],
    )
    const body = { users: await usersJson(auth.db, users), aud: 'authenticated' }
    return c.json(body, 200, pagingHeaders(new URL(c.req.url), page, Number(counted?.total ?? 0)))
  })

  app.post('/admin/users', async (c) => {
    const body = await readBody(c)
    if (text(body, 'phone')) throw new AuthError(400, 'phone_provider_disabled', 'Phone signups are disabled')
    if (!text(body, 'email')) throw invalid('Cannot create a user without either an email or phone')
    const email = emailAddress(text(body, 'email'))
    const id = text(body, 'id') || randomUUID()
    if (!isUuid(id)) throw invalid('ID must conform to the uuid v4 format')
    if (await findUserByEmail(auth.db, email)) throw emailExists()
    const wishes = wishesOf(body)
    const account = {
      id,
      email,
      encryptedPassword: await firstPassword(auth.passwords, body),
      userMetadata: wishes.userMetadata ?? {},
    }
    const taken = () => failure('Database error creating new user', new Error('the id or the address is taken'))
    const user = await auth.db.transaction(async (tx) => {
      const created = await createEmailAccount(tx, account, taken)
      return applyWishes(tx, created, { ...wishes, userMetadata: undefined })
    })
    return c.json(await userJson(auth.db, user))
  })

  app.get('/admin/users/:id', async (c) => c.json(await userJson(auth.db, await requestedUser(c))))

  app.put('/admin/users/:id', async (c) => {
    const { id } = await requestedUser(c)
    const body = await readBody(c)
    if (text(body, 'phone')) throw new AuthError(400, 'phone_provider_disabled', 'Unsupported phone provider')
    const email = text(body, 'email') && emailAddress(text(body, 'email'))
    const wishes = wishesOf(body)
    const encryptedPassword =
      body.password === undefined ? undefined : await newPassword(auth.passwords, text(body, 'password'))
    const user = await auth.db.transaction(async (tx) => {
      const locked = await lockUser(tx, id)
      if (!locked) throw userNotFound()
      let current = await applyWishes(tx, locked, wishes)
      if (encryptedPassword) {
        current = await updateUser(tx, id, { ...withdrawnTokens, encrypted_password: encryptedPassword })
        await endSessions(tx, id, undefined, 'global')
      }
      return email ? changeEmail(tx, current, email, wishes.confirm) : current
    })
    return c.json(await userJson(auth.db, user))
  })

  app.delete('/admin/users/:id', async (c) => {
    const user = await requestedUser(c)
    const body = await readBody(c)
    if (body.should_soft_delete === true) await auth.db.transaction((tx) => softDeleteUser(tx, user))
    else await deleteUser(auth.db, user)
    return c.json({})
  })

  async function requestedUser(c: Context<Env>): Promise<User> {
    const id = c.req.param('id') ?? ''
    if (!isUuid(id)) throw new AuthError(404, 'validation_failed', 'user_id must be an UUID')
    const user = await findUserById(auth.db, id)
    if (!user) throw userNotFound()
    return user
  }
}

const userNotFound = () => new AuthError(404, 'user_not_found', 'User not found')

interface Wishes {
  role: string
  confirm: boolean
  appMetadata: Record<string, unknown> | undefined
  userMetadata: Record<string, unknown> | undefined
  /** Undefined: as it is. Null: lifted. */
  bannedUntil: Date | null | undefined
}

function wishesOf(body: Body): Wishes {
  return {
    role: text(body, 'role').trim(),
    confirm: body.email_confirm === true,
    appMetadata: metadata(body, 'app_metadata'),
    userMetadata: metadata(body, 'user_metadata'),
    bannedUntil: text(body, 'ban_duration') ? banUntil(text(body, 'ban_duration')) : undefined,
  }
}

async function applyWishes(tx: Db, user: User, wishes: Wishes): Promise<User> {
  const confirmed = wishes.confirm ? await confirmEmail(tx, user) : user
  return updateUser(tx, user.id, {
    ...(wishes.role && { role: wishes.role }),
    ...(wishes.appMetadata && {
      raw_app_meta_data: mergeMetadata(confirmed.raw_app_meta_data, wishes.appMetadata),
    }),
    ...(wishes.userMetadata && {
      raw_user_meta_data: mergeMetadata(confirmed.raw_user_meta_data, wishes.userMetadata),
    }),
    ...(wishes.bannedUntil !== undefined && { banned_until: wishes.bannedUntil }),
  })
}

async function changeEmail(tx: Db, user: User, email: string, verified: boolean): Promise<User> {
  try {
    const changed = await updateUser(tx, user.id, {
      ...withdrawnTokens,
      email,
      is_anonymous: user.is_anonymous && !verified,
    })
    return await setEmailIdentity(tx, changed, { email, email_verified: verified })
  } catch (error) {
    if (isUniqueViolation(error)) throw emailExists()
    throw error
  }
}

async function newPassword(passwords: Passwords, password: string): Promise<string> {
  passwords.checkStrength(password)
  return passwords.hash(password)
}

async function firstPassword(passwords: Passwords, body: Body): Promise<string> {
  const [password, hash] = [text(body, 'password'), text(body, 'password_hash')]
  if (password && hash) throw invalid('Only a password or a password hash should be provided')
  if (!hash) return passwords.hash(password || randomPassword())
  checkPasswordHash(hash)
  return hash
}
