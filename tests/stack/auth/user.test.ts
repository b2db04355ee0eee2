import { afterAll, beforeAll, expect, test } from 'vitest'
import { mailTo, type Project, signUp, startProject } from './project.ts'

let project: Project
beforeAll(async () => {
  project = await startProject()
})
afterAll(() => project.close())

test('users add, replace and remove their own metadata', async () => {
  const { client } = await signUp(project, 'ana@hotel.test')
  await client.auth.updateUser({ data: { nickname: 'a', color: 'red' } })
  const { data } = await client.auth.updateUser({ data: { nickname: 'ana', color: null } })
  expect(data.user?.user_metadata).toMatchObject({ nickname: 'ana', email: 'ana@hotel.test' })
  expect(data.user?.user_metadata).not.toHaveProperty('color')
})

test('users do not write app_metadata, nor their role', async () => {
  const { client, session } = await signUp(project, 'eve@hotel.test')
  const put = (body: object) =>
    project.request('/user', {
      method: 'PUT',
      headers: { authorization: `Bearer ${session.access_token}` },
      body: JSON.stringify(body),
    })
  const refused = await put({ app_metadata: { admin: true } })
  expect(refused.status).toBe(403)
  expect(await refused.json()).toMatchObject({ error_code: 'not_admin' })
  expect((await put({ role: 'service_role', is_anonymous: true, banned_until: null })).status).toBe(200)
  const { data } = await client.auth.getUser()
  expect(data.user).toMatchObject({
    role: 'authenticated',
    is_anonymous: false,
    app_metadata: { providers: ['email'] },
  })
  expect(data.user?.app_metadata).not.toHaveProperty('admin')
})

test('a new password ends all other sessions and keeps this one', async () => {
  const { client } = await signUp(project, 'ben@hotel.test')
  const other = project.client()
  await other.auth.signInWithPassword({ email: 'ben@hotel.test', password: 'correct horse' })
  expect((await client.auth.updateUser({ password: 'better horse' })).error).toBeNull()
  expect((await other.auth.refreshSession()).error?.code).toBe('refresh_token_not_found')
  expect((await client.auth.refreshSession()).error).toBeNull()
  const old = await project.client().auth.signInWithPassword({ email: 'ben@hotel.test', password: 'correct horse' })
  expect(old.error?.code).toBe('invalid_credentials')
  const fresh = await project.client().auth.signInWithPassword({ email: 'ben@hotel.test', password: 'better horse' })
  expect(fresh.error).toBeNull()
})

test('the same and a short password are refused', async () => {
  const { client } = await signUp(project, 'cora@hotel.test')
  const same = await client.auth.updateUser({ password: 'correct horse' })
  expect(same.error).toMatchObject({ status: 422, code: 'same_password' })
  const short = await client.auth.updateUser({ password: 'five5' })
  expect(short.error).toMatchObject({ status: 422, code: 'weak_password' })
})

test('another address is used once a link that was mailed is followed', async () => {
  const { client, user } = await signUp(project, 'dora@hotel.test')
  const { data } = await client.auth.updateUser({ email: 'dora@new.test' })
  expect(data.user).toMatchObject({ email: 'dora@hotel.test', new_email: 'dora@new.test' })
  expect(mailTo(project, 'dora@hotel.test').type).toBe('email_change')
  const { code } = mailTo(project, 'dora@new.test')
  const verified = await project.client().auth.verifyOtp({ email: 'dora@new.test', token: code, type: 'email_change' })
  expect(verified.data.user).toMatchObject({
    id: user.id,
    email: 'dora@new.test',
    identities: [{ identity_data: { email: 'dora@new.test', email_verified: true } }],
  })
  expect((await client.auth.getUser()).data.user?.new_email).toBeUndefined()
})

test('an address that has an account is refused, before and after the mail', async () => {
  await signUp(project, 'taken@hotel.test')
  const { client } = await signUp(project, 'finn@hotel.test')
  const before = await client.auth.updateUser({ email: 'taken@hotel.test' })
  expect(before.error).toMatchObject({ status: 422, code: 'email_exists' })
  await client.auth.updateUser({ email: 'soon@hotel.test' })
  await signUp(project, 'soon@hotel.test')
  const { tokenHash } = mailTo(project, 'soon@hotel.test')
  const after = await project.client().auth.verifyOtp({ token_hash: tokenHash, type: 'email_change' })
  expect(after.error).toMatchObject({ status: 422, code: 'email_exists' })
})

test('reauthentication mails digits', async () => {
  const { client } = await signUp(project, 'gus@hotel.test')
  expect((await client.auth.reauthenticate()).error).toBeNull()
  expect(mailTo(project, 'gus@hotel.test')).toMatchObject({
    type: 'reauthentication',
    code: expect.stringMatching(/^\d{6}$/),
  })
})
