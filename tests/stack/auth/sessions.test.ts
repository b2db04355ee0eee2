import { afterAll, beforeAll, expect, test } from 'vitest'
import { claimsOf, type Project, signUp, startProject } from './project.ts'

let project: Project
beforeAll(async () => {
  project = await startProject()
})
afterAll(() => project.close())

const refresh = (refreshToken: string) => project.client().auth.refreshSession({ refresh_token: refreshToken })
const sessionOf = async (email: string) => {
  const { data } = await project.client().auth.signInWithPassword({ email, password: 'correct horse' })
  if (!data.session) throw new Error(`${email} did not get in`)
  return data.session
}
/** Makes the token look as if it had been used this long ago. */
const usedAgo = (token: string, interval: string) =>
  project.sql(`update auth.refresh_tokens set updated_at = now() - $2::interval where token = $1`, [token, interval])

test('a refresh token is traded for a new pair of the same session, which remembers how it began', async () => {
  const { session } = await signUp(project, 'ana@hotel.test')
  const { data } = await refresh(session.refresh_token)
  expect(data.session?.refresh_token).not.toBe(session.refresh_token)
  const [before, after] = [claimsOf(session.access_token), claimsOf(data.session?.access_token ?? '')]
  expect(after.session_id).toBe(before.session_id)
  expect(after.amr).toEqual(before.amr)
})

test('whoever never got the answer may ask again and gets the same successor', async () => {
  const { session } = await signUp(project, 'ben@hotel.test')
  const first = await refresh(session.refresh_token)
  await usedAgo(session.refresh_token, '1 hour')
  const again = await refresh(session.refresh_token)
  expect(again.data.session?.refresh_token).toBe(first.data.session?.refresh_token)
})

test('within ten seconds an older token still works', async () => {
  const { session } = await signUp(project, 'cora@hotel.test')
  const second = await refresh(session.refresh_token)
  await refresh(second.data.session?.refresh_token ?? '')
  const late = await refresh(session.refresh_token)
  expect(late.error).toBeNull()
})

test('after ten seconds an older token is a stolen one: refused, and the whole family is revoked', async () => {
  const { session } = await signUp(project, 'dora@hotel.test')
  const second = await refresh(session.refresh_token)
  const third = await refresh(second.data.session?.refresh_token ?? '')
  await usedAgo(session.refresh_token, '11 seconds')
  const stolen = await refresh(session.refresh_token)
  expect(stolen.error).toMatchObject({ status: 400, code: 'refresh_token_already_used' })
  // The newest, and the one before, of which ten seconds have not passed.
  for (const { data } of [third, second]) {
    const revoked = await refresh(data.session?.refresh_token ?? '')
    expect(revoked.error).toMatchObject({ status: 400, code: 'refresh_token_already_used' })
  }
})

test('five tabs that wake up together all end with one token', async () => {
  const { session } = await signUp(project, 'tabs@hotel.test')
  const waiting = async () => {
    await project.sql('select pg_stat_clear_snapshot()')
    return project.sql(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)
  }
  // Held back until all five are on their way, so that they truly meet.
  await project.sql('begin')
  await project.sql('select from auth.sessions where user_id = $1 for update', [session.user.id])
  const refreshes = Promise.all(Array.from({ length: 5 }, () => refresh(session.refresh_token)))
  await expect
    .poll(waiting, { timeout: 10_000 })
    .toHaveLength(5)
    .finally(() => project.sql('commit'))
  const results = await refreshes
  expect(results.map(({ error }) => error)).toEqual([null, null, null, null, null])
  expect(new Set(results.map(({ data }) => data.session?.refresh_token)).size).toBe(1)
})

test('an unknown and an empty refresh token are refused', async () => {
  const unknown = await refresh('nosuchtoken1')
  expect(unknown.error).toMatchObject({ status: 400, code: 'refresh_token_not_found' })
  const empty = await project.request('/token?grant_type=refresh_token', { method: 'POST', body: '{}' })
  expect(empty.status).toBe(400)
  expect(empty.headers.get('x-sb-error-code')).toBe('validation_failed')
})

test('signing out here ends this session only', async () => {
  const { client, session } = await signUp(project, 'eva@hotel.test')
  const other = await sessionOf('eva@hotel.test')
  expect((await client.auth.signOut({ scope: 'local' })).error).toBeNull()
  const gone = await project.client().auth.getUser(session.access_token)
  expect(gone.error?.name).toBe('AuthSessionMissingError')
  expect((await refresh(session.refresh_token)).error?.code).toBe('refresh_token_not_found')
  expect((await project.client().auth.getUser(other.access_token)).data.user?.email).toBe('eva@hotel.test')
})

test('signing out elsewhere keeps this session', async () => {
  const { client, session } = await signUp(project, 'fay@hotel.test')
  const other = await sessionOf('fay@hotel.test')
  expect((await client.auth.signOut({ scope: 'others' })).error).toBeNull()
  expect((await refresh(session.refresh_token)).error).toBeNull()
  expect((await refresh(other.refresh_token)).error?.code).toBe('refresh_token_not_found')
})

test('signing out everywhere is what happens without a scope; an unknown scope is refused', async () => {
  const { session } = await signUp(project, 'gus@hotel.test')
  const other = await sessionOf('gus@hotel.test')
  const headers = { authorization: `Bearer ${session.access_token}` }
  const unknown = await project.request('/logout?scope=galaxy', { method: 'POST', headers })
  expect(unknown.status).toBe(400)
  const everywhere = await project.request('/logout', { method: 'POST', headers })
  expect(everywhere.status).toBe(204)
  for (const { refresh_token } of [session, other]) {
    expect((await refresh(refresh_token)).error?.code).toBe('refresh_token_not_found')
  }
})

test('a token whose session is gone: 403 session_not_found', async () => {
  const { client, session } = await signUp(project, 'hal@hotel.test')
  await client.auth.signOut()
  const response = await project.request('/user', { headers: { authorization: `Bearer ${session.access_token}` } })
  expect(response.status).toBe(403)
  expect(await response.json()).toEqual({
    code: 403,
    error_code: 'session_not_found',
    msg: 'Session from session_id claim in JWT does not exist',
  })
})

test('a token whose user is gone: 403 user_not_found', async () => {
  const { user, session } = await signUp(project, 'ida@hotel.test')
  await project.admin.auth.admin.deleteUser(user.id)
  const { error } = await project.client().auth.getUser(session.access_token)
  expect(error).toMatchObject({ status: 403, code: 'user_not_found' })
})

test('a token that is forged, broken, unsigned or no user’s: 403 bad_jwt', async () => {
  const { session } = await signUp(project, 'jan@hotel.test')
  const [header, payload] = session.access_token.split('.')
  const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${payload}.`
  for (const token of [`${header}.${payload}.c2lnbmF0dXJl`, 'broken', unsigned]) {
    const { error } = await project.client().auth.getUser(token)
    expect(error).toMatchObject({ status: 403, code: 'bad_jwt' })
  }
  const asKey = await project.request('/user')
  expect(await asKey.json()).toMatchObject({ error_code: 'bad_jwt', msg: 'invalid claim: missing sub claim' })
  const basic = await project.request('/user', { headers: { authorization: 'Basic dTpw' } })
  expect(await basic.json()).toMatchObject({ code: 401, error_code: 'no_authorization' })
})
