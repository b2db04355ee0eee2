import { type Context, Hono } from 'hono'
import { findBucket } from './bucket-rows.ts'
import { type ByteRange, contentHeaders, parseRange } from './content-headers.ts'
import type { Storage } from './context.ts'
import { invalidRequest, noSuchBucket, noSuchKey, StorageError } from './errors.ts'
import { type Identity, service } from './identity.ts'
import { readTarget } from './names.ts'
import { findObject, type ObjectRow } from './object-rows.ts'

type Find = () => Promise<ObjectRow>

/** Objects and what is known of them: as the caller, from public buckets, and over signed URLs. */
export function downloadRoutes(storage: Storage): Hono {
  const { signer, identify } = storage
  const routes = new Hono()

  routes.get('/object/public/:bucket/:name{.+}', (c) => {
    return serve(storage, c, () => findReadable(storage, c, 'storage.object.get_public', null))
  })

  routes.get('/object/sign/:bucket/:name{.+}', async (c) => {
    const token = c.req.query('token')
    if (!token) throw invalidRequest("querystring must have required property 'token'")
    const { bucketId, name } = readTarget(c)
    const { expires } = await signer.verify('download', token, `${bucketId}/${name}`)
    return serve(storage, c, () => findAs(storage, service, c, 'storage.object.get_signed'), expires)
  })

  routes.get('/object/info/public/:bucket/:name{.+}', async (c) => {
    return c.json(describe(await findReadable(storage, c, 'storage.object.info_public', null)))
  })

  // The same with and without `authenticated`, but that there a bad token is refused even where none is asked for.
  for (const prefix of ['/object/info/authenticated', '/object/info']) {
    routes.get(`${prefix}/:bucket/:name{.+}`, async (c) => {
      const identity = await (prefix.endsWith('authenticated') ? identify(c.req.raw) : identifyIfAny(storage, c))
      return c.json(describe(await findReadable(storage, c, 'object.get_authenticated_info', identity)))
    })
  }

  for (const prefix of ['/object/authenticated', '/object']) {
    routes.get(`${prefix}/:bucket/:name{.+}`, async (c) => {
      const identity = await (prefix.endsWith('authenticated') ? identify(c.req.raw) : identifyIfAny(storage, c))
      const isHead = c.req.raw.method === 'HEAD'
      const operation = isHead ? 'object.head_authenticated_info' : 'storage.object.get_authenticated'
      return serve(storage, c, () => findReadable(storage, c, operation, identity))
    })
  }

  return routes
}

/** Who asks, where an open answer is possible too: null for nobody in particular. */
async function identifyIfAny({ identify }: Storage, c: Context): Promise<Identity | null> {
  return identify(c.req.raw).catch((error) => {
    if (error instanceof StorageError) return null
    throw error
  })
}

/** An object of a public bucket is everybody's; others are shown to those whose policies do. */
async function findReadable(
  storage: Storage,
  c: Context,
  operation: string,
  identity: Identity | null,
): Promise<ObjectRow> {
  const { bucketId } = readTarget(c)
  const bucket = await storage.database.as(service, operation, (tx) => findBucket(tx, bucketId))
  const reader = bucket?.public ? service : identity
  if (!bucket || !reader) throw noSuchBucket()
  return findAs(storage, reader, c, operation)
}

async function findAs(storage: Storage, reader: Identity, c: Context, operation: string): Promise<ObjectRow> {
  const { bucketId, name } = readTarget(c)
  const object = await storage.database.as(reader, operation, (tx) => findObject(tx, bucketId, name))
  if (!object) throw noSuchKey()
  return object
}

async function serve(storage: Storage, c: Context, find: Find, expires?: Date, again = true): Promise<Response> {
  const { version, metadata } = await find()
  if (!version || !metadata) throw noSuchKey()
  const headers = contentHeaders(metadata, { download: c.req.query('download'), expires })

  if (c.req.header('if-none-match') === metadata.eTag) {
    headers.delete('content-length')
    return new Response(null, { status: 304, headers })
  }
  const range = parseRange(c.req.header('range'), metadata.size)
  if (range === 'unsatisfiable') throw new StorageError(416, 'InvalidRange', 'The requested range is not satisfiable')
  const { start, end }: ByteRange = range ?? { start: 0, end: metadata.size - 1 }
  if (range) {
    headers.set('content-range', `bytes ${start}-${end}/${metadata.size}`)
    headers.set('content-length', String(end - start + 1))
  }
  const status = range ? 206 : 200
  if (c.req.raw.method === 'HEAD' || metadata.size === 0) return new Response(null, { status, headers })

  const body = await storage.files.read(version, start, end)
  if (body) return new Response(body, { status, headers })
  // An upsert may have put a new file in its place since we looked.
  if (again) return serve(storage, c, find, expires, false)
  throw noSuchKey()
}

function describe(object: ObjectRow) {
  const { metadata } = object
  return {
    id: object.id,
    name: object.name,
    version: object.version,
    bucket_id: object.bucket_id,
    size: metadata?.size ?? null,
    content_type: metadata?.mimetype ?? null,
    cache_control: metadata?.cacheControl ?? null,
    etag: metadata?.eTag ?? null,
    metadata: object.user_metadata,
    last_modified: object.updated_at,
    created_at: object.created_at,
  }
}
