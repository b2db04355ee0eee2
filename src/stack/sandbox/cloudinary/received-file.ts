import { createHash, randomUUID } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CloudinaryError } from './account.ts'

/** Bytes: what Cloudinary takes in one request; more must come in chunks, which the sandbox does not take. */
const maxFileSize = 100 * 1024 * 1024

/** An uploaded file that no asset owns yet. */
export interface ReceivedFile {
  path: string
  /** Name the client gave, with extension. */
  filename: string
  bytes: number
  /** MD5, hexadecimal. */
  etag: string
  discard(): Promise<void>
}

/** Writes `chunks` to a new file in `folder` as they come. Throws a 400 CloudinaryError when they are too many or none. */
export async function receiveFile(
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  folder: string,
  filename: string,
): Promise<ReceivedFile> {
  const path = join(folder, `${randomUUID()}.part`)
  const discard = () => rm(path, { force: true })
  const hash = createHash('md5')
  let bytes = 0
  try {
    const file = await open(path, 'wx')
    try {
      for await (const chunk of chunks) {
        bytes += chunk.length
        // Read to the end even when it is too much: a client that is still sending hears no answer.
        if (bytes > maxFileSize) continue
        hash.update(chunk)
        await file.writeFile(chunk)
      }
    } finally {
      await file.close()
    }
    if (bytes === 0) throw new CloudinaryError(400, 'Empty file')
    if (bytes > maxFileSize) {
      throw new CloudinaryError(400, `File size too large. Got ${bytes}. Maximum is ${maxFileSize}.`)
    }
  } catch (error) {
    await discard()
    throw error
  }
  return { path, filename, bytes, etag: hash.digest('hex'), discard }
}
