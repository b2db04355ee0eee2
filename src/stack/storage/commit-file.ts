import type { Storage } from './context.ts'
import { StorageError } from './errors.ts'
import { service } from './identity.ts'
import { type Destination, type NewContent, type ObjectRow, writeObject } from './object-rows.ts'

/**
 * Makes a written file an object's content: file first, then row, then the file it replaces goes. A crash in between
 * leaves a file that no row names, which the next start sweeps away; never a row without its file.
 */
export async function commitFile(
  { database, files }: Storage,
  operation: string,
  destination: Destination,
  content: NewContent,
): Promise<ObjectRow> {
  const { object, replaced } = await database
    .as(service, operation, (tx) => writeObject(tx, destination, content))
    .catch(async (error) => {
      // Only when the database said no: after a lost connection the row may be there all the same.
      if (error instanceof StorageError) await files.remove([content.version])
      throw error
    })
  await files.remove([replaced])
  return object
}
