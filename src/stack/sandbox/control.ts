import { type Context, Hono } from 'hono'
import type { CloudinaryFake } from './cloudinary.ts'
import { type FailureScript, InvalidScript } from './failures.ts'
import type { FcmFake } from './fcm.ts'

/**
 * What the gateway serves under `/sandbox`:
 *
 * - `GET /sandbox/cloudinary`, `GET /sandbox/fcm`: everything the fake holds; `DELETE`: forget it all
 * - `POST …/failures` with a FailureScript: the next calls go wrong; `GET`: what is scripted; `DELETE`: nothing any more
 * - `PUT /sandbox/fcm/devices/<token>` with `{ online }`: a device goes off the network, and returns
 */
export function controlApp(cloudinary: CloudinaryFake, cloudinaryUrl: string, fcm: FcmFake): Hono {
  const app = new Hono().basePath('/sandbox')
  app.onError((error, c) => {
    if (error instanceof InvalidScript || error instanceof SyntaxError) return c.json({ error: error.message }, 400)
    throw error
  })

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
