import { createHmac } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import { StorageError } from './errors.ts'

type Purpose = 'download' | 'upload'

interface Grant {
  /** Bucket and name of the one object that it opens. */
  url: string
  /** Who will own an uploaded object. */
  owner?: string | null
  /** Whether an upload may replace. */
  upsert?: boolean
}

/** Makes and checks the tokens in signed URLs. */
export class Signer {
  // A key of their own, so that no URL's token is taken for somebody's access token, nor the other way round.
  readonly #key: Buffer

  constructor(jwtSecret: string) {
    this.#key = createHmac('sha256', jwtSecret).update('storage: signed URLs').digest()
  }

  /** @param expiresIn seconds */
  sign(purpose: Purpose, grant: Grant, expiresIn: number): Promise<string> {
    const now = Math.floor(Date.now() / 1000)
    return new SignJWT({ ...grant })
      .setProtectedHeader({ alg: 'HS256' })
      .setAudience(purpose)
      .setIssuedAt(now)
      .setExpirationTime(now + expiresIn)
      .sign(this.#key)
  }

  /**
   * Checks that a token is ours, in time, for this purpose and this object.
   * @throws {StorageError} 400
   */
  async verify(purpose: Purpose, token: string, url: string): Promise<Grant & { expires: Date }> {
    const { payload } = await jwtVerify<Grant>(token, this.#key, { algorithms: ['HS256'], audience: purpose }).catch(
      (cause: Error) => {
        throw new StorageError(400, 'InvalidJWT', cause.message, { cause })
      },
    )
    if (payload.url !== url) throw new StorageError(400, 'InvalidSignature', 'Invalid signature')
    return { ...payload, expires: new Date((payload.exp ?? 0) * 1000) }
  }
}
