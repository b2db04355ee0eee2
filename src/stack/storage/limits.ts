import type { Bucket } from './bucket-rows.ts'
import { entityTooLarge, invalidMimeType, invalidRequest } from './errors.ts'
import { isEmptyFolder } from './names.ts'
import type { ObjectMetadata } from './object-rows.ts'

const units = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9 }

/**
 * The most that an object of this name may have in a bucket, in bytes.
 * @param most that any object may have
 * @throws {StorageError} 415 when its type may not be there
 */
export function sizeLimitOf(most: number, bucket: Bucket, name: string, mimeType: string): number {
  if (isEmptyFolder(name)) return 0
  checkMimeType(mimeType, bucket.allowed_mime_types)
  return Math.min(bucket.file_size_limit ?? most, most)
}

/** @throws {StorageError} 413 or 415 when the bucket does not take what is to be moved or copied there */
export function checkLimits(most: number, bucket: Bucket, name: string, { size, mimetype }: ObjectMetadata): void {
  if (size > sizeLimitOf(most, bucket, name, mimetype)) throw entityTooLarge()
}

/**
 * Reads a bucket's limit: bytes, or a text like `20MB` (decimal units, as storage-api has them). Null is none.
 * @throws {StorageError} 400 for anything else, 413 for more than all buckets have
 */
export function parseFileSizeLimit(most: number, limit: unknown): number | null {
  if (limit === null) return null
  const bytes = typeof limit === 'string' ? parseSize(limit) : limit
  if (typeof bytes !== 'number' || !Number.isInteger(bytes) || bytes < 0) {
    throw invalidRequest('Invalid file size format, hint: use 20GB / 20MB / 30KB / 3B')
  }
  if (bytes > most) throw entityTooLarge()
  return bytes
}

function parseSize(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(gb|mb|kb|b)$/i.exec(text) ?? []
  return number && unit ? Math.round(Number(number) * units[unit.toLowerCase() as keyof typeof units]) : undefined
}

/**
 * Checks a bucket's list of types, each like `image/png` or `image/*`. Null is any.
 * @throws {StorageError} 415 naming the first that is none
 */
export function parseMimeTypes(types: unknown): string[] | null {
  if (types === null) return null
  if (!Array.isArray(types)) throw invalidRequest('body/allowed_mime_types must be array')
  for (const type of types) {
    if (typeof type !== 'string' || !/^[\w\-+.]+\/(?:[\w\-+.]+(?:;\s*charset=[\w-]+)?|\*)$/.test(type)) {
      throw invalidMimeType(String(type))
    }
  }
  return types
}

function checkMimeType(mimeType: string, allowed: string[] | null): void {
  if (!allowed?.length) return
  const [family] = mimeType.split('/')
  if (!mimeType.includes('/') || !allowed.some((type) => type === mimeType || type === `${family}/*`)) {
    throw invalidMimeType(mimeType)
  }
}
