import { decodeProtectedHeader, jwtVerify } from 'jose'
import { platformAnswer } from './answers.ts'

/**
 * How `verify_jwt` turns this request away, or undefined when its bearer token is good. As on hosted Supabase the code
 * depends on the algorithm the token names, API keys (`sb_…`) are no tokens, and a preflight needs none.
 *
 * @param jwtSecret signs user tokens, HS256.
 */
export async function refusal(request: Request, jwtSecret: string): Promise<Response | undefined> {
  if (request.method === 'OPTIONS') return undefined
  const header = request.headers.get('authorization')
  if (!header) return platformAnswer('UNAUTHORIZED_NO_AUTH_HEADER')

  const token = /^Bearer (\S+)$/i.exec(header)?.[1]
  const algorithm = token && algorithmOf(token)
  if (!token || !algorithm) return platformAnswer('UNAUTHORIZED_INVALID_JWT_FORMAT')
  // The local stack signs with its secret alone; it has no key that could verify these.
  if (algorithm === 'ES256' || algorithm === 'RS256') return platformAnswer('UNAUTHORIZED_ASYMMETRIC_JWT')
  if (algorithm !== 'HS256') return platformAnswer('UNAUTHORIZED_UNSUPPORTED_TOKEN_ALGORITHM', algorithm)

  try {
    await jwtVerify(token, new TextEncoder().encode(jwtSecret), { algorithms: ['HS256'] })
    return undefined
  } catch {
    return platformAnswer('UNAUTHORIZED_LEGACY_JWT')
  }
}

function algorithmOf(token: string): string | undefined {
  if (token.split('.').length !== 3) return undefined
  try {
    return decodeProtectedHeader(token).alg
  } catch {
    return undefined
  }
}
