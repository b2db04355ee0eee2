import { type Context, Hono, type MiddlewareHandler } from 'hono'
import type { CloudinaryFake } from './cloudinary.ts'
import { type FailureScript, InvalidScript } from './failures.ts'
import type { FcmFake } from './fcm.ts'

/**
 * What the gateway serves under `/sandbox`:
 *
 * - `GET /sandbox/cloudinary`, `GET /sandbox/fcm`: everything the fake holds; `DELETE`: forget it all
 * - `POST …/failures` with a FailureScript: the next calls go wrong; `GET`: what is scripted; `DELETE`: nothing any more
 * - `PUT /sandbox/fcm/devices/<token>` with `{ online }`: a device goes off the network, and returns
 *
 * Programs on this machine may, pages in its browser may not: a body is `application/json`, the host a loopback one.
 */
export function controlApp(cloudinary: CloudinaryFake, cloudinaryUrl: string, fcm: FcmFake): Hono {
  const app = new Hono().basePath('/sandbox')
  app.onError((error, c) => {
    if (error instanceof InvalidScript || error instanceof SyntaxError) return c.json({ error: error.message }, 400)
    throw error
  })
  app.use(refuseOtherHosts, refuseFormsOfPages)

  app.get('/cloudinary', (c) => c.json(cloudinary.inspect(cloudinaryUrl)))
  app.get('/fcm', (c) => c.json(fcm.inspect()))
  control(app, '/cloudinary', cloudinary, (input) => cloudinary.failures.add(input))
  control(app, '/fcm', fcm, (input) => fcm.script(input))

  app.put('/fcm/devices/:token', async (c) => {
    const { online } = (await c.req.json()) ?? {}
    if (typeof online !== 'boolean') throw new InvalidScript('online: true or false')
    fcm.setOnline(c.req.param('token'), online)
    return c.body(null, 204)
  })
  return app
}

const loopback = ['127.0.0.1', 'localhost', '[::1]']

// A page whose own domain suddenly leads to this machine would be taken for one of ours by its browser.
const refuseOtherHosts: MiddlewareHandler = async (c, next) => {
  const { hostname } = new URL(c.req.url)
  if (!loopback.includes(hostname)) return c.json({ error: `not served as ${hostname}` }, 403)
  return next()
}

// What any page may send without asking first has another type; for this one, and for PUT and DELETE, its browser asks,
// and nothing here allows it.
const refuseFormsOfPages: MiddlewareHandler = async (c, next) => {
  const hasBody = c.req.method === 'POST' || c.req.method === 'PUT'
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (hasBody && type !== 'application/json') return c.json({ error: 'content-type must be application/json' }, 415)
  return next()
}

function control(
  app: Hono,
  path: string,
  fake: CloudinaryFake | FcmFake,
  script: (input: unknown) => FailureScript,
): void {
  app.delete(path, (c) => {
    fake.reset()
    return c.body(null, 204)
  })
  app.get(`${path}/failures`, (c) => c.json(fake.failures.list()))
  app.post(`${path}/failures`, async (c: Context) => c.json(script(await c.req.json()), 201))
  app.delete(`${path}/failures`, (c) => {
    fake.failures.clear()
    return c.body(null, 204)
  })
}
