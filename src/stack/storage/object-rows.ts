import type { TransactionSql } from 'postgres'

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

// biome-ignore format: one list
const columns = [
  'id', 'bucket_id', 'name', 'owner', 'owner_id', 'version', 'metadata', 'user_metadata',
  'created_at', 'updated_at', 'last_accessed_at',
] as const

export async function findObject(sql: TransactionSql, bucketId: string, name: string): Promise<ObjectRow | undefined> {
  const [row] = await sql<ObjectRow[]>`
    select ${sql(columns)} from storage.objects where bucket_id = ${bucketId} and name = ${name}`
  return row
}

/** The objects of these names that the caller may see. */
export function findObjects(sql: TransactionSql, bucketId: string, names: string[]): Promise<ObjectRow[]> {
  return sql<ObjectRow[]>`
    select ${sql(columns)} from storage.objects where bucket_id = ${bucketId} and name = any (${names})`
}

/**
 * Writes what an upload would write, for `Database.probe`. Without `returning` unless it is an upsert: that would ask the
 * policies for reading too, and who may only add must be able to.
 */
export async function probeWrite(sql: TransactionSql, destination: Destination): Promise<void> {
  const row = newRow(sql, destination, { version: null, metadata: null, user_metadata: null })
  if (destination.upsert) await upsertRow(sql, row)
  else await sql`insert into storage.objects ${row}`
}

/**
 * Writes an object's row.
 * @returns the row, and the version whose file it has replaced
 */
export async function writeObject(
  sql: TransactionSql,
  destination: Destination,
  content: NewContent,
): Promise<{ object: ObjectRow; replaced: string | null }> {
  const row = newRow(sql, destination, content)
  const replaced = destination.upsert ? await lockVersion(sql, destination) : null
  const [object] = destination.upsert
    ? await upsertRow(sql, row)
    : await sql<ObjectRow[]>`insert into storage.objects ${row} returning ${sql(columns)}`
  if (!object) throw new Error('the object was not written')
  return { object, replaced }
}

/** The version that is about to be replaced, which nobody else replaces or moves away meanwhile. */
async function lockVersion(sql: TransactionSql, { bucketId, name }: Destination): Promise<string | null> {
  // Where there is no row yet, there is none to lock.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${bucketId}/${name}`}, 0))`
  const [row] = await sql<{ version: string | null }[]>`
    select version from storage.objects where bucket_id = ${bucketId} and name = ${name} for update`
  return row?.version ?? null
}

/** Gives an object another name, bucket and owner; undefined when the caller may not see or change it. */
export async function renameObject(
  sql: TransactionSql,
  source: Pick<Destination, 'bucketId' | 'name'>,
  { bucketId, name, owner }: Omit<Destination, 'upsert'>,
): Promise<ObjectRow | undefined> {
  const [row] = await sql<ObjectRow[]>`
    update storage.objects set
      bucket_id = ${bucketId}, name = ${name},
      owner = coalesce(${asUuid(owner)}, owner), owner_id = coalesce(${owner}, owner_id)
    where bucket_id = ${source.bucketId} and name = ${source.name}
    returning ${sql(columns)}`
  return row
}

/** Deletes those that the caller may, and says which. */
export function deleteObjects(sql: TransactionSql, bucketId: string, names: string[]): Promise<ObjectRow[]> {
  return sql<ObjectRow[]>`
    delete from storage.objects where bucket_id = ${bucketId} and name = any (${names}) returning ${sql(columns)}`
}

function newRow(sql: TransactionSql, { bucketId, name, owner }: Destination, content: NewContent) {
  return sql({
    bucket_id: bucketId,
    name,
    owner: asUuid(owner),
    owner_id: owner,
    version: content.version,
    metadata: content.metadata && sql.json({ ...content.metadata }),
    user_metadata: content.user_metadata && sql.json(content.user_metadata as Record<string, never>),
  })
}

function upsertRow(sql: TransactionSql, row: ReturnType<typeof newRow>): Promise<ObjectRow[]> {
  return sql<ObjectRow[]>`
    insert into storage.objects ${row}
    on conflict (bucket_id, name) do update set
      version = excluded.version, metadata = excluded.metadata, user_metadata = excluded.user_metadata,
      owner = coalesce(excluded.owner, objects.owner), owner_id = coalesce(excluded.owner_id, objects.owner_id)
    returning ${sql(columns)}`
}

/** Tokens of other issuers have subjects that are no UUIDs: those stand in `owner_id` alone. */
function asUuid(owner: string | null): string | null {
  return owner && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(owner) ? owner : null
}
