import { randomBytes, randomUUID } from 'node:crypto'
import { CloudinaryError } from './account.ts'
import type { Asset, AssetStore, DeliveryType } from './asset-store.ts'
import type { Form } from './form.ts'
import { type Media, recognise } from './media.ts'

const deliveryTypes: readonly string[] = ['upload', 'authenticated', 'private'] satisfies DeliveryType[]

// These would change the stored bytes. Ignoring them would let a caller believe that they work.
const unsupported = ['transformation', 'format', 'moderation', 'eager_async', 'notification_url']

interface Uploaded {
  asset: Asset
  /** `overwrite` was false and the public id taken: `asset` is the old one, the file was dropped. */
  existing: boolean
  overwritten: boolean
}

/** Stores an authorised upload. `requested` is the resource type in the URL. Throws a 400 CloudinaryError. */
export async function upload(form: Form, requested: string, store: AssetStore): Promise<Uploaded> {
  const { params, file } = form
  if (!file) throw new CloudinaryError(400, 'Missing required parameter - file')
  const { type = 'upload', overwrite } = params
  if (!deliveryTypes.includes(type)) throw new CloudinaryError(400, `Invalid type ${type}`)
  const refused = unsupported.find((name) => params[name] && !isFalse(params[name]))
  if (refused) throw new CloudinaryError(400, `The sandbox does not know the upload parameter ${refused}`)

  const media = await classify(file.path, requested)
  const [, basename = 'file', extension = ''] = /^(.+?)(?:\.([^.]*))?$/s.exec(file.filename) ?? []
  checkFormat(media, extension, params.allowed_formats)

  const publicId = choosePublicId(params, basename, media.resourceType === 'raw' ? extension : '')
  const previous = store.find({ publicId, resourceType: media.resourceType, type })
  if (previous && isFalse(overwrite)) return { asset: previous, existing: true, overwritten: false }

  const asset: Asset = {
    ...media,
    publicId,
    type: type as DeliveryType,
    assetId: previous?.assetId ?? hexId(),
    versionId: hexId(),
    version: Math.floor(Date.now() / 1000),
    createdAt: previous?.createdAt ?? Date.now(),
    bytes: file.bytes,
    etag: file.etag,
    assetFolder: params.asset_folder ?? params.folder ?? '',
    displayName: params.display_name ?? publicId.split('/').at(-1) ?? publicId,
    originalFilename: basename,
    tags: (params.tags ?? '').split(',').filter(Boolean),
    context: parseContext(params.context ?? ''),
    eager: (params.eager ?? '').split('|').filter(Boolean),
    blob: `${randomUUID()}.bin`,
  }
  store.save(asset, file)
  return { asset, existing: false, overwritten: previous !== undefined }
}

async function classify(path: string, requested: string): Promise<Media> {
  if (requested === 'raw') return { resourceType: 'raw' }
  const media = await recognise(path)
  if (requested === 'auto') return media ?? { resourceType: 'raw' }
  if (media?.resourceType !== requested) {
    throw new CloudinaryError(400, requested === 'image' ? 'Invalid image file' : 'Unsupported video format or file')
  }
  return media
}

function checkFormat(media: Media, extension: string, allowed: string | undefined): void {
  if (!allowed) return
  const synonyms: Record<string, string> = { jpeg: 'jpg', tif: 'tiff' }
  const canonical = (name: string) => synonyms[name.trim().toLowerCase()] ?? name.trim().toLowerCase()
  const format = canonical(media.format ?? extension)
  if (allowed.split(',').map(canonical).includes(format)) return
  const kind = media.resourceType[0]?.toUpperCase() + media.resourceType.slice(1)
  throw new CloudinaryError(400, `${kind} file format ${format || 'unknown'} not allowed`)
}

function choosePublicId(params: Record<string, string>, basename: string, rawExtension: string): string {
  const { folder, public_id, use_filename, unique_filename } = params
  const prefix = folder ? `${folder.replace(/^\/+|\/+$/g, '')}/` : ''
  if (public_id) {
    if (/[?&#\\%<>+]/.test(public_id) || /^\s|\s$|^\/|\/$/.test(public_id)) {
      throw new CloudinaryError(400, `public_id (${public_id}) is invalid`)
    }
    return prefix + public_id
  }
  const suffix = rawExtension ? `.${rawExtension}` : ''
  if (!use_filename || isFalse(use_filename)) return prefix + randomName(20) + suffix
  const unique = isFalse(unique_filename) ? '' : `_${randomName(6)}`
  return prefix + basename.replace(/[?&#\\%<>+\s]+/g, '_') + unique + suffix
}

/** `a=1|b=2`, with `\=` and `\|` inside values. */
function parseContext(text: string): Record<string, string> {
  const pairs = text.split(/(?<!\\)\|/).filter(Boolean)
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = '', value = ''] = pair.split(/(?<!\\)=(.*)/s)
      return [name, value.replace(/\\([=|])/g, '$1')]
    }),
  )
}

function isFalse(value: string | undefined): boolean {
  return value === 'false' || value === '0'
}

function randomName(length: number): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from(randomBytes(length), (byte) => letters[byte % letters.length]).join('')
}

function hexId(): string {
  return randomBytes(16).toString('hex')
}
