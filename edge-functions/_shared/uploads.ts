import { Buffer } from 'node:buffer'
import { z } from 'zod'
import { type Attachment, attachmentsOf } from './attachments.ts'
import { readAtMost } from './body.ts'
import type { Caller } from './caller.ts'
import { arrivedAtCloudinary, cloudinaryAccount, signedUpload, uploadToCloudinary } from './cloudinary.ts'
import { serviceDatabase } from './database.ts'
import type { Arrived, StoredFile } from './files.ts'
import { Refusal } from './refusal.ts'
import { arrivedAtStorage, storageUploadUrl } from './storage.ts'

/** Files as they are announced. Shape only: what may be sent is decided in SQL. */
export const announcedFiles = z
  .array(z.object({ file_name: z.string(), mime_type: z.string(), size_bytes: z.int() }))
  .min(1)
  .max(100)
export type AnnouncedFiles = z.infer<typeof announcedFiles>

/** How a client uploads one file: a form of `fields` and then `file`, posted to `upload_url`. */
export interface Upload {
  attachment_id: string
  file_name: string
  upload_url: string
  fields: Record<string, string>
}

/**
 * Announces files that the caller is to upload to Cloudinary for a chat: all or none.
 *
 * @throws Refusal `files_refused` with each that may not be sent
 */
export async function announceUploads(caller: Caller, roomId: string, files: AnnouncedFiles): Promise<Upload[]> {
  cloudinaryAccount()
  const announced = await announce(caller, roomId, files, 'cloudinary')
  return announced.map((file) => ({
    attachment_id: file.attachment_id,
    file_name: file.file_name,
    ...signedUpload(file),
  }))
}

/**
 * A URL that takes one file by a plain PUT, into Supabase Storage, and the key under which it is sent to a chat that is
 * named only then.
 *
 * @throws Refusal
 */
export async function generateUploadUrl(
  caller: Caller,
  { filename, filetype }: { filename: string; filetype: string },
): Promise<{ upload_url: string; file_key: string }> {
  const [file] = await announce(caller, null, [{ file_name: filename, mime_type: filetype }], 'supabase')
  if (!file) throw new Error('A file was announced, and nothing came of it.')
  return { upload_url: await storageUploadUrl(caller, file), file_key: file.public_id }
}

/**
 * Looks at what has arrived of the caller's uploads, so that they can be sent. Ids of others, and of what was sent before,
 * are passed over: the send itself judges them.
 *
 * @throws Refusal `attachment_not_verified` for what has not arrived, `files_refused` for what is not as announced
 */
export async function verifyUploads(caller: Caller, attachmentIds: string[]): Promise<void> {
  if (attachmentIds.length === 0) return
  // With the service's key, as all that verifies. It counts how often somebody has files looked at.
  const files = await serviceDatabase().rpc<StoredFile[]>('pending_uploads', {
    p_user_id: caller.id,
    p_attachment_ids: attachmentIds,
  })
  await record(files, await arrivalOf(caller, files))
}

/** The same, and shows the files as a message would. @throws Refusal */
export async function completeUploads(caller: Caller, attachmentIds: string[]): Promise<Attachment[]> {
  await verifyUploads(caller, attachmentIds)
  return attachmentsOf(caller, attachmentIds)
}

/**
 * The id to send the file by that was uploaded under this key. Whose it is, the send looks at.
 *
 * @throws Refusal when it is none that the caller sees.
 */
export async function attachmentOfKey(caller: Caller, fileKey: string): Promise<string> {
  const key = encodeURIComponent(fileKey)
  const [asset] = await caller.rows<{ id: string }[]>(`media_assets?provider=eq.supabase&public_id=eq.${key}&select=id`)
  if (!asset) throw new Refusal(404, 'attachment_not_found', 'There is no such file.')
  return asset.id
}

/**
 * Uploads files that came in the body of a request, for clients that know no other way. They lie in memory: see
 * readUploadForm.
 *
 * @throws Refusal
 */
export async function passUploadsOn(caller: Caller, roomId: string, files: File[]): Promise<Attachment[]> {
  cloudinaryAccount()
  const announced = await announce(
    caller,
    roomId,
    files.map(({ name, type, size }) => ({ file_name: name, mime_type: type, size_bytes: size })),
    'cloudinary',
  )
  const arrived = await Promise.all(
    announced.map(async (place, index): Promise<[string, Arrived][]> => {
      const result = await uploadToCloudinary(place, files[index] as File)
      return result ? [[place.attachment_id, result]] : []
    }),
  )
  await record(announced, new Map(arrived.flat()), notTaken)
  return attachmentsOf(
    caller,
    announced.map(({ attachment_id }) => attachment_id),
  )
}

const passedOn = { bytes: 8 * 1024 * 1024, formBytes: 64 * 1024, parts: 100 }

