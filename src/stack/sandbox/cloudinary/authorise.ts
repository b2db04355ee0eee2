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

function checkSignature(params: Record<string, string>, account: CloudinaryAccount): void {
  const { api_key, signature, timestamp } = params
  if (!api_key) throw new CloudinaryError(401, 'Must supply api_key')
  if (api_key !== account.apiKey) throw new CloudinaryError(401, `Unknown API key ${api_key}`)
  if (!signature) throw new CloudinaryError(400, 'Missing required parameter - signature')
  if (!timestamp) throw new CloudinaryError(400, 'Missing required parameter - timestamp')
  if (!/^\d+$/.test(timestamp)) throw new CloudinaryError(400, `Invalid timestamp ${timestamp}`)
  if (!signs(signature, params, account.apiSecret)) {
    throw new CloudinaryError(401, `Invalid Signature ${signature}. String to sign - '${stringToSign(params, 2)}'.`)
  }
}

function checkAge(timestamp: string | undefined): void {
  const reported = Number(timestamp)
  if (reported >= Date.now() / 1000 - hour) return
  throw new CloudinaryError(400, `Stale request - reported time is ${rubyTime(reported)} which is more than 1 hour ago`)
}

/** Checks a link made by `private_download_url`: an hour old at most, or not past its own `expires_at`. */
export function authoriseDownload(params: Record<string, string>, account: CloudinaryAccount): void {
  checkSignature(params, account)
  const { expires_at } = params
  if (expires_at === undefined) checkAge(params.timestamp)
  else checkExpiry(expires_at)
}

function checkExpiry(expiresAt: string): void {
  if (!/^\d+$/.test(expiresAt)) throw new CloudinaryError(400, `Invalid expires_at ${expiresAt}`)
  if (Number(expiresAt) >= Date.now() / 1000) return
  // Cloudinary documents that the link stops working, not in which words.
  throw new CloudinaryError(401, `Link expired at ${rubyTime(Number(expiresAt))}`)
}

/**
 * Checks an upload or a destroy: Basic authentication, or a signature of the last hour. Unsigned uploads need a preset;
 * the sandbox has none, so each is refused as an unknown one is. Throws a 400 or 401 CloudinaryError.
 */
export function authoriseUpload(
  params: Record<string, string>,
  header: string | undefined,
  account: CloudinaryAccount,
): void {
  if (header) {
    authoriseBasic(header, account)
  } else if (params.signature || params.api_key) {
    checkSignature(params, account)
    checkAge(params.timestamp)
  } else if (params.upload_preset) {
    throw new CloudinaryError(400, 'Upload preset not found')
  } else {
    throw new CloudinaryError(400, 'Upload preset must be specified when using unsigned upload')
  }
}

function rubyTime(seconds: number): string {
  return new Date(seconds * 1000)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' +0000')
}
