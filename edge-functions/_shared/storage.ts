import type { Database } from './database.ts'
import { headLength, typeOfBytes, unknownType } from './file-type.ts'
import type { Arrived, StoredFile } from './files.ts'
import { headOf, jsonOf } from './outside.ts'
import { Refusal, unavailable } from './refusal.ts'
import { setting } from './settings.ts'

const bucket = 'chat-attachments'

/** A URL that takes the file once, by a plain PUT. Storage keeps it good for two hours. */
export async function storageUploadUrl(caller: Database, { public_id }: StoredFile): Promise<string> {
  const response = await caller.fetch(`/storage/v1/object/upload/sign/${objectPath(public_id)}`, { method: 'POST' })
  const { url } = await answerOf<{ url: string }>(response)
  return publicUrl(url)
}

/** Links to the files themselves, by attachment id. Who has them may read the files: ask SQL first who may. */
export async function storageUrls(
  database: Database,
  files: StoredFile[],
  expiresInSeconds: number,
): Promise<Map<string, string>> {
  if (files.length === 0) return new Map()
  const paths = [...new Set(files.map(({ public_id }) => public_id))]
  const response = await database.fetch(`/storage/v1/object/sign/${bucket}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ expiresIn: expiresInSeconds, paths }),
  })
  const signed = await answerOf<{ path: string; signedURL: string | null }[]>(response)
  const urls = new Map(signed.flatMap(({ path, signedURL }) => (signedURL ? [[path, publicUrl(signedURL)]] : [])))
  return new Map(
    files.flatMap(({ attachment_id, public_id }) => {
      const url = urls.get(public_id)
      return url ? [[attachment_id, url]] : []
    }),
  )
}

/** What arrived of this file; nothing when nothing is there. */
export async function arrivedAtStorage(database: Database, file: StoredFile): Promise<Arrived | undefined> {
  const response = await database.fetch(`/storage/v1/object/authenticated/${objectPath(file.public_id)}`, {
    headers: { range: `bytes=0-${headLength - 1}` },
  })
  if (response.status === 400 || response.status === 404) {
    await response.body?.cancel()
    return undefined
  }
  if (!response.ok) {
    await response.body?.cancel()
    throw unavailable(new Error(`Storage answered a download with ${response.status}.`))
  }
  const [, total] = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '') ?? []
  const size = Number(total ?? response.headers.get('content-length'))
  const servedAs = (response.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  const head = await headOf(response, headLength)
  // Storage shows it to everybody as what its uploader said in the PUT: that is to be what it is, too.
  return { mimeType: servedAs === file.mime_type ? typeOfBytes(head, file.mime_type) : unknownType, size }
}

function objectPath(name: string): string {
  return `${bucket}/${name.split('/').map(encodeURIComponent).join('/')}`
}

function publicUrl(path: string): string {
  return `${setting('SUPABASE_URL')}/storage/v1${path}`
}

async function answerOf<T>(response: Response): Promise<T> {
  const answer = await jsonOf<T & { message?: string }>(response)
  if (response.ok) return answer
  // What a token may not do looks alike for all that is wrong with it.
  if (response.status < 500) {
    throw new Refusal(403, 'not_allowed', 'You cannot do this.', {
      cause: new Error(`Storage answered ${response.status}: ${answer.message}`),
    })
  }
  throw unavailable(new Error(`Storage answered ${response.status}: ${answer.message}`))
}
