import type { Transaction } from '../postgres/transaction.ts'

/** A row of storage.objects, less what only the database uses. */
export interface ObjectRow {
  id: string
  bucket_id: string
  name: string
  owner: string | null
  owner_id: string | null
  /** The file on disk. Null only in a row that somebody wrote by hand. */
  version: string | null
  metadata: ObjectMetadata | null
  user_metadata: Record<string, unknown> | null
  created_at: Date
  updated_at: Date
  last_accessed_at: Date
}

/** What storage-api writes in `metadata`, and Studio shows. */
export interface ObjectMetadata {
  eTag: string
  /** Bytes. */
  size: number
  mimetype: string
  cacheControl: string
  /** ISO 8601. */
  lastModified: string
  contentLength: number
  httpStatusCode: number
}

/** Where an object is to be, and whose it will be. */
export interface Destination {
  bucketId: string
  name: string
  /** The owner's user id; null leaves an object that is there with its owner. */
  owner: string | null
  /** Replace what is there, instead of refusing. */
  upsert: boolean
}

export type NewContent = Pick<ObjectRow, 'version' | 'metadata' | 'user_metadata'>

const columns = `
  id, bucket_id, name, owner, owner_id, version, metadata, user_metadata, created_at, updated_at, last_accessed_at`

export async function findObject(tx: Transaction, bucketId: string, name: string): Promise<ObjectRow | undefined> {
  const [row] = await findObjects(tx, bucketId, [name])
  return row
}

/** The objects of these names that the caller may see. */
export function findObjects(tx: Transaction, bucketId: string, names: string[]): Promise<ObjectRow[]> {
  return tx.query<ObjectRow>(`select ${columns} from storage.objects where bucket_id = $1 and name = any ($2)`, [
    bucketId,
    names,
  ])
}

/**
 * Writes what an upload would write, for `Database.probe`. Without `returning` unless it is an upsert: that would ask the
 * policies for reading too, and who may only add must be able to.
 */
export async function probeWrite(tx: Transaction, destination: Destination): Promise<void> {
  const row = newRow(destination, { version: null, metadata: null, user_metadata: null })
  await tx.query(destination.upsert ? upsert : insert, row)
}

/**
 * Writes an object's row.
 * @returns the row, and the version whose file it has replaced
 */
export async function writeObject(
  tx: Transaction,
  destination: Destination,
  content: NewContent,
): Promise<{ object: ObjectRow; replaced: string | null }> {
  const row = newRow(destination, content)
  if (!destination.upsert) {
    const [object] = await tx.query<ObjectRow>(`${insert} returning ${columns}`, row)
    if (!object) throw new Error('the object was not written')
    return { object, replaced: null }
  }
  for (;;) {
    // Locked: nobody else replaces it or moves it away meanwhile.
    const [present] = await tx.query<{ version: string | null }>(
      'select version from storage.objects where bucket_id = $1 and name = $2 for update',
      [destination.bucketId, destination.name],
    )
    const [object] = await tx.query<ObjectRow>(present ? upsert : insertNew, row)
    if (object) return { object, replaced: present?.version ?? null }
    // Another upload or move has come first: it is there now, to be locked and replaced.
  }
}

/** Gives an object another name, bucket and owner; undefined when the caller may not see or change it. */
export async function renameObject(
  tx: Transaction,
  source: Pick<Destination, 'bucketId' | 'name'>,
  { bucketId, name, owner }: Omit<Destination, 'upsert'>,
): Promise<ObjectRow | undefined> {
  const [row] = await tx.query<ObjectRow>(
    `update storage.objects set
       bucket_id = $3, name = $4, owner = coalesce($5, owner), owner_id = coalesce($6, owner_id)
     where bucket_id = $1 and name = $2
     returning ${columns}`,
    [source.bucketId, source.name, bucketId, name, asUuid(owner), owner],
  )
  return row
}

/** Deletes those that the caller may, and says which. */
export function deleteObjects(tx: Transaction, bucketId: string, names: string[]): Promise<ObjectRow[]> {
  return tx.query<ObjectRow>(
    `delete from storage.objects where bucket_id = $1 and name = any ($2) returning ${columns}`,
    [bucketId, names],
  )
}

const insert = `
  insert into storage.objects (bucket_id, name, owner, owner_id, version, metadata, user_metadata)
  values ($1, $2, $3, $4, $5, $6, $7)`

const insertNew = `${insert} on conflict (bucket_id, name) do nothing returning ${columns}`

const upsert = `${insert}
  on conflict (bucket_id, name) do update set
    version = excluded.version, metadata = excluded.metadata, user_metadata = excluded.user_metadata,
    owner = coalesce(excluded.owner, objects.owner), owner_id = coalesce(excluded.owner_id, objects.owner_id)
  returning ${columns}`

/** The values of `insert`. */
function newRow({ bucketId, name, owner }: Destination, content: NewContent): unknown[] {
  return [bucketId, name, asUuid(owner), owner, content.version, content.metadata, content.user_metadata]
}

/** Tokens of other issuers have subjects that are no UUIDs: those stand in `owner_id` alone. */
function asUuid(owner: string | null): string | null {
  return owner && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(owner) ? owner : null
}
