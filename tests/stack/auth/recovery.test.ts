import { afterAll, beforeAll, expect, test } from 'vitest'
import { claimsOf, mailTo, type Project, signUp, startProject } from './project.ts'

let project: Project
beforeAll(async () => {
  project = await startProject({ redirectUrls: ['https://*.allowed.test/**', 'myapp://reset'] })
})
afterAll(() => project.close())

/** Opens a link as a browser does: no key, no session. */
const open = async (link = '') => {
  const url = new URL(link)
  const response = await project.request(`${url.pathname.replace('/auth/v1', '')}${url.search}`, {
    headers: { apikey: '' },
  })
  expect(response.status).toBe(303)
  return new URL(response.headers.get('location') ?? '')
}
const forgot = (email: string, redirectTo?: string) =>
  project.client().auth.resetPasswordForEmail(email, redirectTo ? { redirectTo } : {})

test('the link in the mail leads to the site with a session, in which a new password is set', async () => {
  await signUp(project, 'ana@hotel.test')
  expect((await forgot('Ana@hotel.test')).error).toBeNull()
  const mail = mailTo(project, 'ana@hotel.test')
  expect(mail).toMatchObject({
    type: 'recovery',
    subject: 'Reset your password',
    code: expect.stringMatching(/^\d{6}$/),
  })
  expect(mail.text).toContain(mail.link)
  const target = await open(mail.link)
  expect(target.origin + target.pathname).toBe('http://app.test/welcome')
  const fragment = new URLSearchParams(target.hash.slice(1))
  expect(fragment.get('type')).toBe('recovery')
  const client = project.client()
  const access = fragment.get('access_token') ?? ''
  await client.auth.setSession({ access_token: access, refresh_token: fragment.get('refresh_token') ?? '' })
  expect(claimsOf(access).amr).toMatchObject([{ method: 'otp' }])
  expect((await client.auth.updateUser({ password: 'better horse' })).error).toBeNull()
  const back = await project.client().auth.signInWithPassword({ email: 'ana@hotel.test', password: 'better horse' })
  expect(back.error).toBeNull()
})

test('a link works once', async () => {
  await signUp(project, 'ben@hotel.test')
  await forgot('ben@hotel.test')
  const { link } = mailTo(project, 'ben@hotel.test')
  const answers = await Promise.all([open(link), open(link)])
  const failed = answers.filter(({ hash }) => hash.includes('error_code=otp_expired'))
  expect(failed).toHaveLength(1)
  expect(new URLSearchParams(failed[0]?.hash.slice(1)).get('error')).toBe('access_denied')
})

test('the token hash, and the digits with the address, sign in without the link', async () => {
  await signUp(project, 'cora@hotel.test')
  await forgot('cora@hotel.test')
  const hash = mailTo(project, 'cora@hotel.test').tokenHash
  const byHash = await project.client().auth.verifyOtp({ token_hash: hash, type: 'recovery' })
  expect(byHash.data.user?.email).toBe('cora@hotel.test')
  await forgot('cora@hotel.test')
  const { code } = mailTo(project, 'cora@hotel.test')
  const byCode = await project.client().auth.verifyOtp({ email: 'cora@hotel.test', token: code, type: 'recovery' })
  expect(byCode.data.session).not.toBeNull()
})

test('wrong digits, another person’s digits, an old mail and a late reader are refused', async () => {
  await signUp(project, 'dora@hotel.test')
  await signUp(project, 'eve@hotel.test')
  await forgot('dora@hotel.test')
  const old = mailTo(project, 'dora@hotel.test')
  await forgot('dora@hotel.test')
  const { code } = mailTo(project, 'dora@hotel.test')
  const verify = (email: string, token: string) => project.client().auth.verifyOtp({ email, token, type: 'recovery' })
  const wrong = await verify('dora@hotel.test', String((Number(code) + 1) % 1_000_000).padStart(6, '0'))
  expect(wrong.error).toMatchObject({ status: 403, code: 'otp_expired' })
  expect((await verify('eve@hotel.test', code)).error?.code).toBe('otp_expired')
  expect((await verify('nobody@hotel.test', code)).error?.code).toBe('otp_expired')
  const stale = await project.client().auth.verifyOtp({ token_hash: old.tokenHash, type: 'recovery' })
  expect(stale.error?.code).toBe('otp_expired')
  await project.sql(
    `update auth.users set recovery_sent_at = now() - interval '61 minutes' where email = 'dora@hotel.test'`,
  )
  expect((await verify('dora@hotel.test', code)).error?.code).toBe('otp_expired')
})

test('an address without an account gets the same answer and no mail', async () => {
  expect((await forgot('nobody@hotel.test')).error).toBeNull()
  expect(project.mails.filter(({ to }) => to === 'nobody@hotel.test')).toEqual([])
})

test('the app chooses where the link leads among allowed places; elsewhere it leads to the site', async () => {
  await signUp(project, 'finn@hotel.test')
  const leadsTo = async (redirectTo: string) => {
    await forgot('finn@hotel.test', redirectTo)
    return new URL(mailTo(project, 'finn@hotel.test').link ?? '').searchParams.get('redirect_to')
  }
  expect(await leadsTo('http://app.test:3000/reset')).toBe('http://app.test:3000/reset')
  expect(await leadsTo('https://eu.allowed.test/a/b.html')).toBe('https://eu.allowed.test/a/b.html')
  expect(await leadsTo('myapp://reset')).toBe('myapp://reset')
  for (const elsewhere of [
    'https://evil.test/',
    'https://a.evil.test/.allowed.test/',
    'javascript://app.test/%0aalert(1)',
    'nonsense',
  ]) {
    expect(await leadsTo(elsewhere)).toBe('http://app.test/welcome')
  }
  const forged = new URL(mailTo(project, 'finn@hotel.test').link ?? '')
  forged.searchParams.set('redirect_to', 'https://evil.test/')
  expect((await open(forged.toString())).hostname).toBe('app.test')
})

