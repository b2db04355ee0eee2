import type { FailureScript } from '../failures.ts'

export type Platform = 'android' | 'ios' | 'web'

/** `ana:ios:1` and `web-ben` say which platform they are of; other tokens are Android's. */
export function platformOf(token: string): Platform {
  const [, name] = /(?:^|[-_:.])(ios|web|android)(?=$|[-_:.])/.exec(token) ?? []
  return (name as Platform | undefined) ?? 'android'
}

const kinds: Record<string, Pick<FailureScript, 'code' | 'status' | 'delay_ms' | 'hang'>> = {
  unregistered: { code: 'UNREGISTERED', status: 404 },
  invalid: { code: 'INVALID_ARGUMENT', status: 400 },
  mismatch: { code: 'SENDER_ID_MISMATCH', status: 403 },
  thirdparty: { code: 'THIRD_PARTY_AUTH_ERROR', status: 401 },
  quota: { code: 'QUOTA_EXCEEDED', status: 429 },
  unavailable: { code: 'UNAVAILABLE', status: 503 },
  internal: { code: 'INTERNAL', status: 500 },
  slow: { delay_ms: 2000 },
  timeout: { hang: true },
}

/**
 * The failure a token's name asks for: `ana:fail-quota` always, `ana:fail-quota-once` once, `ana:fail-quota-3x` three
 * times. Kinds: unregistered, invalid, mismatch, thirdparty, quota, unavailable, internal, slow, timeout.
 */
export function failureIn(token: string): FailureScript | undefined {
  const [, kind = '', once, times] = /fail-([a-z]+)(-once|-(\d+)x)?/.exec(token) ?? []
  const failure = kinds[kind]
  return failure && { ...failure, times: once === undefined ? 'always' : Number(times ?? 1) }
}
