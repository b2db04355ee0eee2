import type { Transaction } from '../postgres/transaction.ts'

/** A row of storage.buckets. */
export interface Bucket {
  id: string
  name: string
  owner: string | null
  public: boolean
  type: string
  /** Bytes; null leaves the limit of all buckets. */
  file_size_limit: number | null
  /** Null allows any. */
  allowed_mime_types: string[] | null
  created_at: Date
  updated_at: Date
}

export interface BucketQuery {
  search: string
  column: 'id' | 'name' | 'created_at' | 'updated_at'
  descending: boolean
  /** Null for all. */
  limit: number | null
  offset: number
}

/** What a caller sets of a bucket; what is undefined stays as it is, or gets the table's default. */
export interface BucketSettings {
  public?: boolean | undefined
  file_size_limit?: number | null | undefined
  allowed_mime_types?: string[] | null | undefined
}

const columns = `
  id, name, owner, public, type, file_size_limit::float8 as file_size_limit, allowed_mime_types, created_at, updated_at`

export async function findBucket(tx: Transaction, id: string): Promise<Bucket | undefined> {
  const [row] = await tx.query<Bucket>(`select ${columns} from storage.buckets where id = $1`, [id])
  return row
}

export function listBuckets(tx: Transaction, query: BucketQuery): Promise<Bucket[]> {
  const pattern = `%${query.search.replace(/[\\%_]/g, '\\$&')}%`
  return tx.query<Bucket>(
    `select ${columns}
     from storage.buckets
     where name ilike $1
     order by ${query.column} ${query.descending ? 'desc' : 'asc'}
     limit $2 offset $3`,
    [pattern, query.limit, query.offset],
  )
}

/** Without `returning`: who may make buckets need not be able to see them. */
export async function insertBucket(
  tx: Transaction,
  bucket: { id: string; name: string; owner: string | null },
  settings: BucketSettings,
): Promise<void> {
  await tx.query(
    `insert into storage.buckets (id, name, owner, owner_id, public, file_size_limit, allowed_mime_types)
     values ($1, $2, $3, $4, coalesce($5, false), $6, $7)`,
    [
      bucket.id,
      bucket.name,
      bucket.owner,
      bucket.owner,
      settings.public,
      settings.file_size_limit,
      settings.allowed_mime_types,
    ],
  )
}

/** @returns whether there is such a bucket that the caller may change */
export async function updateBucket(tx: Transaction, id: string, settings: BucketSettings): Promise<boolean> {
  const updated = await tx.query(
    `update storage.buckets set
       (public, file_size_limit, allowed_mime_types) = (
         -- Over the bucket as it is: what is undefined is not in the JSON, and null is.
         select changed.public, changed.file_size_limit, changed.allowed_mime_types
         from jsonb_populate_record(buckets, $2) as changed
       ),
       updated_at = now()
     where id = $1
     returning id`,
    [id, JSON.stringify(settings)],
  )
  return updated.length > 0
}

/** @returns whether there was such a bucket that the caller may delete */
export async function deleteBucket(tx: Transaction, id: string): Promise<boolean> {
  const deleted = await tx.query('delete from storage.buckets where id = $1 returning id', [id])
  return deleted.length > 0
}