test('a changed password withdraws what was mailed before', async () => {
  const { client } = await signUp(project, 'gus@hotel.test')
  await forgot('gus@hotel.test')
  await client.auth.updateUser({ password: 'better horse' })
  const { tokenHash } = mailTo(project, 'gus@hotel.test')
  const late = await project.client().auth.verifyOtp({ token_hash: tokenHash, type: 'recovery' })
  expect(late.error?.code).toBe('otp_expired')
})

test('who moved to another address is not recovered through the old one', async () => {
  const { client } = await signUp(project, 'moved@hotel.test')
  await forgot('moved@hotel.test')
  const old = mailTo(project, 'moved@hotel.test')
  await client.auth.updateUser({ email: 'moved@new.test' })
  await project
    .client()
    .auth.verifyOtp({ token_hash: mailTo(project, 'moved@new.test').tokenHash, type: 'email_change' })
  const byHash = await project.client().auth.verifyOtp({ token_hash: old.tokenHash, type: 'recovery' })
  expect(byHash.error?.code).toBe('otp_expired')
  const byCode = await project.client().auth.verifyOtp({ email: old.to, token: old.code, type: 'recovery' })
  expect(byCode.error?.code).toBe('otp_expired')
})

test('the digits of a mail that PKCE asked for work too', async () => {
  await signUp(project, 'digits@hotel.test')
  await project.client({ flowType: 'pkce' }).auth.resetPasswordForEmail('digits@hotel.test')
  const { code } = mailTo(project, 'digits@hotel.test')
  const { data } = await project.client().auth.verifyOtp({ email: 'digits@hotel.test', token: code, type: 'recovery' })
  expect(data.session).not.toBeNull()
})

test('a magic link lets in, and makes an account unless told not to', async () => {
  const refused = await project
    .client()
    .auth.signInWithOtp({ email: 'hal@hotel.test', options: { shouldCreateUser: false } })
  expect(refused.error).toMatchObject({ status: 422, code: 'otp_disabled' })
  expect((await project.client().auth.signInWithOtp({ email: 'hal@hotel.test' })).error).toBeNull()
  const { code } = mailTo(project, 'hal@hotel.test')
  const { data } = await project.client().auth.verifyOtp({ email: 'hal@hotel.test', token: code, type: 'email' })
  expect(data.user?.email).toBe('hal@hotel.test')
})

test('resend repeats the mail for an address that waits to be confirmed', async () => {
  await project.admin.auth.admin.createUser({ email: 'ida@hotel.test', password: 'correct horse' })
  expect((await project.client().auth.resend({ type: 'signup', email: 'ida@hotel.test' })).error).toBeNull()
  const { tokenHash } = mailTo(project, 'ida@hotel.test')
  const { data } = await project.client().auth.verifyOtp({ token_hash: tokenHash, type: 'signup' })
  expect(data.user).toMatchObject({ email: 'ida@hotel.test', user_metadata: { email_verified: true } })
})

test('with PKCE the link leads to a code that only the app that asked can use, once', async () => {
  await signUp(project, 'jan@hotel.test')
  const app = project.client({ flowType: 'pkce' })
  await app.auth.resetPasswordForEmail('jan@hotel.test')
  const target = await open(mailTo(project, 'jan@hotel.test').link)
  expect(target.hash).toBe('')
  const code = target.searchParams.get('code') ?? ''
  const thief = await project.request('/token?grant_type=pkce', {
    method: 'POST',
    body: JSON.stringify({ auth_code: code, code_verifier: 'guessed' }),
  })
  expect(await thief.json()).toMatchObject({ error_code: 'bad_code_verifier' })
  const { data } = await app.auth.exchangeCodeForSession(code)
  expect(data.user?.email).toBe('jan@hotel.test')
  const again = await project.request('/token?grant_type=pkce', {
    method: 'POST',
    body: JSON.stringify({ auth_code: code, code_verifier: 'guessed' }),
  })
  expect(await again.json()).toMatchObject({ code: 404, error_code: 'flow_state_not_found' })
})

test('who was banned between the link and the code gets no session for it', async () => {
  const { user } = await signUp(project, 'kim@hotel.test')
  const app = project.client({ flowType: 'pkce' })
  await app.auth.resetPasswordForEmail('kim@hotel.test')
  const code = (await open(mailTo(project, 'kim@hotel.test').link)).searchParams.get('code') ?? ''
  await project.admin.auth.admin.updateUserById(user.id, { ban_duration: '1h' })
  const { data, error } = await app.auth.exchangeCodeForSession(code)
  expect(data.session).toBeNull()
  expect(error).toMatchObject({ status: 400, code: 'user_banned' })
})

test('a verification without a type, with an unknown one, or without a token is refused', async () => {
  for (const query of ['?token=x', '?type=galaxy&token=x', '?type=constructor&token=x', '?type=recovery']) {
    const response = await project.request(`/verify${query}`)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error_code: 'validation_failed' })
  }
})
