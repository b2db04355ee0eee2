import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { type CloudinaryAccount, CloudinaryError } from './cloudinary/account.ts'
import { deleteAssets, listAssets, RateLimit } from './cloudinary/admin.ts'
import { resourceAnswer, uploadAnswer } from './cloudinary/answers.ts'
import { type Asset, AssetStore } from './cloudinary/asset-store.ts'
import { authoriseBasic, authoriseDownload, authoriseUpload } from './cloudinary/authorise.ts'
import { deliver, resolveDelivery } from './cloudinary/delivery.ts'
import { readForm } from './cloudinary/form.ts'
import { upload } from './cloudinary/upload.ts'
import { Failures, suffer } from './failures.ts'

const operations = ['upload', 'destroy', 'resource', 'resources', 'delete', 'download', 'delivery'] as const
type Operation = (typeof operations)[number]

/** What was destroyed, and whether the caller asked to clear the CDN too. */
export interface Destroyed {
  publicId: string
  resourceType: string
  type: string
  invalidate: boolean
  at: string
}

const keptDestroyed = 1000
// The group is needed: Hono anchors the pattern without one of its own.
const resourceTypes = '{(?:image|video|raw)}'

/**
 * A Cloudinary on loopback: signed uploads, destroy, the Admin API's look-ups, and delivery. It checks what Cloudinary
 * checks and words its answers alike; it transforms nothing, knows no presets and no webhooks, and says so when asked.
 */
export class CloudinaryFake {
  readonly account: CloudinaryAccount
  readonly failures = new Failures(operations)
  readonly #store: AssetStore
  readonly #closing = new AbortController()
  readonly #rateLimit = new RateLimit()
  #destroyed: Destroyed[] = []
  #requests: Partial<Record<Operation, number>> = {}

  /** Files are kept in `folder`, between runs too. */
  constructor(folder: string, account: CloudinaryAccount) {
    this.account = account
    this.#store = new AssetStore(folder)
  }

  /** What a test may look at: the fake's whole state. `origin` is where URLs shall point. */
  inspect(origin: string) {
    return {
      cloud_name: this.account.cloudName,
      resources: this.#store.list().map((asset) => resourceAnswer(asset, this.account, origin)),
      destroyed: this.#destroyed,
      requests: this.#requests,
      failures: this.failures.list(),
    }
  }

  /** Empties it: files, records, counts and scripted failures. */
  reset(): void {
    this.#store.clear()
    this.#destroyed = []
    this.#requests = {}
    this.failures.clear()
  }

  /** Ends calls that a scripted failure keeps waiting. */
  close(): void {
    this.#closing.abort()
  }

  app(): Hono {
    const app = new Hono()
    // Browsers upload straight to Cloudinary.
    app.use(cors({ origin: '*', exposeHeaders: ['X-Cld-Error'] }))
    app.onError((error) => {
      if (error instanceof CloudinaryError) return error.response()
      throw error
    })
    app.notFound((c) => new CloudinaryError(404, `Unknown path ${c.req.path}`).response())

    const api = new Hono()
    api.use('/:cloud/*', async (c, next) => {
      if (c.req.param('cloud') === this.account.cloudName) return next()
      throw new CloudinaryError(401, `Invalid cloud_name ${c.req.param('cloud')}`)
    })
    this.#uploadApi(api)
    this.#adminApi(api)
    app.route('/v1_1', api)
    app.get('/:cloud/:resource_type/:type/*', (c) => {
      // Signatures cover the path as it was sent; Hono's own is decoded.
      const { asset, transformation } = resolveDelivery(new URL(c.req.url).pathname, this.account, this.#store)
      return this.#perform(c, 'delivery', asset.publicId, () =>
        deliver({ asset, transformation }, this.#store, c.req.raw),
      )
    })
    return app
  }

  #uploadApi(api: Hono): void {
    api.post('/:cloud/:resource_type{(?:image|video|raw|auto)}/upload', async (c) => {
      this.#refuseChunks(c)
      const form = await readForm(c.req.raw, this.#store.folder)
      try {
        authoriseUpload(form.params, c.req.header('authorization'), this.account)
        return await this.#perform(c, 'upload', form.params.public_id, async () => {
          const { asset, existing, overwritten } = await upload(form, c.req.param('resource_type'), this.#store)
          const answer = uploadAnswer(asset, this.account, origin(c))
          return c.json({ ...answer, ...(existing && { existing }), ...(overwritten && { overwritten }) })
        })
      } finally {
        await form.file?.discard()
      }
    })

    api.post(`/:cloud/:resource_type${resourceTypes}/destroy`, async (c) => {
      const { params, file } = await readForm(c.req.raw, this.#store.folder)
      await file?.discard()
      authoriseUpload(params, c.req.header('authorization'), this.account)
      const { public_id: publicId, type = 'upload' } = params
      if (!publicId) throw new CloudinaryError(400, 'Missing required parameter - public_id')
      return this.#perform(c, 'destroy', publicId, () => {
        const asset = this.#store.find({ resourceType: c.req.param('resource_type'), type, publicId })
        if (!asset) return c.json({ result: 'not found' })
        this.#destroy(asset, params.invalidate)
        return c.json({ result: 'ok' })
      })
    })

