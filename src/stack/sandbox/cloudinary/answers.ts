import type { CloudinaryAccount } from './account.ts'
import type { Asset } from './asset-store.ts'
import { answerSignature, deliverySignatures } from './signature.ts'

/** The delivery URL, signed where the delivery type asks for it. Plain HTTP under both names: the sandbox has no certificate. */
function deliveryUrl(asset: Asset, account: CloudinaryAccount, origin: string, transformation?: string): string {
  const id = encodeURIComponent(asset.publicId).replaceAll('%2F', '/').replaceAll('%3A', ':')
  const source = asset.format ? `${id}.${asset.format}` : id
  const path = transformation ? `${transformation}/${source}` : source
  const signature = asset.type === 'upload' ? [] : [`s--${deliverySignatures(path, account.apiSecret)[0]}--`]
  const parts = [
    account.cloudName,
    asset.resourceType,
    asset.type,
    ...signature,
    ...(transformation ? [transformation] : []),
  ]
  return [origin, ...parts, `v${asset.version}`, source].join('/')
}

function urls(asset: Asset, account: CloudinaryAccount, origin: string, transformation?: string) {
  const url = deliveryUrl(asset, account, origin, transformation)
  return { url, secure_url: url }
}

function described(asset: Asset) {
  return {
    asset_id: asset.assetId,
    public_id: asset.publicId,
    ...(asset.format && { format: asset.format }),
    version: asset.version,
    resource_type: asset.resourceType,
    type: asset.type,
    created_at: new Date(asset.createdAt).toISOString().replace(/\.\d+Z$/, 'Z'),
    bytes: asset.bytes,
    ...(asset.width && { width: asset.width, height: asset.height }),
    asset_folder: asset.assetFolder,
    display_name: asset.displayName,
    access_mode: asset.type === 'upload' ? 'public' : 'authenticated',
  }
}

/** What `upload` answers. */
export function uploadAnswer(asset: Asset, account: CloudinaryAccount, origin: string) {
  return {
    ...described(asset),
    version_id: asset.versionId,
    signature: answerSignature(asset.publicId, asset.version, account.apiSecret),
    tags: asset.tags,
    ...(Object.keys(asset.context).length > 0 && { context: { custom: asset.context } }),
    etag: asset.etag,
    placeholder: false,
    ...urls(asset, account, origin),
    original_filename: asset.originalFilename,
    ...(asset.eager.length > 0 && {
      eager: asset.eager.map((transformation) => derived(asset, account, origin, transformation)),
    }),
    api_key: account.apiKey,
  }
}

// The sandbox transforms nothing: a derived image is the original, so it says the original's size.
function derived(asset: Asset, account: CloudinaryAccount, origin: string, transformation: string) {
  const { bytes, format, width, height } = asset
  return { transformation, width, height, bytes, format, ...urls(asset, account, origin, transformation) }
}

/** One asset in the Admin API's lists. */
export function listedAnswer(
  asset: Asset,
  account: CloudinaryAccount,
  origin: string,
  include: { tags: boolean; context: boolean },
) {
  return {
    ...described(asset),
    ...(include.tags && { tags: asset.tags }),
    ...(include.context && Object.keys(asset.context).length > 0 && { context: { custom: asset.context } }),
    ...urls(asset, account, origin),
  }
}

/** One asset looked up by the Admin API. */
export function resourceAnswer(asset: Asset, account: CloudinaryAccount, origin: string) {
  return {
    ...listedAnswer(asset, account, origin, { tags: true, context: true }),
    etag: asset.etag,
    original_filename: asset.originalFilename,
    derived: asset.eager.map((transformation) => derived(asset, account, origin, transformation)),
  }
}
