import { type Context, Hono } from 'hono'
import { findBucket } from './bucket-rows.ts'
import { commitFile } from './commit-file.ts'
import type { Storage } from './context.ts'
import { invalidRequest, noSuchBucket } from './errors.ts'
import { type Identity, service } from './identity.ts'
import { sizeLimitOf } from './limits.ts'
import { readTarget } from './names.ts'
import { type Destination, type ObjectMetadata, type ObjectRow, probeWrite } from './object-rows.ts'
import { readUpload, takeBody } from './upload-body.ts'

interface Upload {
  /** Whose policies allow it or not. */
  writer: Identity
  /** For `storage.operation()`. */
  operation: string
  destination: Destination
}

export function uploadRoutes(storage: Storage): Hono {
  const routes = new Hono()

  routes.put('/object/upload/sign/:bucket/:name{.+}', (c) =>
    takeBody(c.req.raw, async (content) => {
      const token = c.req.query('token')
      if (!token) throw invalidRequest("querystring must have required property 'token'")
      const { bucketId, name } = readTarget(c)
      const { owner = null, upsert = false } = await storage.signer.verify('upload', token, `${bucketId}/${name}`)
      const destination = { bucketId, name, owner, upsert }
      // Whoever signed was allowed to write there; asked again is only whether something has come to lie there since.
      const upload = { writer: service, operation: 'storage.object.upload_signed', destination }
      await receive(storage, upload, c.req.raw.headers, content)
      return c.json({ Key: `${bucketId}/${name}` })
    }),
  )

  const upload = (c: Context, operation: string, upsert: boolean) =>
    takeBody(c.req.raw, async (content) => {
      const writer = await storage.identify(c.req.raw)
      const { bucketId, name } = readTarget(c)
      const destination = { bucketId, name, owner: writer.userId, upsert }
      const { id } = await receive(storage, { writer, operation, destination }, c.req.raw.headers, content)
      return c.json({ Id: id, Key: `${bucketId}/${name}` })
    })
  routes.post('/object/:bucket/:name{.+}', (c) =>
    upload(c, 'storage.object.upload', c.req.header('x-upsert') === 'true'),
  )
  routes.put('/object/:bucket/:name{.+}', (c) => upload(c, 'storage.object.upload_update', true))

  return routes
}

/** Takes a request's bytes for an object. Whatever is refused leaves neither row nor file. */
async function receive(
  storage: Storage,
  { writer, operation, destination }: Upload,
  headers: Headers,
  body: AsyncGenerator<Uint8Array>,
): Promise<ObjectRow> {
  const { database, files } = storage
  const bucket = await database.as(service, operation, (tx) => findBucket(tx, destination.bucketId))
  if (!bucket) throw noSuchBucket()
  await database.probe(writer, operation, (tx) => probeWrite(tx, destination))

  const { contentType, cacheControl, userMetadata, content } = await readUpload(headers, body)
  const limit = sizeLimitOf(storage.fileSizeLimit, bucket, destination.name, contentType)
  const { version, size, eTag } = await files.write(content, limit)
  const metadata: ObjectMetadata = {
    eTag,
    size,
    mimetype: contentType,
    cacheControl,
    lastModified: new Date().toISOString(),
    contentLength: size,
    httpStatusCode: 200,
  }
  return commitFile(storage, operation, destination, { version, metadata, user_metadata: userMetadata })
}
