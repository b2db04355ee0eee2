import { type CloudinaryAccount, CloudinaryError } from './account.ts'
import { listedAnswer } from './answers.ts'
import type { Asset, AssetStore } from './asset-store.ts'

const maxDeleted = { byId: 100, byPrefix: 1000 }

/** Answers `GET /resources/<resource type>[/<type>]`: prefix, public_ids, max_results (1 to 500), next_cursor. */
export function listAssets(
  within: { resourceType: string; type?: string },
  query: URLSearchParams,
  store: AssetStore,
  account: CloudinaryAccount,
  origin: string,
) {
  const max = Number(query.get('max_results') ?? 10)
  if (!Number.isInteger(max) || max < 1 || max > 500) throw new CloudinaryError(400, 'Invalid value for max_results')
  const prefix = query.get('prefix')
  const ids = query.getAll('public_ids[]')

  const order = prefix === null ? newestFirst : byPublicId
  const after = readCursor(query.get('next_cursor'))
  const found = inside(store, within)
    .filter((asset) => prefix === null || asset.publicId.startsWith(prefix))
    .filter((asset) => ids.length === 0 || ids.includes(asset.publicId))
    .sort(order)
    .filter((asset) => !after || order(asset, after) > 0)

  const page = ids.length > 0 ? found : found.slice(0, max)
  const last = page.at(-1)
  const include = { tags: query.get('tags') === 'true', context: query.get('context') === 'true' }
  return {
    resources: page.map((asset) => listedAnswer(asset, account, origin, include)),
    ...(last && page.length < found.length && { next_cursor: writeCursor(last) }),
  }
}

/** Answers `DELETE /resources/<resource type>/<type>` with `public_ids[]` (at most 100), `prefix` or `all`. */
export function deleteAssets(
  within: { resourceType: string; type: string },
  query: URLSearchParams,
  store: AssetStore,
) {
  const ids = [...query.getAll('public_ids[]'), ...query.getAll('public_ids').flatMap((list) => list.split(','))]
  const prefix = query.get('prefix')
  if (ids.length === 0 && prefix === null && query.get('all') !== 'true') {
    throw new CloudinaryError(400, 'Missing required parameter - public_ids, prefix or all')
  }
  if (ids.length > maxDeleted.byId)
    throw new CloudinaryError(400, `Can't delete more than ${maxDeleted.byId} resources at once`)

  const matching = inside(store, within)
    .filter((asset) => (ids.length > 0 ? ids.includes(asset.publicId) : asset.publicId.startsWith(prefix ?? '')))
    .sort(byPublicId)
  const doomed = matching.slice(0, maxDeleted.byPrefix)
  const last = doomed.at(-1)
  for (const asset of doomed) store.remove(asset)

  const deleted = new Map<string, string>(ids.map((id) => [id, 'not_found']))
  for (const asset of doomed) deleted.set(asset.publicId, 'deleted')
  const counts = [...deleted].map(([id, result]) => [id, { original: result === 'deleted' ? 1 : 0, derived: 0 }])
  const partial = doomed.length < matching.length
  return {
    doomed,
    answer: {
      deleted: Object.fromEntries(deleted),
      deleted_counts: Object.fromEntries(counts),
      partial,
      ...(partial && last && { next_cursor: writeCursor(last) }),
    },
  }
}

/** The Admin API's budget: calls an hour, told in every answer's headers. Throws a 420 CloudinaryError when spent. */
export class RateLimit {
  readonly #limit = 2000
  #used = 0
  #resets = 0

  spend(): Record<string, string> {
    const now = Date.now()
    if (now >= this.#resets) {
      this.#used = 0
      this.#resets = (Math.floor(now / 3_600_000) + 1) * 3_600_000
    }
    const reset = new Date(this.#resets).toUTCString()
    if (this.#used >= this.#limit) {
      throw new CloudinaryError(
        420,
        `Rate Limit Exceeded. Limit of ${this.#limit} api operations reached. Try again on ${reset}`,
      )
    }
    this.#used += 1
    return {
      'X-FeatureRateLimit-Limit': String(this.#limit),
      'X-FeatureRateLimit-Remaining': String(this.#limit - this.#used),
      'X-FeatureRateLimit-Reset': reset,
    }
  }
}

function inside(store: AssetStore, { resourceType, type }: { resourceType: string; type?: string }): Asset[] {
  return store.list().filter((asset) => asset.resourceType === resourceType && (!type || asset.type === type))
}

type Place = Pick<Asset, 'createdAt' | 'publicId' | 'type'>

function byPublicId(a: Place, b: Place): number {
  return compare(a.publicId, b.publicId) || compare(a.type, b.type)
}

function newestFirst(a: Place, b: Place): number {
  return b.createdAt - a.createdAt || byPublicId(a, b)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

// The place of the last asset shown, and not a count: deletions between two pages then skip nothing.
function writeCursor({ createdAt, publicId, type }: Asset): string {
  return Buffer.from(JSON.stringify([createdAt, publicId, type])).toString('base64url')
}

function readCursor(cursor: string | null): Place | undefined {
  if (cursor === null) return undefined
  try {
    const [createdAt, publicId, type] = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return { createdAt, publicId, type }
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause
    throw new CloudinaryError(400, 'Invalid value for next_cursor')
  }
}
