import { createHash, randomInt, timingSafeEqual } from 'node:crypto'
import { otpExpiry, otpLength } from './settings.ts'
import type { User, UserChanges } from './users.ts'

/** The columns of `auth.users` that hold the hash of what was mailed. */
export type TokenColumn =
  | 'confirmation_token'
  | 'recovery_token'
  | 'email_change_token_new'
  | 'email_change_token_current'
  | 'reauthentication_token'

const sentAt = {
  confirmation_token: 'confirmation_sent_at',
  recovery_token: 'recovery_sent_at',
  email_change_token_new: 'email_change_sent_at',
  email_change_token_current: 'email_change_sent_at',
  reauthentication_token: 'reauthentication_sent_at',
} as const satisfies Record<TokenColumn, keyof User>

export interface OneTimeToken {
  /** Digits for people. */
  code: string
  /** For links; with the address it was mailed to, the digits give it again. */
  hash: string
}

/** A hash begins with this when whoever asked will also have to show a PKCE verifier. */
export const pkcePrefix = 'pkce_'

export function newToken(email: string, { pkce = false } = {}): OneTimeToken {
  const code = String(randomInt(10 ** otpLength)).padStart(otpLength, '0')
  const [plain, prefixed] = hashesOf(email, code)
  return { code, hash: pkce ? prefixed : plain }
}

/** What was stored when these digits were mailed to this address, without and with a PKCE challenge. */
export function hashesOf(email: string, code: string): [plain: string, prefixed: string] {
  const hash = createHash('sha224').update(`${email}${code}`).digest('hex')
  return [hash, `${pkcePrefix}${hash}`]
}

export function tokenChanges(column: TokenColumn, token: OneTimeToken): UserChanges {
  return { [column]: token.hash, [sentAt[column]]: new Date() }
}

/** Whether this hash is the one that was mailed last, and not too long ago. */
export function isTokenValid(user: User, column: TokenColumn, hash: string): boolean {
  const sent = user[sentAt[column]]
  const expected = user[column]
  if (!expected || !sent || Date.now() > sent.getTime() + otpExpiry * 1000) return false
  return sameText(hash, expected)
}

/** Once one of them is used, or password or address are others, nothing that was mailed before is good any more. */
export const withdrawnTokens: Record<TokenColumn, string> = {
  confirmation_token: '',
  recovery_token: '',
  email_change_token_new: '',
  email_change_token_current: '',
  reauthentication_token: '',
}

/** Compares without telling by its duration how much was right. */
export function sameText(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
