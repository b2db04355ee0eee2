import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import { compactVerify, decodeJwt, decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose'
import type { ServiceAccount } from './service-account.ts'

const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const scopePrefix = 'https://www.googleapis.com/auth/'
const sendScopes = ['firebase.messaging', 'cloud-platform'].map((name) => scopePrefix + name)

/** Seconds: the longest life of an assertion, and the skew of clocks that is forgiven. */
const hour = 3600
const skew = 300

class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly code: string

  constructor(code: string, description: string) {
    super(description)
    this.code = code
  }
}

/** What an access token allows. */
export type Access = 'granted' | 'missing' | 'invalid' | 'expired' | 'insufficient_scope'

/** Google's token endpoint for one service account: trades a signed assertion for an access token. */
export class TokenEndpoint {
  readonly #account: ServiceAccount
  readonly #publicKey: KeyObject
  // Access tokens carry what they allow, signed; so none has to be remembered.
  readonly #secret = randomBytes(32)

  constructor(account: ServiceAccount) {
    this.#account = account
    this.#publicKey = createPublicKey(account.private_key)
  }

  /** Answers `POST /token`: a token, or a 400 with Google's `error` and `error_description`. */
  async answer(request: Request): Promise<Response> {
    try {
      const form = new URLSearchParams(await request.text())
      const scope = await this.#verified(form)
      const token = await new SignJWT({ scope })
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime('3599s')
        .sign(this.#secret)
      return Response.json({ access_token: `ya29.${token}`, expires_in: 3599, token_type: 'Bearer' })
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error
      return Response.json({ error: error.code, error_description: error.message }, { status: 400 })
    }
  }

  /** Says what an `Authorization` header is worth for sending messages. */
  async access(header: string | null): Promise<Access> {
    const [, token] = /^Bearer +(.+)$/i.exec(header ?? '') ?? []
    if (!token) return 'missing'
    try {
      const { payload } = await jwtVerify(token.replace(/^ya29\./, ''), this.#secret)
      const scopes = String(payload.scope).split(' ')
      return scopes.some((scope) => sendScopes.includes(scope)) ? 'granted' : 'insufficient_scope'
    } catch (error) {
      if (error instanceof errors.JWTExpired) return 'expired'
      if (error instanceof errors.JOSEError) return 'invalid'
      throw error
    }
  }

  async #verified(form: URLSearchParams): Promise<string> {
    if (form.get('grant_type') !== grantType) {
      throw new OAuthError('unsupported_grant_type', `Invalid grant_type: ${form.get('grant_type') ?? ''}`)
    }
    const assertion = form.get('assertion')
    if (!assertion) throw new OAuthError('invalid_request', 'Missing required parameter: assertion')

    const { header, claims } = decoded(assertion)
    if (claims.iss !== this.#account.client_email) {
      throw new OAuthError('invalid_grant', 'Invalid grant: account not found')
    }
    if (header.alg !== 'RS256' || (header.kid && header.kid !== this.#account.private_key_id)) {
      throw new OAuthError('invalid_grant', 'Invalid JWT Signature.')
    }
    await compactVerify(assertion, this.#publicKey, { algorithms: ['RS256'] }).catch((error) => {
      if (!(error instanceof errors.JOSEError)) throw error
      throw new OAuthError('invalid_grant', 'Invalid JWT Signature.')
    })

    const { token_uri } = this.#account
    if (claims.aud !== token_uri) {
      throw new OAuthError('invalid_grant', `Invalid JWT: Failed audience check. The right audience is ${token_uri}`)
    }
    const { iat, exp } = claims
    const now = Date.now() / 1000
    const timely = iat !== undefined && exp !== undefined && iat <= now + skew && exp > now - skew
    if (!timely || exp - iat > hour || exp <= iat) {
      throw new OAuthError(
        'invalid_grant',
        'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. ' +
          'Check your iat and exp values in the JWT claim.',
      )
    }
    return checkedScope(claims.scope)
  }
}

function checkedScope(scope: unknown): string {
  if (typeof scope !== 'string' || !scope.trim())
    throw new OAuthError('invalid_scope', 'Empty or missing scope not allowed.')
  if (
    !scope
      .trim()
      .split(' ')
      .every((name) => name.startsWith(scopePrefix))
  ) {
    throw new OAuthError('invalid_scope', 'Invalid OAuth scope or ID token audience provided.')
  }
  return scope.trim()
}

function decoded(assertion: string) {
  try {
    return { header: decodeProtectedHeader(assertion), claims: decodeJwt(assertion) }
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) {
      throw new OAuthError('invalid_grant', 'Invalid JWT: the assertion is not a JSON Web Token')
    }
    throw error
  }
}