    // What `private_download_url` points at.
    api.get(`/:cloud/:resource_type${resourceTypes}/download`, (c) => {
      const params = c.req.query()
      authoriseDownload(params, this.account)
      const { public_id: publicId = '', type = 'upload', attachment } = params
      return this.#perform(c, 'download', publicId, () => {
        const asset = this.#store.find({ resourceType: c.req.param('resource_type'), type, publicId })
        if (!asset) throw new CloudinaryError(404, `Resource not found - ${publicId}`)
        const name = attachment && attachment !== 'false' ? (asset.publicId.split('/').at(-1) ?? '') : undefined
        return deliver({ asset, transformation: '' }, this.#store, c.req.raw, name)
      })
    })
  }

  #adminApi(api: Hono): void {
    api.get('/:cloud/ping', (c) => c.json({ status: 'ok' }, 200, this.#admin(c)))

    api.get(`/:cloud/resources/:resource_type${resourceTypes}/:type?`, (c) => {
      const headers = this.#admin(c)
      const { resource_type: resourceType, type } = c.req.param()
      const within = { resourceType, ...(type && { type }) }
      const query = new URL(c.req.url).searchParams
      return this.#perform(c, 'resources', query.get('public_ids[]') ?? undefined, () =>
        c.json(listAssets(within, query, this.#store, this.account, origin(c)), 200, headers),
      )
    })

    api.get(`/:cloud/resources/:resource_type${resourceTypes}/:type/:public_id{.+}`, (c) => {
      const headers = this.#admin(c)
      const { resource_type: resourceType, type, public_id: publicId } = c.req.param()
      return this.#perform(c, 'resource', publicId, () => {
        const asset = this.#store.find({ resourceType, type, publicId })
        if (!asset) throw new CloudinaryError(404, `Resource not found - ${publicId}`)
        return c.json(resourceAnswer(asset, this.account, origin(c)), 200, headers)
      })
    })

    api.delete(`/:cloud/resources/:resource_type${resourceTypes}/:type`, async (c) => {
      const headers = this.#admin(c)
      const query = new URLSearchParams([
        ...new URL(c.req.url).searchParams,
        ...new URLSearchParams(await c.req.text()),
      ])
      const { resource_type: resourceType, type } = c.req.param()
      return this.#perform(c, 'delete', undefined, () => {
        const { doomed, answer } = deleteAssets({ resourceType, type }, query, this.#store)
        for (const asset of doomed) this.#note(asset, query.get('invalidate') ?? undefined)
        return c.json(answer, 200, headers)
      })
    })
  }

  /** Does `work`, unless a failure is scripted for it. */
  async #perform(
    c: Context,
    operation: Operation,
    target: string | undefined,
    work: () => Response | Promise<Response>,
  ): Promise<Response> {
    this.#requests[operation] = (this.#requests[operation] ?? 0) + 1
    const failure = this.failures.take(operation, target)
    if (!failure) return work()

    const done = failure.when === 'after' ? await work() : undefined
    await suffer(failure, AbortSignal.any([c.req.raw.signal, this.#closing.signal]))
    if (failure.status === undefined && !failure.hang) return done ?? work()
    const { status = 500, message = status === 420 ? 'Rate Limit Exceeded' : 'Internal Server Error' } = failure
    const retry = failure.retry_after === undefined ? {} : { 'Retry-After': String(failure.retry_after) }
    return new CloudinaryError(status, message).response(retry)
  }

  #admin(c: Context): Record<string, string> {
    authoriseBasic(c.req.header('authorization'), this.account)
    return this.#rateLimit.spend()
  }

  #destroy(asset: Asset, invalidate: string | undefined): void {
    this.#store.remove(asset)
    this.#note(asset, invalidate)
  }

  #note({ publicId, resourceType, type }: Asset, invalidate: string | undefined): void {
    const cleared = invalidate === 'true' || invalidate === '1'
    this.#destroyed.push({ publicId, resourceType, type, invalidate: cleared, at: new Date().toISOString() })
    this.#destroyed = this.#destroyed.slice(-keptDestroyed)
  }

  #refuseChunks(c: Context): void {
    const [, from, to, total] = /^bytes (\d+)-(\d+)\/(-?\d+)$/.exec(c.req.header('content-range') ?? '') ?? []
    if (from !== undefined && !(from === '0' && Number(to) + 1 === Number(total))) {
      throw new CloudinaryError(400, 'The sandbox takes a file in one piece, not in chunks')
    }
  }
}

function origin(c: Context): string {
  return new URL(c.req.url).origin
}