/**
 * The parts named `files` of a `multipart/form-data` body, of at most 8 MB in all. It has at most 100 parts, which are
 * counted before any of them is read: each costs time, however short it is.
 *
 * @throws Refusal `use_direct_upload` when it is more, `too_many_parts`
 */
export async function readUploadForm(request: Request): Promise<File[]> {
  const tooLarge = () =>
    new Refusal(413, 'use_direct_upload', 'Announce files of more than 8 MB in all as JSON, and upload them directly.')
  const limit = passedOn.bytes + passedOn.formBytes
  const bytes = await readAtMost(request, limit, tooLarge)
  const form = await formOf(bytes, boundaryOf(request))
  const files = form.getAll('files').filter((part) => part instanceof File)
  if (files.length === 0) {
    throw new Refusal(400, 'invalid_input', 'Please check what you sent.', { fields: { files: 'There is no file.' } })
  }
  if (files.reduce((sum, file) => sum + file.size, 0) > passedOn.bytes) throw tooLarge()
  return files
}

function boundaryOf(request: Request): string {
  const [, quoted, plain] =
    /;\s*boundary=(?:"([^"\\]{1,70})"|([^\s;"]{1,70}))/i.exec(request.headers.get('content-type') ?? '') ?? []
  const boundary = quoted ?? plain
  if (boundary) return boundary
  throw notAForm()
}

async function formOf(bytes: ArrayBuffer, boundary: string): Promise<FormData> {
  const body = Buffer.from(bytes)
  // One more ends the last part.
  let left = passedOn.parts + 1
  for (let at = body.indexOf(`--${boundary}`); at !== -1; at = body.indexOf(`--${boundary}`, at + 1)) {
    if (left === 0) throw new Refusal(400, 'too_many_parts', `A form has at most ${passedOn.parts} parts.`)
    left -= 1
  }
  // Read by the boundary that was counted, whatever else the request says.
  const headers = { 'content-type': `multipart/form-data; boundary="${boundary}"` }
  return await new Response(bytes, { headers }).formData().catch(() => {
    throw notAForm()
  })
}

function notAForm(): Refusal {
  return new Refusal(400, 'invalid_form', 'The body is no form.')
}

interface Announced {
  uploads: StoredFile[]
  refused: { file_name: string; error: string; message: string }[]
}

// With the service's key: who may announce and verify could promise anything, so people do neither for themselves.
async function announce(
  caller: Caller,
  roomId: string | null,
  files: { file_name: string; mime_type: string; size_bytes?: number }[],
  provider: StoredFile['provider'],
): Promise<StoredFile[]> {
  const { uploads, refused } = await serviceDatabase().rpc<Announced>('create_attachments', {
    p_user_id: caller.id,
    p_room_id: roomId,
    p_files: files,
    p_provider: provider,
  })
  if (refused.length > 0) throw filesRefused(refused)
  return uploads
}

async function arrivalOf(caller: Caller, files: StoredFile[]): Promise<Map<string, Arrived>> {
  const inStorage = files.filter(({ provider }) => provider === 'supabase')
  const [atCloudinary, ...others] = await Promise.all([
    arrivedAtCloudinary(files.filter(({ provider }) => provider === 'cloudinary')),
    ...inStorage.map(async (file): Promise<[string, Arrived][]> => {
      const arrived = await arrivedAtStorage(caller, file)
      return arrived ? [[file.attachment_id, arrived]] : []
    }),
  ])
  return new Map([...atCloudinary, ...others.flat()])
}

interface Verdict {
  error: string | null
  message: string | null
}
const notArrived: Verdict = { error: 'attachment_not_verified', message: 'This file has not arrived.' }
const notTaken: Verdict = { error: 'file_type_not_allowed', message: 'This file is not what its type says.' }

// Each is judged by itself: what is good stays verified beside what is not.
async function record(files: StoredFile[], arrived: Map<string, Arrived>, missing = notArrived): Promise<void> {
  const database = serviceDatabase()
  const verdicts = await Promise.all(
    files.map(async ({ attachment_id, file_name }) => {
      const found = arrived.get(attachment_id)
      if (!found) return { attachment_id, file_name, ...missing }
      const { error, message } = await database.rpc<Verdict>('verify_attachment', {
        p_attachment_id: attachment_id,
        p_mime_type: found.mimeType,
        p_size_bytes: found.size,
      })
      return { attachment_id, file_name, error, message }
    }),
  )
  const refused = verdicts.filter(({ error }) => error !== null)
  if (refused.length === 0) return
  if (refused.some(({ error }) => error !== notArrived.error)) throw filesRefused(refused)
  throw new Refusal(409, 'attachment_not_verified', 'Some of these files have not arrived.', { refused })
}

function filesRefused(refused: object[]): Refusal {
  return new Refusal(400, 'files_refused', 'Some of these files cannot be sent.', { refused })
}
