import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { localKeys } from '../../../src/stack/keys.ts'
import { claimsOf, mailTo, type Project, signUp, startProject } from './project.ts'

let project: Project
let admin: Project['admin']['auth']['admin']
beforeAll(async () => {
  project = await startProject()
  admin = project.admin.auth.admin
})
afterAll(() => project.close())

const signIn = (email: string) => project.client().auth.signInWithPassword({ email, password: 'correct horse' })
async function create(email: string) {
  const { data, error } = await admin.createUser({ email, password: 'correct horse', email_confirm: true })
  if (error) throw error
  return data.user
}

test('an admin makes an account with an id, rights and data, and its owner signs in', async () => {
  const id = randomUUID()
  const { data, error } = await admin.createUser({
    id,
    email: 'Ana@hotel.test',
    password: 'correct horse',
    email_confirm: true,
    app_metadata: { staff: true },
    user_metadata: { first_name: 'Ana' },
  })
  expect(error).toBeNull()
  expect(data.user).toMatchObject({
    id,
    email: 'ana@hotel.test',
    role: 'authenticated',
    app_metadata: { provider: 'email', providers: ['email'], staff: true },
    user_metadata: { first_name: 'Ana', email_verified: true },
  })
  const session = (await signIn('ana@hotel.test')).data.session
  expect(claimsOf(session?.access_token ?? '')).toMatchObject({ sub: id, app_metadata: { staff: true } })
})

test('a taken address, no address, a wrong id and a weak hash are refused', async () => {
  await create('ben@hotel.test')
  const taken = await admin.createUser({ email: 'BEN@hotel.test' })
  expect(taken.error).toMatchObject({ status: 422, code: 'email_exists' })
  for (const attributes of [
    {},
    { email: 'x@hotel.test', id: 'mine' },
    { email: 'x@hotel.test', password: 'x'.repeat(73) },
    { email: 'x@hotel.test', password_hash: 'plain' },
  ]) {
    expect((await admin.createUser(attributes)).error).toMatchObject({ status: 400, code: 'validation_failed' })
  }
})

test('users are listed newest first, in pages that say how many there are', async () => {
  const several = await startProject()
  try {
    for (const name of ['one', 'two', 'three']) await signUp(several, `${name}@hotel.test`)
    const first = await several.admin.auth.admin.listUsers({ page: 1, perPage: 2 })
    expect(first.data.users.map(({ email }) => email)).toEqual(['three@hotel.test', 'two@hotel.test'])
    expect(first.data).toMatchObject({ total: 3, nextPage: 2, lastPage: 2, aud: 'authenticated' })
    const last = await several.admin.auth.admin.listUsers({ page: 2, perPage: 2 })
    expect(last.data.users.map(({ email }) => email)).toEqual(['one@hotel.test'])
    expect(last.data).toMatchObject({ nextPage: null })
    const wrong = await several.admin.auth.admin.listUsers({ page: 1, perPage: 0 })
    expect(wrong.error).toMatchObject({ status: 400, code: 'validation_failed' })
  } finally {
    await several.close()
  }
})

test('an admin reads and changes an account; metadata is merged, null removes', async () => {
  const { id } = await create('cora@hotel.test')
  await admin.updateUserById(id, { app_metadata: { staff: true, floor: 3 }, user_metadata: { first_name: 'Cora' } })
  const { data } = await admin.updateUserById(id, {
    app_metadata: { floor: null },
    email: 'Cora@new.test',
    role: 'clerk',
  })
  expect(data.user).toMatchObject({ email: 'cora@new.test', role: 'clerk', user_metadata: { first_name: 'Cora' } })
  expect(data.user?.app_metadata).toEqual({ provider: 'email', providers: ['email'], staff: true })
  expect((await admin.getUserById(id)).data.user?.email).toBe('cora@new.test')
})

test('a password an admin sets works, and ends the sessions there were', async () => {
  const { client, user } = await signUp(project, 'dora@hotel.test', 'forgotten one')
  expect((await admin.updateUserById(user.id, { password: 'correct horse' })).error).toBeNull()
  expect((await signIn('dora@hotel.test')).error).toBeNull()
  expect((await client.auth.refreshSession()).error?.code).toBe('refresh_token_not_found')
})

test('a banned user neither signs in nor refreshes until the ban is lifted', async () => {
  const { client, user } = await signUp(project, 'eve@hotel.test')
  const banned = await admin.updateUserById(user.id, { ban_duration: '1h30m' })
  const until = Date.parse(banned.data.user?.banned_until ?? '')
  expect(until - Date.now()).toBeGreaterThan(89 * 60_000)
  expect(until - Date.now()).toBeLessThanOrEqual(90 * 60_000)
  expect((await signIn('eve@hotel.test')).error).toMatchObject({ status: 400, code: 'user_banned' })
  expect((await client.auth.refreshSession()).error).toMatchObject({ status: 400, code: 'user_banned' })
  await project.client().auth.resetPasswordForEmail('eve@hotel.test')
  const { tokenHash } = mailTo(project, 'eve@hotel.test')
  const byMail = await project.client().auth.verifyOtp({ token_hash: tokenHash, type: 'recovery' })
  expect(byMail.error).toMatchObject({ status: 403, code: 'user_banned' })
  await admin.updateUserById(user.id, { ban_duration: 'none' })
  expect((await signIn('eve@hotel.test')).error).toBeNull()
  const nonsense = await admin.updateUserById(user.id, { ban_duration: 'forever' })
  expect(nonsense.error).toMatchObject({ status: 400, code: 'validation_failed' })
})

