import { Hono } from 'hono'
import {
  type BucketQuery,
  type BucketSettings,
  deleteBucket,
  findBucket,
  insertBucket,
  listBuckets,
  updateBucket,
} from './bucket-rows.ts'
import type { Storage } from './context.ts'
import { accessDenied, bucketNotEmpty, invalidRequest, noSuchBucket } from './errors.ts'
import { service } from './identity.ts'
import { readObject, requiredString } from './json-body.ts'
import { parseFileSizeLimit, parseMimeTypes } from './limits.ts'
import { validBucketName } from './names.ts'

export function bucketRoutes({ database, files, identify, fileSizeLimit }: Storage): Hono {
  const routes = new Hono()

  routes.post('/bucket', async (c) => {
    const identity = await identify(c.req.raw)
    const body = await readObject(c.req.raw)
    const name = validBucketName(requiredString(body, 'name'))
    const id = body.id === undefined ? name : validBucketName(requiredString(body, 'id'))
    const settings = readSettings(body, fileSizeLimit)
    await database.as(identity, 'storage.bucket.create', (tx) =>
      insertBucket(tx, { id, name, owner: identity.userId }, settings),
    )
    return c.json({ name })
  })

  routes.get('/bucket', async (c) => {
    const identity = await identify(c.req.raw)
    const query = readQuery(c.req.query())
    return c.json(await database.as(identity, 'storage.bucket.list', (tx) => listBuckets(tx, query)))
  })

  routes.get('/bucket/:id', async (c) => {
    const identity = await identify(c.req.raw)
    const id = validBucketName(c.req.param('id'))
    const bucket = await database.as(identity, 'storage.bucket.get', (tx) => findBucket(tx, id))
    if (!bucket) throw noSuchBucket()
    return c.json(bucket)
  })

  routes.put('/bucket/:id', async (c) => {
    const identity = await identify(c.req.raw)
    const id = validBucketName(c.req.param('id'))
    const settings = readSettings(await readObject(c.req.raw), fileSizeLimit)
    const updated = await database.as(identity, 'storage.bucket.update', (tx) => updateBucket(tx, id, settings))
    if (!updated) throw noSuchBucket()
    return c.json({ message: 'Successfully updated' })
  })

  routes.post('/bucket/:id/empty', async (c) => {
    const identity = await identify(c.req.raw)
    const id = validBucketName(c.req.param('id'))
    const deleted = await database.as(identity, 'storage.bucket.empty', async (tx) => {
      if (!(await findBucket(tx, id))) throw noSuchBucket()
      const seen = await tx.query('select id from storage.objects where bucket_id = $1', [id])
      const rows = await tx.query<{ version: string | null }>(
        'delete from storage.objects where bucket_id = $1 returning version',
        [id],
      )
      if (rows.length < seen.length) throw accessDenied('You may have SELECT but not DELETE permissions')
      return rows
    })
    await files.remove(deleted.map(({ version }) => version))
    return c.json({ message: 'Successfully emptied' })
  })

  routes.delete('/bucket/:id', async (c) => {
    const identity = await identify(c.req.raw)
    const id = validBucketName(c.req.param('id'))
    const operation = 'storage.bucket.delete'
    const content = await database.as(service, operation, async (tx) => {
      if (!(await findBucket(tx, id))) throw noSuchBucket()
      return tx.query('select from storage.objects where bucket_id = $1 limit 1', [id])
    })
    if (content.length > 0) throw bucketNotEmpty()
    if (!(await database.as(identity, operation, (tx) => deleteBucket(tx, id)))) throw noSuchBucket()
    return c.json({ message: 'Successfully deleted' })
  })

  return routes
}

function readSettings(body: Record<string, unknown>, most: number): BucketSettings {
  const { public: isPublic, file_size_limit: limit, allowed_mime_types: types } = body
  if (isPublic !== undefined && typeof isPublic !== 'boolean') throw invalidRequest('body/public must be boolean')
  return {
    public: isPublic,
    file_size_limit: limit === undefined ? undefined : parseFileSizeLimit(most, limit),
    allowed_mime_types: types === undefined ? undefined : parseMimeTypes(types),
  }
}

function readQuery(query: Record<string, string>): BucketQuery {
  const column = query.sortColumn ?? 'id'
  if (column !== 'id' && column !== 'name' && column !== 'created_at' && column !== 'updated_at') {
    throw invalidRequest('querystring/sortColumn must be equal to one of the allowed values')
  }
  return {
    search: query.search ?? '',
    column,
    descending: query.sortOrder === 'desc',
    limit: query.limit === undefined ? null : wholeNumber('limit', query.limit),
    offset: wholeNumber('offset', query.offset ?? '0'),
  }
}

function wholeNumber(field: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw invalidRequest(`querystring/${field} must be integer`)
  return Number(text)
}
