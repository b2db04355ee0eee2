/** What hosted Supabase answers in a function's place, word for word. */
const answers = {
  NOT_FOUND: [404, 'Requested function was not found'],
  BOOT_ERROR: [503, 'Function failed to start (please check logs)'],
  WORKER_ERROR: [500, 'Function exited due to an error (please check logs)'],
  UNAUTHORIZED_NO_AUTH_HEADER: [401, 'Missing authorization header'],
  UNAUTHORIZED_INVALID_JWT_FORMAT: [401, 'Invalid JWT'],
  UNAUTHORIZED_LEGACY_JWT: [401, 'Invalid JWT'],
  UNAUTHORIZED_ASYMMETRIC_JWT: [401, 'Invalid JWT'],
  UNAUTHORIZED_UNSUPPORTED_TOKEN_ALGORITHM: [401, 'Unsupported JWT algorithm '],
} as const satisfies Record<string, readonly [status: number, message: string]>

type PlatformCode = keyof typeof answers

/**
 * The platform's own answer. The code also stands in the `sb-error-code` header, where supabase-js users look for it.
 *
 * @param detail ends the message, for the code that leaves its sentence open.
 */
export function platformAnswer(code: PlatformCode, detail = ''): Response {
  const [status, sentence] = answers[code]
  const message = sentence + detail
  // A browser may read the refusal: the function, which would have said who may, never ran.
  const headers = {
    'sb-error-code': code,
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'sb-error-code',
  }
  return Response.json({ code, message }, { status, headers })
}
