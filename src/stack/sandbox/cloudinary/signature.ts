import { createHash } from 'node:crypto'

const unsigned = new Set(['file', 'cloud_name', 'resource_type', 'api_key', 'signature'])

/**
 * The text that is hashed with the API secret. Version 2, which SDKs use today, escapes `&` in a value,
 * so that a value cannot smuggle in a parameter; version 1 is what older SDKs send.
 */
export function stringToSign(params: Record<string, string>, version: 1 | 2): string {
  return Object.keys(params)
    .filter((name) => !unsigned.has(name) && params[name] !== '')
    .sort()
    .map((name) => `${name}=${params[name]}`)
    .map((pair) => (version === 2 ? pair.replaceAll('&', '%26') : pair))
    .join('&')
}

/** Says whether `signature` is right for `params`: SHA-1 or SHA-256, either version, as Cloudinary accepts. */
export function signs(signature: string, params: Record<string, string>, apiSecret: string): boolean {
  const texts = [stringToSign(params, 2), stringToSign(params, 1)]
  return texts.some((text) =>
    ['sha1', 'sha256'].some((algorithm) => digest(text, apiSecret, algorithm, 'hex') === signature),
  )
}

/** The `signature` of an answer, by which a client proves that it did upload: always SHA-1, version 1. */
export function answerSignature(publicId: string, version: number, apiSecret: string): string {
  return digest(stringToSign({ public_id: publicId, version: String(version) }, 1), apiSecret, 'sha1', 'hex')
}

/**
 * The signatures that open a delivery URL: 8 characters of SHA-1 (the default, first) or of SHA-256, or 32 ("long").
 * `path` is what stands between the signature and the end of the URL, as it stands there, without the version.
 */
export function deliverySignatures(path: string, apiSecret: string): [string, string, string] {
  const sha1 = urlSafe(digest(path, apiSecret, 'sha1', 'base64'))
  const sha256 = urlSafe(digest(path, apiSecret, 'sha256', 'base64'))
  return [sha1.slice(0, 8), sha256.slice(0, 8), sha256.slice(0, 32)]
}

function digest(text: string, apiSecret: string, algorithm: string, encoding: 'hex' | 'base64'): string {
  return createHash(algorithm)
    .update(text + apiSecret)
    .digest(encoding)
}

function urlSafe(base64: string): string {
  return base64.replaceAll('/', '_').replaceAll('+', '-')
}
