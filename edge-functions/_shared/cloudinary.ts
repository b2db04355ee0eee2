import { Buffer } from 'node:buffer'
import { v2 as sdk } from 'cloudinary'
import { formatsOf, headLength, typeOfBytes, typeOfFormat } from './file-type.ts'
import type { Arrived, StoredFile } from './files.ts'
import { fetchOutside, headOf, jsonOf } from './outside.ts'
import { unavailable } from './refusal.ts'
import { setting } from './settings.ts'

// Signed by the SDK, which knows Cloudinary's ways to sign; called with fetch, which knows time limits: the SDK's own are
// followed by retries, and its errors carry the secret.

type Place = Pick<StoredFile, 'public_id' | 'resource_type'>

// No link of ours opens anything of another kind.
const type = 'authenticated'
const uploadPatienceMs = 60_000
const thumbnail = [
  { width: 480, height: 480, crop: 'limit' },
  { quality: 'auto', fetch_format: 'auto' },
]

interface Account {
  cloudName: string
  apiKey: string
  apiSecret: string
  /** Where the API is. */
  origin: string
}

/** @throws one clear line when no account is set. */
export function cloudinaryAccount(): Account {
  setting('CLOUDINARY_URL')
  const { cloud_name = '', api_key = '', api_secret = '', upload_prefix } = sdk.config()
  return {
    cloudName: cloud_name,
    apiKey: api_key,
    apiSecret: api_secret,
    origin: upload_prefix ?? 'https://api.cloudinary.com',
  }
}

/**
 * Where and with which fields a form uploads this one file, for an hour. The signature holds its place and what format it
 * may have; how large it may be, Cloudinary lets nobody sign, so that is looked at when it has arrived. What is there
 * already is not overwritten: a file stays what was verified.
 */
export function signedUpload({ public_id, resource_type }: Place): {
  upload_url: string
  fields: Record<string, string>
} {
  const { cloudName, apiKey, apiSecret, origin } = cloudinaryAccount()
  const params = {
    public_id,
    type,
    overwrite: 'false',
    timestamp: String(Math.floor(Date.now() / 1000)),
    ...(resource_type !== 'raw' && { allowed_formats: formatsOf(resource_type).join(',') }),
  }
  const signature = sdk.utils.api_sign_request(params, apiSecret)
  return {
    upload_url: `${origin}/v1_1/${cloudName}/${resource_type}/upload`,
    fields: { ...params, api_key: apiKey, signature },
  }
}

/** Uploads a file for somebody. Answers what arrived; nothing when Cloudinary does not take it for what it should be. */
export async function uploadToCloudinary(place: StoredFile, file: Blob): Promise<Arrived | undefined> {
  const { upload_url, fields } = signedUpload(place)
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  form.append('file', file, place.file_name)
  const response = await fetchOutside(upload_url, { method: 'POST', body: form }, uploadPatienceMs)
  const answer = await jsonOf<Resource>(response)
  if (response.status === 400) return undefined
  if (!response.ok) throw unavailable(new Error(`Cloudinary answered an upload with ${response.status}.`))
  const head = new Uint8Array(await file.slice(0, headLength).arrayBuffer())
  return arrived(place, answer, () => head)
}

/** What arrived of these files, by attachment id, as Cloudinary tells. What is not in it is not there. */
export async function arrivedAtCloudinary(places: StoredFile[]): Promise<Map<string, Arrived>> {
  const found = await Promise.all(
    (['image', 'video', 'raw'] as const).map((kind) =>
      resources(
        kind,
        places.filter(({ resource_type }) => resource_type === kind),
      ),
    ),
  )
  const all = found.flat()
  const entries = places.map(async (place): Promise<[string, Arrived][]> => {
    const resource = all.find(
      ({ public_id, resource_type }) => public_id === place.public_id && resource_type === place.resource_type,
    )
    if (!resource) return []
    const head = () => firstBytes(place)
    return [[place.attachment_id, await arrived(place, resource, head)]]
  })
  return new Map((await Promise.all(entries)).flat())
}

/** A link to the file itself. */
export function cloudinaryUrl({ public_id, resource_type }: Place, expiresAt: Date): string {
  cloudinaryAccount()
  return sdk.utils.private_download_url(public_id, '', {
    resource_type,
    type,
    expires_at: Math.floor(expiresAt.getTime() / 1000),
  })
}

/** A small picture of a picture. The link is signed and does not expire: it is good until the file is destroyed. */
export function cloudinaryThumbnailUrl({ public_id }: Place): string {
  const { origin } = cloudinaryAccount()
  return sdk.url(public_id, {
    type,
    resource_type: 'image',
    sign_url: true,
    transformation: thumbnail,
    secure: origin.startsWith('https:'),
    urlAnalytics: false,
  })
}

/** What Cloudinary says of a file. */
interface Resource {
  public_id: string
  resource_type: string
  format?: string
  bytes: number
}

// One call for all of a kind: the Admin API counts them.
async function resources(kind: StoredFile['resource_type'], places: StoredFile[]): Promise<Resource[]> {
  if (places.length === 0) return []
  const { cloudName, apiKey, apiSecret, origin } = cloudinaryAccount()
  const query = new URLSearchParams(places.map(({ public_id }) => ['public_ids[]', public_id]))
  const credentials = Buffer.from(`${apiKey}:${apiSecret}`).toString('base64')
  const response = await fetchOutside(`${origin}/v1_1/${cloudName}/resources/${kind}/${type}?${query}`, {
    headers: { authorization: `Basic ${credentials}` },
  })
  const answer = await jsonOf<{ resources?: Resource[] }>(response)
  if (!response.ok || !answer.resources) throw unavailable(new Error(`Cloudinary answered ${response.status}.`))
  return answer.resources
}

// What Cloudinary keeps as it is, it does not look at: we do.
async function arrived(
  { resource_type, mime_type }: StoredFile,
  { format, bytes }: Resource,
  head: () => Uint8Array | Promise<Uint8Array>,
): Promise<Arrived> {
  const mimeType = resource_type === 'raw' ? typeOfBytes(await head(), mime_type) : typeOfFormat(format, mime_type)
  return { mimeType, size: bytes }
}

async function firstBytes(place: Place): Promise<Uint8Array> {
  const url = cloudinaryUrl(place, new Date(Date.now() + 60_000))
  const response = await fetchOutside(url, { headers: { range: `bytes=0-${headLength - 1}` } })
  if (response.ok) return headOf(response, headLength)
  await response.body?.cancel()
  throw unavailable(new Error(`Cloudinary answered a download with ${response.status}.`))
}
