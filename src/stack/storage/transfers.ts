import { Hono } from 'hono'
import { findBucket } from './bucket-rows.ts'
import { commitFile } from './commit-file.ts'
import type { Storage } from './context.ts'
import { noSuchBucket, noSuchKey } from './errors.ts'
import { headerValue } from './header-value.ts'
import { service } from './identity.ts'
import { readObject, requiredString } from './json-body.ts'
import { checkLimits } from './limits.ts'
import { validBucketName, validObjectName } from './names.ts'
import { findObject, type ObjectMetadata, probeWrite, renameObject } from './object-rows.ts'

/** Move and copy. */
export function transferRoutes(storage: Storage): Hono {
  const { database, files, identify, fileSizeLimit } = storage
  const routes = new Hono()

  // The file stays where it is: only its row changes, so a move is one transaction.
  routes.post('/object/move', async (c) => {
    const identity = await identify(c.req.raw)
    const { source, destination } = readTransfer(await readObject(c.req.raw))
    const operation = 'storage.object.move'
    const bucket = await database.as(service, operation, (tx) => findBucket(tx, destination.bucketId))
    if (!bucket) throw noSuchBucket()
    const moved = await database.as(identity, operation, async (tx) => {
      const object = await renameObject(tx, source, { ...destination, owner: identity.userId })
      if (!object) throw noSuchKey()
      if (object.metadata) checkLimits(fileSizeLimit, bucket, object.name, object.metadata)
      return object
    })
    return c.json({ message: 'Successfully moved', Id: moved.id, Key: moved.name })
  })

  routes.post('/object/copy', async (c) => {
    const identity = await identify(c.req.raw)
    const body = await readObject(c.req.raw)
    const { source, destination: to } = readTransfer(body)
    const destination = { ...to, owner: identity.userId, upsert: c.req.header('x-upsert') === 'true' }
    const operation = 'storage.object.copy'

    const original = await database.as(identity, operation, (tx) => findObject(tx, source.bucketId, source.name))
    if (!original?.version || !original.metadata) throw noSuchKey()
    const bucket = await database.as(service, operation, (tx) => findBucket(tx, destination.bucketId))
    if (!bucket) throw noSuchBucket()
    await database.probe(identity, operation, (tx) => probeWrite(tx, destination))

    const own = body.copyMetadata === false
    const metadata = { ...original.metadata, ...(own && readMetadata(body)), lastModified: new Date().toISOString() }
    const user_metadata = own ? null : original.user_metadata
    checkLimits(fileSizeLimit, bucket, destination.name, metadata)

    const version = await files.copy(original.version)
    if (!version) throw noSuchKey()
    const object = await commitFile(storage, operation, destination, { version, metadata, user_metadata })
    return c.json({ Id: object.id, Key: `${destination.bucketId}/${destination.name}`, ...object })
  })

  return routes
}

function readTransfer(body: Record<string, unknown>) {
  const bucketId = validBucketName(requiredString(body, 'bucketId'))
  const to = body.destinationBucket === undefined ? bucketId : requiredString(body, 'destinationBucket')
  const source = { bucketId, name: validObjectName(requiredString(body, 'sourceKey')) }
  const destination = { bucketId: validBucketName(to), name: validObjectName(requiredString(body, 'destinationKey')) }
  return { source, destination }
}

/** What the caller wants the copy to be served as; the rest is the original's. */
function readMetadata(body: Record<string, unknown>): Partial<ObjectMetadata> {
  const { cacheControl, mimetype } = (body.metadata ?? {}) as Record<string, unknown>
  return {
    ...(typeof cacheControl === 'string' && { cacheControl: headerValue('cacheControl', cacheControl) }),
    ...(typeof mimetype === 'string' && { mimetype: headerValue('mimetype', mimetype) }),
  }
}
