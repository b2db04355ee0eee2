import { cloudinaryThumbnailUrl, cloudinaryUrl } from './cloudinary.ts'
import { type Database, serviceDatabase } from './database.ts'
import type { StoredFile } from './files.ts'
import { reason } from './log.ts'
import { Refusal } from './refusal.ts'
import { storageUrls } from './storage.ts'

/** A file of a message, as every door shows it. */
export interface Attachment {
  id: string
  file_name: string
  mime_type: string
  size_bytes: number
  url: string | null
  thumbnail_url: string | null
}

export interface SignedUrl {
  attachment_id: string
  url: string
  thumbnail_url: string | null
  expires_at: string
}

const lifetimeSeconds = 300

/**
 * Links of five minutes to files that the caller may see, in the order of the ids.
 *
 * @throws Refusal when there is one that the caller may not see.
 */
export async function signAttachments(caller: Database, attachmentIds: string[]): Promise<SignedUrl[]> {
  const files = await visibleFiles(caller, attachmentIds, true)
  const urls = await signed(files)
  if (urls.length < files.length) throw new Refusal(404, 'attachment_not_found', 'There is no such file.')
  return urls
}

/** The files as a message shows them, with their links. @throws Refusal as signAttachments */
export async function attachmentsOf(caller: Database, attachmentIds: string[]): Promise<Attachment[]> {
  const files = await visibleFiles(caller, attachmentIds, true)
  const attachments = files.map(({ attachment_id, file_name, mime_type, size_bytes }) => ({
    id: attachment_id,
    file_name,
    mime_type,
    size_bytes,
    url: null,
    thumbnail_url: null,
  }))
  return linked(attachments, await signed(files))
}

/**
 * These messages, of SQL's, with the links of their files filled in: one question for all of them, and none when they have
 * no files. It never fails: a file without its link keeps its null. Messages are of use without, and after a send an error
 * would say that there was none.
 */
export async function withUrls<M extends { attachments: Attachment[] }>(caller: Database, messages: M[]): Promise<M[]> {
  const ids = messages.flatMap(({ attachments }) => attachments.map(({ id }) => id))
  if (ids.length === 0) return messages
  const urls = await linksOf(caller, ids)
  return messages.map((message) => ({ ...message, attachments: linked(message.attachments, urls) }))
}

function linked(attachments: Attachment[], urls: SignedUrl[]): Attachment[] {
  const byId = new Map(urls.map((url) => [url.attachment_id, url]))
  return attachments.map((attachment) => {
    const { url = null, thumbnail_url = null } = byId.get(attachment.id) ?? {}
    return { ...attachment, url, thumbnail_url }
  })
}

async function linksOf(caller: Database, ids: string[]): Promise<SignedUrl[]> {
  try {
    return await signed(await visibleFiles(caller, ids, false))
  } catch (error) {
    console.error(JSON.stringify({ event: 'messages without links', reason: reason(error) }))
    return []
  }
}

function visibleFiles(caller: Database, ids: string[], requireAll: boolean): Promise<StoredFile[]> {
  return caller.rpc('get_attachments', { p_attachment_ids: ids, p_require_all: requireAll })
}

/** Only for files that SQL has shown to the caller. One that is not where it should be has none. */
export async function signed(files: StoredFile[]): Promise<SignedUrl[]> {
  const expiresAt = new Date(Date.now() + lifetimeSeconds * 1000)
  // With the service's key: SQL has said that the caller may see them, also in a guest's chat of the past, which the
  // bucket's policies no longer show to the hotel.
  const inStorage = files.filter(({ provider }) => provider === 'supabase')
  const links = inStorage.length > 0 ? await storageUrls(serviceDatabase(), inStorage, lifetimeSeconds) : new Map()
  return files.flatMap((file) => {
    const url = file.provider === 'cloudinary' ? cloudinaryUrl(file, expiresAt) : links.get(file.attachment_id)
    if (!url) return []
    return [
      { attachment_id: file.attachment_id, url, thumbnail_url: thumbnailOf(file), expires_at: expiresAt.toISOString() },
    ]
  })
}

// Storage makes small pictures on paid plans alone.
function thumbnailOf(file: StoredFile): string | null {
  return file.provider === 'cloudinary' && file.mime_type.startsWith('image/') ? cloudinaryThumbnailUrl(file) : null
}
