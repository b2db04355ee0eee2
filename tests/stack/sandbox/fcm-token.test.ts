import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accessToken, createSandbox, now, requestToken, signAssertion, type TestSandbox } from './support.ts'

let sandbox: TestSandbox
beforeAll(async () => {
  sandbox = await createSandbox()
})
afterAll(() => sandbox.remove())

const anotherKey = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()
const timeframe = /^Invalid JWT: Token must be a short-lived token \(60 minutes\) and in a reasonable timeframe/

test('a signed assertion is worth a token for an hour', async () => {
  const { serviceAccount } = sandbox.fcm
  const header = { kid: serviceAccount.private_key_id }
  const answer = await requestToken(sandbox, await signAssertion(sandbox.fcm, { header }))
  expect(await answer.json()).toEqual({
    access_token: expect.stringMatching(/^ya29\./),
    expires_in: 3599,
    token_type: 'Bearer',
  })
})

const refused: [string, Parameters<typeof signAssertion>[1], string, RegExp][] = [
  ['forged with another key', { key: anotherKey }, 'invalid_grant', /^Invalid JWT Signature\.$/],
  ['of a key that was replaced', { header: { kid: 'old' } }, 'invalid_grant', /^Invalid JWT Signature\.$/],
  ['of another account', { claims: { iss: 'mallory@evil' } }, 'invalid_grant', /^Invalid grant: account not found$/],
  [
    'for another audience',
    { claims: { aud: 'https://oauth2.googleapis.com/token' } },
    'invalid_grant',
    /^Invalid JWT: Failed audience check/,
  ],
  ['expired', { claims: { iat: now() - 7200, exp: now() - 3600 } }, 'invalid_grant', timeframe],
  ['valid for more than an hour', { claims: { exp: now() + 7200 } }, 'invalid_grant', timeframe],
  ['issued in the future', { claims: { iat: now() + 1800 } }, 'invalid_grant', timeframe],
  ['without an end', { claims: { exp: undefined } }, 'invalid_grant', timeframe],
  ['without a scope', { claims: { scope: undefined } }, 'invalid_scope', /^Empty or missing scope not allowed\.$/],
  ['with a scope nobody knows', { claims: { scope: 'everything' } }, 'invalid_scope', /^Invalid OAuth scope/],
]
test.each(refused)('an assertion %s is refused', async (_, options, error, description) => {
  const answer = await requestToken(sandbox, await signAssertion(sandbox.fcm, options))
  expect(answer.status).toBe(400)
  expect(await answer.json()).toEqual({ error, error_description: expect.stringMatching(description) })
})

test('an assertion signed with a shared secret is refused', async () => {
  const { client_email, token_uri, private_key } = sandbox.fcm.serviceAccount
  const assertion = await new SignJWT({ scope: 'https://www.googleapis.com/auth/firebase.messaging' })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(client_email)
    .setAudience(token_uri)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(Buffer.from(private_key))
  expect(await (await requestToken(sandbox, assertion)).json()).toMatchObject({ error: 'invalid_grant' })
})

test('other grants, and none, are refused', async () => {
  const ask = async (form: Record<string, string>) => {
    const answer = await fetch(sandbox.fcm.tokenUrl, { method: 'POST', body: new URLSearchParams(form) })
    return [answer.status, ((await answer.json()) as { error: string }).error]
  }
  expect(await ask({ grant_type: 'password' })).toEqual([400, 'unsupported_grant_type'])
  expect(await ask({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' })).toEqual([400, 'invalid_request'])
  expect(await (await requestToken(sandbox, 'gibberish')).json()).toMatchObject({ error: 'invalid_grant' })
})

async function send(authorization: string | undefined, project = sandbox.fcm.serviceAccount.project_id) {
  const answer = await fetch(`${sandbox.fcm.url}/v1/projects/${project}/messages:send`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
    body: JSON.stringify({ message: { token: 'ana-phone', data: {} } }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: the answer is what is under test
  const { error } = (await answer.json()) as any
  return error && [answer.status, error.code, error.status, error.details[0].reason]
}

test('sending needs a token of this sandbox, with the right scope, for the right project', async () => {
  expect(await send(`Bearer ${await accessToken(sandbox)}`)).toBeUndefined()
  expect(await send(undefined)).toEqual([401, 401, 'UNAUTHENTICATED', 'CREDENTIALS_MISSING'])
  expect(await send('Bearer ya29.made-up')).toEqual([401, 401, 'UNAUTHENTICATED', 'ACCESS_TOKEN_TYPE_UNSUPPORTED'])

  const claims = { scope: 'https://www.googleapis.com/auth/drive' }
  const forDrive = `Bearer ${await accessToken(sandbox, { claims })}`
  expect(await send(forDrive)).toEqual([403, 403, 'PERMISSION_DENIED', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT'])

  const elsewhere = await send(`Bearer ${await accessToken(sandbox)}`, 'another-project')
  expect(elsewhere).toEqual([403, 403, 'PERMISSION_DENIED', 'IAM_PERMISSION_DENIED'])
})

test('the token endpoint can be made to fail', async () => {
  await sandbox.control('POST', '/fcm/failures', { operation: 'token', status: 503 })
  const assertion = await signAssertion(sandbox.fcm)
  expect((await requestToken(sandbox, assertion)).status).toBe(503)
  expect((await requestToken(sandbox, assertion)).status).toBe(200)
})
