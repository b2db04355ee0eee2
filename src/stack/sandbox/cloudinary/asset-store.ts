import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CloudinaryError } from './account.ts'
import type { Media } from './media.ts'
import type { ReceivedFile } from './received-file.ts'

export type DeliveryType = 'upload' | 'authenticated' | 'private'

/** Which file: no two assets share all three. */
export interface AssetKey {
  resourceType: string
  type: string
  publicId: string
}

export interface Asset extends Media {
  assetId: string
  publicId: string
  type: DeliveryType
  bytes: number
  etag: string
  /** Unix seconds of the last upload. */
  version: number
  versionId: string
  /** Unix milliseconds of the first upload. */
  createdAt: number
  assetFolder: string
  displayName: string
  originalFilename: string
  tags: string[]
  context: Record<string, string>
  /** Transformations asked for at upload. */
  eager: string[]
  /** Name of the file that holds the bytes. */
  blob: string
}

// More than a demo or a test run needs, and little enough for a laptop. Beyond, uploads are refused, as a full
// account refuses them: dropping the oldest would delete what a chat still shows.
const maxAssets = 10_000
const maxBytes = 2 * 1024 ** 3

/**
 * Assets by key, in memory and on disk: `<blob>` holds the bytes and `<asset id>.json` says what they are.
 * A rename makes each visible, so that a crash leaves the old state or the new one.
 */
export class AssetStore {
  readonly folder: string
  readonly #assets = new Map<string, Asset>()
  #bytes = 0

  /** Reads what an earlier run left in `folder`, and removes files that no asset owns. */
  constructor(folder: string) {
    this.folder = folder
    mkdirSync(folder, { recursive: true })
    const files = readdirSync(folder)
    for (const name of files.filter((file) => file.endsWith('.json'))) {
      this.#remember(JSON.parse(readFileSync(join(folder, name), 'utf8')))
    }
    const owned = new Set(this.list().flatMap((asset) => [asset.blob, `${asset.assetId}.json`]))
    for (const name of files.filter((file) => !owned.has(file))) rmSync(join(folder, name), { recursive: true })
  }

  find(key: AssetKey): Asset | undefined {
    return this.#assets.get(index(key))
  }

  list(): Asset[] {
    return [...this.#assets.values()]
  }

  path(asset: Asset): string {
    return join(this.folder, asset.blob)
  }

  /** Takes `file` over as the bytes of `asset`, in place of an asset of the same key. Throws a 400 when full. */
  save(asset: Asset, file: ReceivedFile): void {
    const previous = this.find(asset)
    if (this.#assets.size >= maxAssets && !previous)
      throw new CloudinaryError(400, `The sandbox is full: ${maxAssets} assets`)
    if (this.#bytes + file.bytes > maxBytes) throw new CloudinaryError(400, `The sandbox is full: ${maxBytes} bytes`)

    renameSync(file.path, this.path(asset))
    const draft = join(this.folder, `${asset.assetId}.draft`)
    writeFileSync(draft, JSON.stringify(asset))
    renameSync(draft, join(this.folder, `${asset.assetId}.json`))
    if (previous) {
      this.#bytes -= previous.bytes
      rmSync(this.path(previous), { force: true })
    }
    this.#remember(asset)
  }

  remove(asset: Asset): void {
    rmSync(join(this.folder, `${asset.assetId}.json`), { force: true })
    rmSync(this.path(asset), { force: true })
    this.#assets.delete(index(asset))
    this.#bytes -= asset.bytes
  }

  clear(): void {
    for (const asset of this.list()) this.remove(asset)
  }

  #remember(asset: Asset): void {
    this.#assets.set(index(asset), asset)
    this.#bytes += asset.bytes
  }
}

function index({ resourceType, type, publicId }: AssetKey): string {
  return `${resourceType}/${type}/${publicId}`
}