test('a deleted account is gone, with its sessions, and its address is free', async () => {
  const { client, user } = await signUp(project, 'finn@hotel.test')
  expect((await admin.deleteUser(user.id)).error).toBeNull()
  expect((await admin.getUserById(user.id)).error).toMatchObject({ status: 404, code: 'user_not_found' })
  expect((await client.auth.refreshSession()).error?.code).toBe('refresh_token_not_found')
  expect((await signUp(project, 'finn@hotel.test')).user.id).not.toBe(user.id)
})

test('a softly deleted account keeps its row and nothing that says whose it was', async () => {
  const { user } = await signUp(project, 'gus@hotel.test')
  expect((await admin.deleteUser(user.id, true)).error).toBeNull()
  const { data } = await admin.getUserById(user.id)
  expect(data.user).toMatchObject({ deleted_at: expect.any(String), user_metadata: {}, app_metadata: {} })
  expect(JSON.stringify(data.user)).not.toContain('gus@hotel.test')
  expect((await signIn('gus@hotel.test')).error?.code).toBe('invalid_credentials')
  expect((await signUp(project, 'gus@hotel.test')).user.id).not.toBe(user.id)
})

test('an account that the project’s tables still need is not deleted, and the reason is logged', async () => {
  const { user } = await signUp(project, 'hal@hotel.test')
  await project.sql('create table public.needs (user_id uuid references auth.users (id))')
  await project.sql('insert into public.needs values ($1)', [user.id])
  expect((await admin.deleteUser(user.id)).error).toMatchObject({ status: 500 })
  expect(project.log.at(-1)).toContain('violates foreign key constraint')
  expect((await admin.getUserById(user.id)).error).toBeNull()
})

test('an invited person gets in by the link and then chooses a password', async () => {
  const invited = await admin.inviteUserByEmail('ida@hotel.test', { data: { first_name: 'Ida' } })
  expect(invited.data.user).toMatchObject({ invited_at: expect.any(String), user_metadata: { first_name: 'Ida' } })
  const { tokenHash, type } = mailTo(project, 'ida@hotel.test')
  expect(type).toBe('invite')
  const client = project.client()
  expect((await client.auth.verifyOtp({ token_hash: tokenHash, type: 'invite' })).error).toBeNull()
  expect((await client.auth.updateUser({ password: 'correct horse' })).error).toBeNull()
  expect((await signIn('ida@hotel.test')).data.user?.id).toBe(invited.data.user?.id)
  expect((await admin.inviteUserByEmail('ida@hotel.test')).error).toMatchObject({ status: 422, code: 'email_exists' })
})

test('links are made without a mail', async () => {
  await create('jan@hotel.test')
  const before = project.mails.length
  const verify = async (
    token_hash: string | undefined,
    type: 'signup' | 'invite' | 'magiclink' | 'recovery' | 'email_change',
  ) => (await project.client().auth.verifyOtp({ token_hash: token_hash ?? '', type })).data.user?.email
  const recovery = await admin.generateLink({ type: 'recovery', email: 'jan@hotel.test' })
  expect(recovery.data.properties).toMatchObject({
    verification_type: 'recovery',
    redirect_to: 'http://app.test/welcome',
  })
  expect(recovery.data.properties?.action_link).toContain(recovery.data.properties?.hashed_token)
  expect(await verify(recovery.data.properties?.hashed_token, 'recovery')).toBe('jan@hotel.test')
  const magic = await admin.generateLink({ type: 'magiclink', email: 'jan@hotel.test' })
  expect(await verify(magic.data.properties?.hashed_token, 'magiclink')).toBe('jan@hotel.test')
  const signup = await admin.generateLink({ type: 'signup', email: 'kim@hotel.test', password: 'correct horse' })
  expect(await verify(signup.data.properties?.hashed_token, 'signup')).toBe('kim@hotel.test')
  const invite = await admin.generateLink({ type: 'invite', email: 'leo@hotel.test' })
  expect(await verify(invite.data.properties?.hashed_token, 'invite')).toBe('leo@hotel.test')
  const change = await admin.generateLink({
    type: 'email_change_new',
    email: 'leo@hotel.test',
    newEmail: 'leo@new.test',
  })
  expect(await verify(change.data.properties?.hashed_token, 'email_change')).toBe('leo@new.test')
  expect(project.mails).toHaveLength(before)
  const nobody = await admin.generateLink({ type: 'recovery', email: 'nobody@hotel.test' })
  expect(nobody.error).toMatchObject({ status: 404, code: 'user_not_found' })
})

test('the publishable key, a user’s token and nobody are no admins: 403 not_admin', async () => {
  const { session } = await signUp(project, 'mia@hotel.test')
  const bearers = [`Bearer ${localKeys.publishable}`, `Bearer ${session.access_token}`, '']
  const paths = ['/admin/users', `/admin/users/${session.user.id}`, '/admin/generate_link', '/invite']
  for (const path of paths) {
    for (const authorization of bearers) {
      const method = path.startsWith('/admin/users') ? 'GET' : 'POST'
      const response = await project.request(path, { method, ...(authorization && { headers: { authorization } }) })
      expect(response.status).toBe(403)
      expect(await response.json()).toMatchObject({ error_code: 'not_admin', msg: 'User not allowed' })
    }
  }
  // The secret key opens the door; the token in the other header is who walks through it.
  const headers = { apikey: localKeys.secret, authorization: `Bearer ${session.access_token}` }
  expect((await project.request('/admin/users', { headers })).status).toBe(403)
  expect((await project.request('/admin/users', { headers: { apikey: localKeys.secret } })).status).toBe(200)
})
