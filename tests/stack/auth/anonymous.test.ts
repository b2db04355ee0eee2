import { afterAll, beforeAll, expect, test } from 'vitest'
import { claimsOf, type Project, signUp, startProject } from './project.ts'

let project: Project
beforeAll(async () => {
  project = await startProject()
})
afterAll(() => project.close())

async function comeIn() {
  const client = project.client()
  const { data, error } = await client.auth.signInAnonymously({ options: { data: { nickname: 'guest' } } })
  if (error || !data.user || !data.session) throw error ?? new Error('no session')
  return { client, user: data.user, session: data.session }
}

test('whoever comes may be anonymous, and the token says so', async () => {
  const { user, session } = await comeIn()
  expect(user).toMatchObject({ is_anonymous: true, email: '', app_metadata: {}, user_metadata: { nickname: 'guest' } })
  expect(user.identities).toEqual([])
  expect(claimsOf(session.access_token)).toMatchObject({
    is_anonymous: true,
    role: 'authenticated',
    email: '',
    amr: [{ method: 'anonymous' }],
  })
})

test('an address and a password make the same user a permanent one', async () => {
  const { client, user } = await comeIn()
  const updated = await client.auth.updateUser({ email: 'Guest@hotel.test', password: 'correct horse' })
  expect(updated.error).toBeNull()
  expect(updated.data.user).toMatchObject({
    id: user.id,
    email: 'guest@hotel.test',
    is_anonymous: false,
    app_metadata: { provider: 'email', providers: ['email'] },
    identities: [{ provider: 'email', identity_data: { email: 'guest@hotel.test', email_verified: true } }],
  })
  const { data } = await client.auth.refreshSession()
  expect(claimsOf(data.session?.access_token ?? '')).toMatchObject({ is_anonymous: false, email: 'guest@hotel.test' })
  const back = await project.client().auth.signInWithPassword({ email: 'guest@hotel.test', password: 'correct horse' })
  expect(back.data.user).toMatchObject({ id: user.id, user_metadata: { nickname: 'guest' } })
})

test('an anonymous user cannot take an address that has an account, nor a password without one', async () => {
  await signUp(project, 'ana@hotel.test')
  const { client } = await comeIn()
  const taken = await client.auth.updateUser({ email: 'ana@hotel.test', password: 'correct horse' })
  expect(taken.error).toMatchObject({ status: 422, code: 'email_exists' })
  const bare = await client.auth.updateUser({ password: 'correct horse' })
  expect(bare.error).toMatchObject({ status: 422, code: 'validation_failed' })
  expect((await client.auth.getUser()).data.user?.is_anonymous).toBe(true)
})
