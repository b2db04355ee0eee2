import { type CloudinaryAccount, CloudinaryError } from './account.ts'
import { signs, stringToSign } from './signature.ts'

const hour = 3600

/** Checks `Authorization: Basic` as the Admin API does. Throws a 401 CloudinaryError. */
export function authoriseBasic(header: string | undefined, account: CloudinaryAccount): void {
  const [, encoded] = /^Basic (.+)$/i.exec(header ?? '') ?? []
  if (!encoded) throw new CloudinaryError(401, 'Authorization is required')
  const [key = '', ...secret] = Buffer.from(encoded, 'base64').toString().split(':')
  if (key !== account.apiKey) throw new CloudinaryError(401, 'unknown api_key')
  if (secret.join(':') !== account.apiSecret) throw new CloudinaryError(401, 'api_secret mismatch')
}

/** Checks key, signature and age of signed parameters. Throws a 400 or 401 CloudinaryError. */
export function authoriseSigned(params: Record<string, string>, account: CloudinaryAccount): void {
  const { api_key, signature, timestamp, expires_at } = params
  if (!api_key) throw new CloudinaryError(401, 'Must supply api_key')
  if (api_key !== account.apiKey) throw new CloudinaryError(401, `Unknown API key ${api_key}`)
  if (!signature) throw new CloudinaryError(400, 'Missing required parameter - signature')
  if (!timestamp) throw new CloudinaryError(400, 'Missing required parameter - timestamp')
  if (!/^\d+$/.test(timestamp)) throw new CloudinaryError(400, `Invalid timestamp ${timestamp}`)
  if (!signs(signature, params, account.apiSecret)) {
    throw new CloudinaryError(401, `Invalid Signature ${signature}. String to sign - '${stringToSign(params, 2)}'.`)
  }

  const now = Date.now() / 1000
  if (expires_at) {
    // Only download links have it. Cloudinary documents that they stop working, not in which words.
    if (Number(expires_at) < now) throw new CloudinaryError(401, `Link expired at ${rubyTime(Number(expires_at))}`)
  } else if (Number(timestamp) < now - hour) {
    const reported = rubyTime(Number(timestamp))
    throw new CloudinaryError(400, `Stale request - reported time is ${reported} which is more than 1 hour ago`)
  }
}

/** Uploads may also be unsigned, with a preset: the sandbox has no presets, so each is refused as an unknown one is. */
export function authoriseUpload(
  params: Record<string, string>,
  header: string | undefined,
  account: CloudinaryAccount,
) {
  if (header) return authoriseBasic(header, account)
  if (params.signature || params.api_key) return authoriseSigned(params, account)
  if (!params.upload_preset) {
    throw new CloudinaryError(400, 'Upload preset must be specified when using unsigned upload')
  }
  throw new CloudinaryError(400, 'Upload preset not found')
}

function rubyTime(seconds: number): string {
  return new Date(seconds * 1000)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' +0000')
}
