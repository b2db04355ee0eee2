import { makeZip } from 'client-zip'
import { signed } from './attachments.ts'
import type { Database } from './database.ts'
import { safeName } from './file-name.ts'
import type { StoredFile } from './files.ts'
import { reason } from './log.ts'
import { fetchOutside } from './outside.ts'
import { unavailable } from './refusal.ts'

/**
 * A ZIP of all files in a chat that the caller may see, as a stream: one file after the other goes through, and none lies
 * in memory whole. When a file breaks off half-way so does the answer, rather than look complete.
 *
 * @throws Refusal, before the first byte
 */
export async function archiveOf(caller: Database, roomId: string): Promise<Response> {
  const files = await caller.rpc<(StoredFile & { sent_at: string })[]>('room_attachments', { p_room_id: roomId })
  const urls = new Map((await signed(files)).map(({ attachment_id, url }) => [attachment_id, url]))
  const names = uniqueNames(files.map(({ file_name, mime_type }) => safeName(file_name, mime_type)))
  const open = (file: StoredFile) => openFile(file, urls.get(file.attachment_id))
  // Opened now, so that what does not work at all is a refusal and no broken archive.
  const first = files[0] && (await open(files[0]))

  async function* entries() {
    try {
      for (const [index, file] of files.entries()) {
        const input = index === 0 && first ? first : await open(file)
        yield { name: names[index], lastModified: new Date(file.sent_at), input }
      }
    } catch (error) {
      // The answer is under way: it can only break off, and the log alone can say why.
      console.error(JSON.stringify({ event: 'archive broke off', room_id: roomId, reason: reason(error) }))
      throw error
    }
  }
  return new Response(makeZip(entries()), {
    headers: {
      'content-type': 'application/zip',
      'content-disposition': `attachment; filename="attachments-${roomId}.zip"`,
      'cache-control': 'no-store',
    },
  })
}

async function openFile(file: StoredFile, url: string | undefined): Promise<ReadableStream<Uint8Array>> {
  if (!url) throw unavailable(new Error(`The file ${file.attachment_id} is not there.`))
  const response = await fetchOutside(url)
  if (response.ok && response.body) return response.body
  await response.body?.cancel()
  throw unavailable(new Error(`The file ${file.attachment_id} answered ${response.status}.`))
}

/** `photo.jpg`, `photo (2).jpg`: also where capitals and small letters are the same. */
export function uniqueNames(names: string[]): string[] {
  const taken = new Set<string>()
  return names.map((name) => {
    const [, stem = name, ending = ''] = /^(.+?)(\.[^.]*)?$/s.exec(name) ?? []
    for (let count = 1; ; count++) {
      const candidate = count === 1 ? `${stem}${ending}` : `${stem} (${count})${ending}`
      const key = candidate.normalize('NFC').toLowerCase()
      if (taken.has(key)) continue
      taken.add(key)
      return candidate
    }
  })
}
