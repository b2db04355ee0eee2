import { Hono } from 'hono'
import type { Storage } from './context.ts'
import { noSuchKey } from './errors.ts'
import { readObject, requiredStrings } from './json-body.ts'
import { validBucketName } from './names.ts'
import { deleteObjects } from './object-rows.ts'

export function removalRoutes({ database, files, identify }: Storage): Hono {
  const routes = new Hono()

  const remove = async (request: Request, operation: string, bucketId: string, names: string[]) => {
    const identity = await identify(request)
    const deleted = await database.as(identity, operation, (tx) => deleteObjects(tx, bucketId, names))
    // The rows are gone for good before the files are: a crash leaves files that the next start sweeps away.
    await files.remove(deleted.map(({ version }) => version))
    return deleted
  }

  routes.delete('/object/:bucket', async (c) => {
    const bucketId = validBucketName(c.req.param('bucket'))
    const names = requiredStrings(await readObject(c.req.raw), 'prefixes')
    // Those that are not there, or not the caller's, are simply not in the answer.
    return c.json(await remove(c.req.raw, 'storage.object.delete_many', bucketId, names))
  })

  routes.delete('/object/:bucket/:name{.+}', async (c) => {
    const bucketId = validBucketName(c.req.param('bucket'))
    const deleted = await remove(c.req.raw, 'storage.object.delete', bucketId, [c.req.param('name')])
    if (deleted.length === 0) throw noSuchKey()
    return c.json({ message: 'Successfully deleted' })
  })

  return routes
}
