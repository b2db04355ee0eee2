import type { Database } from './database.ts'
import type { Files } from './files.ts'
import type { Identity } from './identity.ts'
import type { Signer } from './signer.ts'

/** What the routes share. */
export interface Storage {
  database: Database
  files: Files
  signer: Signer
  /** The most that any file may have, in bytes. */
  fileSizeLimit: number
  /** @throws {StorageError} 403 for a caller with no valid key or token */
  identify(request: Request): Promise<Identity>
}
