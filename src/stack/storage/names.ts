import type { Context } from 'hono'
import { invalidBucketName, invalidKey } from './errors.ts'

const bucketName = /^[\w!\-.*'() &$@=;:+,?]{1,100}$/
const objectName = /^[\w/!\-.*'() &$@=;:+,?]{1,1024}$/

/** @throws {StorageError} 400 for what storage-api does not take as a bucket's name */
export function validBucketName(name: string): string {
  if (!bucketName.test(name) || name.trim() !== name) throw invalidBucketName()
  return name
}

/**
 * Refuses what storage-api refuses, and the folders `.` and `..`: here they would be names like any other, but browsers
 * and proxies resolve them, and the object would answer to another address than its policies saw.
 * @throws {StorageError} 400
 */
export function validObjectName(name: string): string {
  const climbs = name.split('/').some((folder) => folder === '.' || folder === '..')
  if (!objectName.test(name) || climbs) throw invalidKey(name)
  return name
}

/** Studio marks an empty folder with an object of this name: no bytes, and of any type. */
export function isEmptyFolder(name: string): boolean {
  return name.endsWith('.emptyFolderPlaceholder')
}

/** The object that a route's `:bucket` and `:name` mean. @throws {StorageError} 400 */
export function readTarget(c: Context): { bucketId: string; name: string } {
  return { bucketId: validBucketName(c.req.param('bucket') ?? ''), name: validObjectName(c.req.param('name') ?? '') }
}
