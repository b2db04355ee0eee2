import type { FailureScript } from '../failures.ts'

const typeUrl = 'type.googleapis.com/'

/** One field that is wrong, as `google.rpc.BadRequest` names it. */
export interface FieldViolation {
  field: string
  description: string
}

/** Google's error envelope: `{ error: { code, message, status, details } }`. */
export class FcmError extends Error {
  override readonly name = 'FcmError'
  readonly code: number
  readonly status: string
  readonly details: object[]
  readonly headers: Record<string, string>

  constructor(
    code: number,
    status: string,
    message: string,
    details: object[] = [],
    headers: Record<string, string> = {},
  ) {
    super(message)
    this.code = code
    this.status = status
    this.details = details
    this.headers = headers
  }

  response(): Response {
    const { code, message, status, details, headers } = this
    const error = { code, message, status, ...(details.length > 0 && { details }) }
    return Response.json({ error }, { status: code, headers })
  }
}

// FCM's own error codes (google.firebase.fcm.v1.ErrorCode), each with its HTTP status, canonical status and wording.
const named = {
  UNREGISTERED: [404, 'NOT_FOUND', 'Requested entity was not found.'],
  INVALID_ARGUMENT: [400, 'INVALID_ARGUMENT', 'The registration token is not a valid FCM registration token'],
  SENDER_ID_MISMATCH: [403, 'PERMISSION_DENIED', 'SenderId mismatch'],
  THIRD_PARTY_AUTH_ERROR: [401, 'UNAUTHENTICATED', 'Auth error from APNS or Web Push Service'],
  QUOTA_EXCEEDED: [429, 'RESOURCE_EXHAUSTED', 'Message rate quota exceeded.'],
  UNAVAILABLE: [503, 'UNAVAILABLE', 'The service is currently unavailable.'],
  INTERNAL: [500, 'INTERNAL', 'Internal error encountered.'],
} as const satisfies Record<string, [number, string, string]>

export type FcmErrorCode = keyof typeof named

export function isFcmErrorCode(code: string): code is FcmErrorCode {
  return Object.hasOwn(named, code)
}

/** An error of FCM's own, told by `details[].errorCode`. `retryAfter`: seconds. */
export function fcmError(code: FcmErrorCode, message?: string, retryAfter?: number): FcmError {
  const [http, status, wording] = named[code]
  const details = [{ '@type': `${typeUrl}google.firebase.fcm.v1.FcmError`, errorCode: code }]
  // FCM sends Retry-After with 429 and may send it with 503; its guide says to wait a minute without one.
  const seconds = retryAfter ?? (code === 'QUOTA_EXCEEDED' ? 60 : undefined)
  return new FcmError(
    http,
    status,
    message ?? wording,
    details,
    seconds === undefined ? {} : { 'Retry-After': String(seconds) },
  )
}

/** 400 for a message of the wrong shape. */
export function badRequest(violations: FieldViolation[]): FcmError {
  const message = violations.map(({ description }) => description).join('\n')
  return new FcmError(400, 'INVALID_ARGUMENT', message, [
    { '@type': `${typeUrl}google.rpc.BadRequest`, fieldViolations: violations },
  ])
}

/** 401 and 403 for the caller, before any message is looked at. */
export function refused(code: 401 | 403, reason: string, message: string): FcmError {
  const details = [{ '@type': `${typeUrl}google.rpc.ErrorInfo`, reason, domain: 'googleapis.com' }]
  const headers = code === 401 ? { 'WWW-Authenticate': 'Bearer realm="https://accounts.google.com/"' } : undefined
  return new FcmError(code, code === 401 ? 'UNAUTHENTICATED' : 'PERMISSION_DENIED', message, details, headers)
}

const byStatus: Record<number, FcmErrorCode> = Object.fromEntries(
  Object.entries(named).map(([code, [status]]) => [status, code as FcmErrorCode]),
)

/** The error a script asks for, by its code or else by its HTTP status. */
export function scriptedError(script: FailureScript): FcmError {
  const { code, status, message, retry_after } = script
  if (code && isFcmErrorCode(code)) return fcmError(code, message, retry_after)
  // Whoever scripts a plain 401 means the access token: that is the 401 a sender meets.
  if (status === 401)
    return refused(401, 'ACCESS_TOKEN_EXPIRED', message ?? 'Request had invalid authentication credentials.')
  const known = status === undefined ? undefined : byStatus[status]
  if (known) return fcmError(known, message, retry_after)
  return new FcmError(status ?? 500, 'UNKNOWN', message ?? 'Scripted failure')
}
