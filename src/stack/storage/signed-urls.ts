import { Hono } from 'hono'
import type { Storage } from './context.ts'
import { invalidRequest, noSuchKey } from './errors.ts'
import { optionalInteger, readObject, requiredStrings } from './json-body.ts'
import { readTarget, validBucketName } from './names.ts'
import { findObject, findObjects, probeWrite } from './object-rows.ts'

// What hosted gives a URL to upload to. Seconds.
const uploadUrlLifetime = 2 * 60 * 60

/** Signing: a URL gives whoever has it what its maker was allowed. The URLs themselves are among downloads and uploads. */
export function signedUrlRoutes({ database, signer, identify }: Storage): Hono {
  const routes = new Hono()

  const signDownload = async (url: string, expiresIn: number) =>
    `/object/sign/${url}?token=${await signer.sign('download', { url }, expiresIn)}`

  routes.post('/object/sign/:bucket/:name{.+}', async (c) => {
    const identity = await identify(c.req.raw)
    const { bucketId, name } = readTarget(c)
    const expiresIn = readExpiresIn(await readObject(c.req.raw))
    const object = await database.as(identity, 'storage.object.sign', (tx) => findObject(tx, bucketId, name))
    if (!object) throw noSuchKey()
    return c.json({ signedURL: await signDownload(`${bucketId}/${name}`, expiresIn) })
  })

  routes.post('/object/sign/:bucket', async (c) => {
    const identity = await identify(c.req.raw)
    const bucketId = validBucketName(c.req.param('bucket'))
    const body = await readObject(c.req.raw)
    const expiresIn = readExpiresIn(body)
    const paths = requiredStrings(body, 'paths')
    const objects = await database.as(identity, 'storage.object.sign_many', (tx) => findObjects(tx, bucketId, paths))
    const names = new Set(objects.map(({ name }) => name))
    const sign = async (path: string) =>
      names.has(path)
        ? { error: null, path, signedURL: await signDownload(`${bucketId}/${path}`, expiresIn) }
        : { error: 'Either the object does not exist or you do not have access to it', path, signedURL: null }
    return c.json(await Promise.all(paths.map(sign)))
  })

  routes.post('/object/upload/sign/:bucket/:name{.+}', async (c) => {
    const identity = await identify(c.req.raw)
    const { bucketId, name } = readTarget(c)
    const upsert = c.req.header('x-upsert') === 'true'
    const owner = identity.userId
    await database.probe(identity, 'storage.object.sign_upload_url', (tx) =>
      probeWrite(tx, { bucketId, name, owner, upsert }),
    )
    const url = `${bucketId}/${name}`
    const token = await signer.sign('upload', { url, owner, upsert }, uploadUrlLifetime)
    return c.json({ url: `/object/upload/sign/${url}?token=${token}`, token })
  })

  return routes
}

function readExpiresIn(body: Record<string, unknown>): number {
  const expiresIn = optionalInteger(body, 'expiresIn', 1)
  if (expiresIn === undefined) throw invalidRequest("body must have required property 'expiresIn'")
  return expiresIn
}
