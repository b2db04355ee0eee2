import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { type CloudinaryAccount, CloudinaryError } from './account.ts'
import type { Asset, AssetStore } from './asset-store.ts'
import { contentType } from './media.ts'
import { deliverySignatures } from './signature.ts'

export interface Wanted {
  asset: Asset
  /** As it stands in the URL, components joined by `/`; empty for the original. */
  transformation: string
}

/**
 * Finds what `/<cloud>/<resource type>/<type>/[s--…--/][transformation/][v1/]<public id>[.<format>]` asks for and checks
 * its signature. `path` is the path of the URL, not decoded. Throws a 401 or 404 CloudinaryError.
 */
export function resolveDelivery(path: string, account: CloudinaryAccount, store: AssetStore): Wanted {
  const [, cloud, resourceType = '', type = '', ...rest] = path.split('/')
  if (cloud !== account.cloudName) throw new CloudinaryError(404, `cloud_name mismatch`)
  const [, signature] = /^s--([\w-]+)--$/.exec(rest[0] ?? '') ?? []
  const segments = signature ? rest.slice(1) : rest

  const all = readings(segments)
  const signed = ({ transformation, source }: Reading) => (transformation ? `${transformation}/${source}` : source)
  const possible = signature
    ? all.filter((reading) => deliverySignatures(signed(reading), account.apiSecret).includes(signature))
    : all
  // Documented: status 401. The words are ours.
  if (possible.length === 0) throw new CloudinaryError(401, 'Invalid delivery signature')

  for (const { transformation, source } of possible) {
    // A derivative of a `private` asset is public; `authenticated` protects derivatives too.
    const isOpen = type === 'upload' || (type === 'private' && transformation !== '')
    const asset = signature || isOpen ? named(decode(source), resourceType, type, store) : undefined
    if (asset) return { asset, transformation }
  }
  if (!signature && type !== 'upload') {
    throw new CloudinaryError(401, `Unsigned delivery of type ${type} is not allowed`)
  }
  throw new CloudinaryError(404, `Resource not found - ${decode(possible[0]?.source ?? '')}`)
}

interface Reading {
  transformation: string
  source: string
}

// A folder may look like a transformation (`ab_cd/photo`) or like a version, so a path has several readings; the one
// with the fewest transformations that names an asset wins.
function readings(segments: string[]): Reading[] {
  const found: Reading[] = []
  for (let count = 0; count < segments.length; count++) {
    const transformation = segments.slice(0, count).join('/')
    const [next = '', ...after] = segments.slice(count)
    const version = /^v\d+$/.test(next) && after.length > 0
    if (version) found.push({ transformation, source: after.join('/') })
    found.push({ transformation, source: [next, ...after].join('/') })
    if (!/^([a-z]{1,3}_[^/]+)(,[a-z]{1,3}_[^/]+)*$/.test(next)) break
  }
  return found
}

function decode(source: string): string {
  try {
    return decodeURIComponent(source)
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause
    throw new CloudinaryError(400, 'Invalid URL encoding')
  }
}

function named(name: string, resourceType: string, type: string, store: AssetStore): Asset | undefined {
  const exact = store.find({ resourceType, type, publicId: name })
  if (exact || resourceType === 'raw') return exact
  return store.find({ resourceType, type, publicId: name.replace(/\.\w+$/, '') })
}

/**
 * The bytes of an asset. The sandbox transforms nothing: whatever size or format was asked for, these are the bytes that
 * were uploaded, and the header `X-Sandbox-Transformation: ignored` says so.
 */
export async function deliver(
  wanted: Wanted,
  store: AssetStore,
  request: Request,
  attachment?: string,
): Promise<Response> {
  const { asset, transformation } = wanted
  const headers = new Headers({
    'Content-Type': contentType(asset),
    'Content-Length': String(asset.bytes),
    ETag: `"${asset.etag}"`,
    'Last-Modified': new Date(asset.version * 1000).toUTCString(),
    'Cache-Control':
      asset.type === 'upload' ? 'public, no-transform, max-age=2592000' : 'private, no-transform, max-age=0',
    // Uploaded by strangers and served from loopback: a page or a script must stay a file.
    'X-Content-Type-Options': 'nosniff',
  })
  if (transformation) headers.set('X-Sandbox-Transformation', 'ignored')
  const [, flag, named] = /(?:^|[,/])(fl_attachment)(?::([^,/]+))?/.exec(transformation) ?? []
  const filename = attachment ?? named ?? (flag && (asset.publicId.split('/').at(-1) ?? ''))
  if (filename !== undefined) {
    const extension = asset.format ? `.${asset.format}` : ''
    headers.set('Content-Disposition', `attachment; filename*=UTF-8''${encodeURIComponent(filename + extension)}`)
  }

  if (request.headers.get('if-none-match') === headers.get('etag')) return new Response(null, { status: 304, headers })
  if (request.method === 'HEAD') return new Response(null, { headers })
  // Opened before the first byte: a missing file is then an answer, and not half of one.
  const file = await open(store.path(asset))
  const bytes = Readable.toWeb(file.createReadStream()) as ReadableStream<Uint8Array<ArrayBuffer>>
  return new Response(bytes, { headers })
}
