import { decodeJwt } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import type { AuthConfig } from '../../../src/stack/config.ts'
import { startProject } from './project.ts'

async function projectWith(config: Partial<AuthConfig>) {
  const project = await startProject({ config })
  onTestFinished(() => project.close())
  return project
}
const account = { email: 'ana@example.com', password: 'seven77' }

test('an access token lives as long as jwt_expiry says', async () => {
  const { data } = await (await projectWith({ jwtExpiry: 120 })).client().auth.signUp(account)
  expect(data.session?.expires_in).toBe(120)
  const { exp = 0, iat = 0 } = decodeJwt(data.session?.access_token ?? '')
  expect(exp - iat).toBe(120)
})

test('a password has the length that minimum_password_length says', async () => {
  const { auth } = (await projectWith({ minimumPasswordLength: 8 })).client()
  expect((await auth.signUp(account)).error).toMatchObject({
    code: 'weak_password',
    message: 'Password should be at least 8 characters.',
  })
  expect((await auth.signUp({ ...account, password: 'eight888' })).error).toBeNull()
})

test('with enable_signup off only an admin makes accounts', async () => {
  const project = await projectWith({ signUpsAllowed: false })
  expect((await project.client().auth.signUp(account)).error).toMatchObject({ status: 422, code: 'signup_disabled' })
  expect((await project.client().auth.signInAnonymously()).error).toMatchObject({ code: 'signup_disabled' })
  expect((await project.admin.auth.admin.createUser({ ...account, email_confirm: true })).error).toBeNull()
  expect((await project.client().auth.signInWithPassword(account)).error).toBeNull()
  expect(await (await project.request('/settings')).json()).toMatchObject({ disable_signup: true })
})

test('with enable_anonymous_sign_ins off nobody is anonymous', async () => {
  const project = await projectWith({ anonymousAllowed: false })
  expect((await project.client().auth.signInAnonymously()).error).toMatchObject({
    status: 422,
    code: 'anonymous_provider_disabled',
  })
  expect((await project.client().auth.signUp(account)).error).toBeNull()
})
