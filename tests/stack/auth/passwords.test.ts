import { afterAll, beforeAll, expect, test } from 'vitest'
import { claimsOf, origin, type Project, signUp, startProject } from './project.ts'

let project: Project
beforeAll(async () => {
  project = await startProject()
})
afterAll(() => project.close())

test('whoever signs up is signed in, and the token says who they are', async () => {
  const { user, session } = await signUp(project, 'Ana@hotel.test')
  expect(user).toMatchObject({
    email: 'ana@hotel.test',
    role: 'authenticated',
    aud: 'authenticated',
    is_anonymous: false,
  })
  expect(user.identities).toMatchObject([
    { provider: 'email', id: user.id, identity_data: { email: 'ana@hotel.test' } },
  ])
  expect(user.email_confirmed_at).toBeTruthy()
  const claims = claimsOf(session.access_token)
  expect(claims).toMatchObject({
    iss: `${origin}/auth/v1`,
    sub: user.id,
    aud: 'authenticated',
    email: 'ana@hotel.test',
    phone: '',
    app_metadata: { provider: 'email', providers: ['email'] },
    user_metadata: { email: 'ana@hotel.test', email_verified: true, phone_verified: false, sub: user.id },
    role: 'authenticated',
    aal: 'aal1',
    amr: [{ method: 'password', timestamp: expect.any(Number) }],
    is_anonymous: false,
  })
  expect(claims.session_id).toMatch(/^[0-9a-f-]{36}$/)
  expect(Number(claims.exp) - Number(claims.iat)).toBe(3600)
  expect(session.expires_at).toBe(claims.exp)
})

test('an address that has an account cannot be signed up again, whatever its case', async () => {
  await signUp(project, 'ben@hotel.test')
  const { error } = await project.client().auth.signUp({ email: 'BEN@hotel.test', password: 'another one' })
  expect(error).toMatchObject({ status: 422, code: 'user_already_exists', message: 'User already registered' })
})

test('of ten who sign up with one address at once, one gets it and nine are told', async () => {
  const results = await Promise.all(
    Array.from({ length: 10 }, () =>
      project.client().auth.signUp({ email: 'race@hotel.test', password: 'correct horse' }),
    ),
  )
  expect(results.filter(({ data }) => data.session)).toHaveLength(1)
  expect(results.filter(({ error }) => error?.code === 'user_already_exists')).toHaveLength(9)
})

test('data given at sign-up is user_metadata, and forges nothing', async () => {
  const forged = {
    first_name: 'Eve',
    role: 'service_role',
    app_metadata: { admin: true },
    email_verified: 'forged',
    sub: 'forged',
    email: 'ana@hotel.test',
  }
  const response = await project.request('/signup', {
    method: 'POST',
    body: JSON.stringify({
      email: 'eve@hotel.test',
      password: 'correct horse',
      data: forged,
      role: 'service_role',
      app_metadata: { admin: true },
      is_anonymous: true,
      id: '00000000-0000-4000-8000-000000000001',
    }),
  })
  const { user, access_token } = (await response.json()) as { user: Record<string, unknown>; access_token: string }
  expect(user.id).not.toBe('00000000-0000-4000-8000-000000000001')
  expect(user.app_metadata).toEqual({ provider: 'email', providers: ['email'] })
  expect(user.user_metadata).toMatchObject({
    first_name: 'Eve',
    sub: user.id,
    email: 'eve@hotel.test',
    email_verified: true,
  })
  expect(claimsOf(access_token)).toMatchObject({
    role: 'authenticated',
    is_anonymous: false,
    app_metadata: { providers: ['email'] },
  })
  expect(claimsOf(access_token).app_metadata).not.toHaveProperty('admin')
})

test('a short, a missing and an endless password are refused', async () => {
  const short = await project.client().auth.signUp({ email: 'short@hotel.test', password: 'five5' })
  expect(short.error).toMatchObject({ name: 'AuthWeakPasswordError', status: 422, reasons: ['length'] })
  const none = await project.client().auth.signUp({ email: 'short@hotel.test', password: '' })
  expect(none.error).toMatchObject({
    status: 400,
    code: 'validation_failed',
    message: 'Signup requires a valid password',
  })
  const endless = await project.client().auth.signUp({ email: 'short@hotel.test', password: 'x'.repeat(73) })
  expect(endless.error).toMatchObject({ status: 400, code: 'validation_failed' })
})

test('what is no address, and a phone number, are refused', async () => {
  const address = await project.client().auth.signUp({ email: 'nobody', password: 'correct horse' })
  expect(address.error).toMatchObject({ status: 400, code: 'validation_failed' })
  const phone = await project.client().auth.signUp({ phone: '491234567', password: 'correct horse' })
  expect(phone.error).toMatchObject({ status: 400, code: 'phone_provider_disabled' })
})

test('the password signs in; a wrong one and an unknown address get the same answer', async () => {
  const { user } = await signUp(project, 'cora@hotel.test')
  const right = await project.client().auth.signInWithPassword({ email: 'Cora@hotel.test', password: 'correct horse' })
  expect(right.data.user?.id).toBe(user.id)
  const wrong = await project.client().auth.signInWithPassword({ email: 'cora@hotel.test', password: 'wrong horse' })
  const nobody = await project.client().auth.signInWithPassword({ email: 'nobody@hotel.test', password: 'wrong horse' })
  for (const { error } of [wrong, nobody]) {
    expect(error).toMatchObject({ status: 400, code: 'invalid_credentials', message: 'Invalid login credentials' })
  }
})

test('an account whose address is not confirmed does not get in, and says so to its owner only', async () => {
  await project.admin.auth.admin.createUser({ email: 'dora@hotel.test', password: 'correct horse' })
  const owner = await project.client().auth.signInWithPassword({ email: 'dora@hotel.test', password: 'correct horse' })
  expect(owner.error).toMatchObject({ status: 400, code: 'email_not_confirmed' })
  const stranger = await project.client().auth.signInWithPassword({ email: 'dora@hotel.test', password: 'wrong horse' })
  expect(stranger.error?.code).toBe('invalid_credentials')
  const claimed = await project.client().auth.signUp({ email: 'dora@hotel.test', password: 'mine now!' })
  expect(claimed.error?.code).toBe('user_already_exists')
})

test('an account that SQL made signs in', async () => {
  await project.sql(
    `insert into auth.users (
      instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data, raw_user_meta_data,
      confirmation_token, recovery_token, email_change, email_change_token_new, email_change_token_current
    ) values (
      '00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'authenticated', 'authenticated', 'seed@hotel.test',
      extensions.crypt('correct horse', extensions.gen_salt('bf', 4)), now(),
      '{"provider": "email", "providers": ["email"]}', '{}', '', '', '', '', ''
    )`,
  )
  const { data } = await project
    .client()
    .auth.signInWithPassword({ email: 'seed@hotel.test', password: 'correct horse' })
  expect(data.user?.email).toBe('seed@hotel.test')
})
