/** An answer that is not a success, in Auth's terms. `code` is what clients branch on. */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  readonly status: number
  readonly code: string
  /** More fields of the body, such as why a password is weak. */
  readonly details: Record<string, unknown>

  constructor(
    status: number,
    code: string,
    message: string,
    options: ErrorOptions & { details?: Record<string, unknown> } = {},
  ) {
    super(message, options)
    this.status = status
    this.code = code
    this.details = options.details ?? {}
  }
}

export const invalid = (message: string, status = 400) => new AuthError(status, 'validation_failed', message)
export const emailExists = () =>
  new AuthError(422, 'email_exists', 'A user with this email address has already been registered')
export const userBanned = (status = 403) => new AuthError(status, 'user_banned', 'User is banned')
export const badJwt = (reason: string) => new AuthError(403, 'bad_jwt', reason)
export const failure = (message: string, cause?: unknown) =>
  new AuthError(500, 'unexpected_failure', message, { cause })

const versionHeader = 'x-supabase-api-version'
const namedVersion = '2024-01-01'

/**
 * The response for an error. Since API version 2024-01-01, which the caller asks for in a header, `code` is the
 * error's name; before, it was the HTTP status and the name was in `error_code`.
 */
export function errorResponse(error: AuthError, request: Request): Response {
  const headers = new Headers({ 'x-sb-error-code': error.code })
  const asked = request.headers.get(versionHeader) ?? ''
  if (asked >= namedVersion) {
    headers.set(versionHeader, namedVersion)
    const body = { code: error.code, message: error.message, ...error.details }
    return Response.json(body, { status: error.status, headers })
  }
  const body = { code: error.status, error_code: error.code, msg: error.message, ...error.details }
  return Response.json(body, { status: error.status, headers })
}
