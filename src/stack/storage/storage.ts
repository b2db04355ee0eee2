import { inspect } from 'node:util'
import { Hono } from 'hono'
import { cors } from 'hono/cors'
import type { Keys } from '../keys.ts'
import type { Service } from '../service.ts'
import { bucketRoutes } from './buckets.ts'
import type { Storage } from './context.ts'
import { Database } from './database.ts'
import { downloadRoutes } from './downloads.ts'
import { StorageError } from './errors.ts'
import { Files } from './files.ts'
import { identify } from './identity.ts'
import { listRoutes } from './listing.ts'
import { removalRoutes } from './removals.ts'
import { signedUrlRoutes } from './signed-urls.ts'
import { Signer } from './signer.ts'
import { transferRoutes } from './transfers.ts'
import { uploadRoutes } from './uploads.ts'

export interface StorageOptions {
  /** The project's database, as supabase_storage_admin. */
  databaseUrl: string
  /** Holds the objects' bytes, and nothing else: what no row of this database names is removed at the start. */
  dir: string
  keys: Keys
  /** The most that any file may have, in bytes. */
  fileSizeLimit: number
  /** Told of faults of our own; refusals go to the caller. */
  log: (message: string) => void
}

/**
 * Serves `/storage/v1` as storage-api does, over schema storage and a folder of files.
 *
 * Routes of our own: those of @supabase/lite 0.10.0 differ from storage-api in nearly every body that supabase-js reads
 * (signed URLs, forms, keys, lists, error codes), hold forms in memory and check a size only when it is announced.
 */
export async function startStorage({ databaseUrl, dir, keys, fileSizeLimit, log }: StorageOptions): Promise<Service> {
  const files = await Files.open(dir)
  const database = new Database(databaseUrl, log)
  try {
    await files.sweep(await database.versions())
  } catch (error) {
    await database.close()
    throw error
  }

  const storage: Storage = {
    database,
    files,
    fileSizeLimit,
    signer: new Signer(keys.jwtSecret),
    identify: (request) => identify(request.headers, keys),
  }

  const app = new Hono().basePath('/storage/v1')
  app.use(cors({ origin: '*', allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] }))
  app.get('/status', (c) => c.body(null, 200))
  // In this order: a bucket's name may not hide a verb's.
  for (const routes of [
    bucketRoutes,
    listRoutes,
    transferRoutes,
    signedUrlRoutes,
    downloadRoutes,
    removalRoutes,
    uploadRoutes,
  ]) {
    app.route('/', routes(storage))
  }
  app.notFound((c) => {
    const message = `Route ${c.req.method}:${c.req.path} not found`
    return c.json({ statusCode: '404', error: 'Not Found', message }, 404)
  })
  app.onError((error) => {
    if (!(error instanceof StorageError) || error.status === 500) log(`storage: ${inspect(error)}`)
    if (error instanceof StorageError) return error.toResponse()
    return new StorageError(500, 'InternalError', 'Internal Server Error', { error: 'Internal' }).toResponse()
  })

  return {
    fetch: (request) => app.fetch(request),
    close: () => database.close(),
  }
}
