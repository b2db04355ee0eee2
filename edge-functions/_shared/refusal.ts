/** What a caller is told in place of an answer: `{success: false, error, message}`. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  /** The machine code: one of the list in SQL, or one that only HTTP knows. */
  readonly code: string
  readonly details: RefusalDetails

  constructor(status: number, code: string, message: string, details: RefusalDetails = {}) {
    super(message, details)
    this.status = status
    this.code = code
    this.details = details
  }

  response(): Response {
    const { allow, fields, refused, retryAfter } = this.details
    const headers = { ...(allow && { allow }), ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }) }
    return Response.json(
      {
        success: false,
        error: this.code,
        message: this.message,
        ...(fields && { fields }),
        ...(refused && { refused }),
      },
      { status: this.status, headers },
    )
  }
}

interface RefusalDetails extends ErrorOptions {
  /** What is wrong with which field of the body. */
  fields?: Record<string, string>
  /** The files that may not be uploaded, each with the code that says why. */
  refused?: object[]
  /** The method that is allowed. */
  allow?: string
  /** Seconds. */
  retryAfter?: number
}

export function notSignedIn(): Refusal {
  return new Refusal(401, 'not_signed_in', 'Please sign in first.')
}

/** Somebody we depend on does not answer, or not as agreed. The cause is for whoever debugs. */
export function unavailable(cause: unknown): Refusal {
  return new Refusal(503, 'unavailable', 'This does not work at the moment. Please try again later.', {
    cause,
    retryAfter: 5,
  })
}
