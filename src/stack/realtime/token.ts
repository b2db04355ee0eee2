import { timingSafeEqual } from 'node:crypto'
import { compactVerify, decodeProtectedHeader, errors } from 'jose'
import type { Keys } from '../keys.ts'
import { type Claims, expiryMessage, millisecondsLeft } from './claims.ts'

type Fault = 'malformed' | 'signature' | 'signer' | 'claims' | 'expired'

const codes: Record<Fault, string> = {
  malformed: 'MalformedJWT',
  signature: 'JwtSignatureError',
  signer: 'JwtSignerError',
  claims: 'InvalidJWTToken',
  expired: 'InvalidJWTToken',
}

const messages: Record<Exclude<Fault, 'expired'>, string> = {
  malformed: 'The token provided is not a valid JWT',
  signature: 'Failed to validate JWT signature',
  signer: 'Failed to generate JWT signer, check your JWT secret or JWKS configuration',
  claims: 'Fields `role` and `exp` are required in JWT',
}

/** A token that does not let its bearer in. Its message is what a channel is told. */
export class InvalidToken extends Error {
  override readonly name = 'InvalidToken'
  readonly isExpired: boolean
  readonly #code: string

  constructor(fault: Fault, message: string) {
    super(message)
    this.isExpired = fault === 'expired'
    this.#code = codes[fault]
  }

  /** What a join is refused with. */
  get reason(): string {
    return `${this.#code}: ${this.message}`
  }
}

const algorithms = ['HS256', 'HS384', 'HS512']

/**
 * What a token says, once its signature and its end are checked.
 * @throws InvalidToken
 */
export async function verifyToken(token: string, jwtSecret: string): Promise<Claims> {
  const compact = withoutWrapping(token)
  if (!algorithms.includes(algorithmOf(compact))) throw invalid('signer')

  let payload: unknown
  try {
    const verified = await compactVerify(compact, new TextEncoder().encode(jwtSecret), { algorithms })
    payload = JSON.parse(new TextDecoder().decode(verified.payload))
  } catch (error) {
    throw invalid(error instanceof errors.JWSSignatureVerificationFailed ? 'signature' : 'malformed')
  }

  const claims = toClaims(payload)
  if (!claims) throw invalid('claims')
  if (millisecondsLeft(claims) <= 0) throw new InvalidToken('expired', expiryMessage(claims))
  return claims
}

/** The claims an API key (`sb_…`) stands for, or undefined when it is none of this project's. */
export function claimsOfKey(key: string, keys: Keys): Claims | undefined {
  if (same(key, keys.publishable)) return { role: 'anon', exp: neverExpires }
  if (same(key, keys.secret)) return { role: 'service_role', exp: neverExpires }
  return undefined
}

// The year 9999.
const neverExpires = 253_402_300_799

/**
 * The claims of a token or of an API key.
 * @throws InvalidToken
 */
export async function claimsOf(credential: string, keys: Keys): Promise<Claims> {
  return claimsOfKey(credential, keys) ?? (await verifyToken(credential, keys.jwtSecret))
}

function toClaims(payload: unknown): Claims | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined
  const { role, exp, iat } = payload as Record<string, unknown>
  if (typeof role !== 'string' || typeof exp !== 'number') return undefined
  if (iat !== undefined && typeof iat !== 'number') return undefined
  return { ...payload, role, exp: Math.round(exp) }
}

function algorithmOf(token: string): string {
  try {
    return decodeProtectedHeader(token).alg ?? ''
  } catch {
    throw invalid('malformed')
  }
}

function withoutWrapping(token: string): string {
  try {
    return decodeURIComponent(token).replace(/\s/g, '')
  } catch {
    throw invalid('malformed')
  }
}

function invalid(fault: Exclude<Fault, 'expired'>): InvalidToken {
  return new InvalidToken(fault, messages[fault])
}

function same(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
