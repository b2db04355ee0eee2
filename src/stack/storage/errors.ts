import pg from 'pg'

/**
 * A refusal in storage-api's words. Over HTTP nearly all of them are 400 (our own faults 500): the real status is in the
 * body's `statusCode`, as a string.
 */
export class StorageError extends Error {
  override readonly name = 'StorageError'
  readonly status: number
  readonly code: string
  /** The older name of the code, kept by storage-api in the field `error`. */
  readonly error: string

  constructor(status: number, code: string, message: string, { error = code, cause }: RefusalOptions = {}) {
    super(message, { cause })
    this.status = status
    this.code = code
    this.error = error
  }

  toResponse(): Response {
    const { status, code, error, message } = this
    return Response.json({ statusCode: String(status), code, error, message }, { status: status === 500 ? 500 : 400 })
  }
}

interface RefusalOptions {
  error?: string
  cause?: unknown
}

export const noSuchBucket = () =>
  new StorageError(404, 'NoSuchBucket', 'Bucket not found', { error: 'Bucket not found' })

export const noSuchKey = () => new StorageError(404, 'NoSuchKey', 'Object not found', { error: 'not_found' })

export const invalidKey = (key: string) => new StorageError(400, 'InvalidKey', `Invalid key: ${key}`)

export const invalidBucketName = () =>
  new StorageError(400, 'InvalidBucketName', 'Bucket name invalid', { error: 'Invalid Input' })

export const invalidRequest = (message: string) => new StorageError(400, 'InvalidRequest', message)

export const accessDenied = (message: string, cause?: unknown) =>
  new StorageError(403, 'AccessDenied', message, { error: 'Unauthorized', cause })

export const entityTooLarge = (entity = 'object') =>
  new StorageError(413, 'EntityTooLarge', `The ${entity} exceeded the maximum allowed size`, {
    error: 'Payload too large',
  })

export const invalidMimeType = (mimeType: string) =>
  new StorageError(415, 'InvalidMimeType', `mime type ${mimeType} is not supported`, { error: 'invalid_mime_type' })

export const bucketNotEmpty = () =>
  new StorageError(409, 'ResourceNotEmpty', 'The bucket you tried to delete is not empty')

/**
 * What Postgres refused, as storage-api passes it on. Anything else comes back as it is; also the words with which a
 * server ends a connection (class 57P), which tell nothing of how far a commit came.
 */
export function fromDatabase(cause: unknown): unknown {
  if (!(cause instanceof pg.DatabaseError) || cause.code?.startsWith('57P')) return cause
  switch (cause.code) {
    case '42501': {
      const hidden = cause.message.includes('row-level security')
      return accessDenied(hidden ? 'new row violates row-level security policy' : cause.message, cause)
    }
    case '23505': {
      const code = cause.table === 'buckets' ? 'BucketAlreadyExists' : 'KeyAlreadyExists'
      return new StorageError(409, code, 'The resource already exists', { error: 'Duplicate', cause })
    }
    case '23503':
      return new StorageError(404, 'InvalidRequest', 'The related resource does not exist', { cause })
    // No text in Postgres has a NUL.
    case '22P05':
    case '22021':
      return new StorageError(400, 'InvalidRequest', 'A text has a character that cannot be stored', { cause })
    default:
      return new StorageError(500, 'DatabaseError', `database error, code: ${cause.code}`, { cause })
  }
}
