import { SignJWT, UnsecuredJWT } from 'jose'
import { expect, test } from 'vitest'
import { claimsOf, claimsOfKey, InvalidToken, verifyToken } from '../../../src/stack/realtime/token.ts'
import { ana, keys, token } from './serve.ts'

const secret = keys.jwtSecret
const signed = (claims: Record<string, unknown>, alg = 'HS256') =>
  new SignJWT(claims)
    .setProtectedHeader({ alg })
    .sign(new TextEncoder().encode(secret.padEnd(64, ' ').slice(0, 64).trim()))
const hour = () => Math.floor(Date.now() / 1000) + 3600

async function faultOf(given: string): Promise<InvalidToken> {
  const error = await verifyToken(given, secret).catch((reason) => reason)
  expect(error).toBeInstanceOf(InvalidToken)
  return error
}

test('a good token says who its bearer is', async () => {
  expect(await verifyToken(await token(), secret)).toMatchObject({ role: 'authenticated', sub: ana })
})

test('blanks and percent signs around a token do not matter', async () => {
  const given = await token()
  expect(await verifyToken(` ${given.slice(0, 9)}\n${given.slice(9)}%20`, secret)).toMatchObject({ sub: ana })
})

test.each(['HS256', 'HS384', 'HS512'])('%s is verified with the secret', async (alg) => {
  expect(await verifyToken(await signed({ role: 'anon', exp: hour() }, alg), secret)).toMatchObject({ role: 'anon' })
})

test('the time of expiry is rounded', async () => {
  const exp = hour()
  expect(await verifyToken(await signed({ role: 'anon', exp: exp + 0.4 }), secret)).toMatchObject({ exp })
})

test.each(['', 'hello', 'a.b.c', 'sb_publishable_other', '%'])('%j is no token', async (given) => {
  expect((await faultOf(given)).reason).toBe('MalformedJWT: The token provided is not a valid JWT')
})

test("another project's token fails", async () => {
  const given = await token({ role: 'anon' }, '1h', 'another-secret-of-at-least-32-characters')
  expect((await faultOf(given)).reason).toBe('JwtSignatureError: Failed to validate JWT signature')
})

test('a token that nobody signed fails', async () => {
  const given = new UnsecuredJWT({ role: 'service_role', exp: hour() }).encode()
  expect((await faultOf(given)).reason).toBe(
    'JwtSignerError: Failed to generate JWT signer, check your JWT secret or JWKS configuration',
  )
})

test.each([
  [{ exp: 1 }],
  [{ role: 'anon' }],
  [{ role: 'anon', exp: 'tomorrow' }],
  [{ role: 7, exp: 4102444800 }],
  [{ role: 'anon', exp: 4102444800, iat: 'today' }],
])('%j lacks what is needed', async (claims) => {
  expect((await faultOf(await signed(claims))).reason).toBe(
    'InvalidJWTToken: Fields `role` and `exp` are required in JWT',
  )
})

test('an expired token says since when', async () => {
  const fault = await faultOf(await token({ role: 'anon' }, Math.floor(Date.now() / 1000) - 100))
  expect(fault.reason).toMatch(/^InvalidJWTToken: Token has expired 10[01] seconds ago$/)
  expect(fault.isExpired).toBe(true)
})

test('the two keys stand for their roles, and do not expire', async () => {
  expect(await claimsOf(keys.publishable, keys)).toEqual({ role: 'anon', exp: 253402300799 })
  expect(await claimsOf(keys.secret, keys)).toMatchObject({ role: 'service_role' })
  expect(claimsOfKey('sb_secret_other', keys)).toBeUndefined()
})
