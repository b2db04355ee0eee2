/** What Cloudinary's console shows as "API environment". */
export interface CloudinaryAccount {
  cloudName: string
  apiKey: string
  apiSecret: string
}

/** An answer as Cloudinary words it: `{ error: { message } }` and the `X-Cld-Error` header. */
export class CloudinaryError extends Error {
  override readonly name = 'CloudinaryError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }

  response(headers: Record<string, string> = {}): Response {
    const body = { error: { message: this.message } }
    // Header values are bytes; a public id in the message may be any text.
    return Response.json(body, {
      status: this.status,
      headers: { 'X-Cld-Error': encodeURI(this.message).replaceAll('%20', ' '), ...headers },
    })
  }
}
