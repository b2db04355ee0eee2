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
    // A public id in the message may be any text; a header may not.
    return Response.json(body, {
      status: this.status,
      headers: { 'X-Cld-Error': this.message.replace(/[^\x20-\x7e]/g, '?'), ...headers },
    })
  }
}
