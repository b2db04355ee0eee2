import { createHash, randomUUID } from 'node:crypto'
import { constants, createWriteStream } from 'node:fs'
import { copyFile, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { entityTooLarge } from './errors.ts'

interface StoredFile {
  /** Names the file on disk, and the row that owns it. */
  version: string
  /** Bytes. */
  size: number
  eTag: string
}

/**
 * The bytes of all objects, in one folder. A file is named by its version, a UUID of ours, and never by the object: no
 * name can escape the folder, clash with another's, or be too long. Files are written once; a new version is a new file.
 */
export class Files {
  readonly #dir: string

  private constructor(dir: string) {
    this.#dir = dir
  }

  /** Opens the folder, made when it is not there. */
  static async open(dir: string): Promise<Files> {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    return new Files(dir)
  }

  /**
   * Writes a new file, on the disk when it returns. Nothing is left of one that failed.
   * @param limit bytes
   * @throws {StorageError} 413 when there are more
   */
  async write(content: AsyncIterable<Uint8Array>, limit: number): Promise<StoredFile> {
    const version = randomUUID()
    const md5 = createHash('md5')
    let size = 0
    // What is too much is read and dropped: hanging up would cost the client our answer.
    const metered = async function* () {
      for await (const chunk of content) {
        size += chunk.byteLength
        if (size > limit) continue
        md5.update(chunk)
        yield chunk
      }
      if (size > limit) throw entityTooLarge()
    }
    try {
      await pipeline(metered, createWriteStream(this.#path(version), { flags: 'wx', mode: 0o600, flush: true }))
    } catch (error) {
      await this.remove([version])
      throw error
    }
    return { version, size, eTag: `"${md5.digest('hex')}"` }
  }

  /**
   * The bytes from `start` to `end`, the last one included; null when there is no such file.
   */
  async read(version: string, start: number, end: number): Promise<ReadableStream | null> {
    try {
      const file = await open(this.#path(version))
      return Readable.toWeb(file.createReadStream({ start, end })) as ReadableStream
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }

  /** Copies a file to a new version; null when there is no such file. */
  async copy(version: string): Promise<string | null> {
    const copy = randomUUID()
    try {
      await copyFile(this.#path(version), this.#path(copy), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
      return copy
    } catch (error) {
      await this.remove([copy])
      if (isMissing(error)) return null
      throw error
    }
  }

  async remove(versions: (string | null)[]): Promise<void> {
    await Promise.all(versions.map((version) => version && rm(this.#path(version), { force: true })))
  }

  /** Removes all files but those in use: what a crash left between writing a file and its row, or after its row went. */
  async sweep(inUse: Set<string>): Promise<void> {
    await this.remove((await readdir(this.#dir)).filter((version) => !inUse.has(version)))
  }

  #path(version: string): string {
    // Versions come back from a table that others may write to.
    if (!/^[\w-]+$/.test(version)) throw new Error(`not a version: ${version}`)
    return join(this.#dir, version)
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
