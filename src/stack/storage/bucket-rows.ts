import type { TransactionSql } from 'postgres'

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

const columns = (sql: TransactionSql) => sql`
  id, name, owner, public, type, file_size_limit::float8 as file_size_limit, allowed_mime_types, created_at, updated_at`

export async function findBucket(sql: TransactionSql, id: string): Promise<Bucket | undefined> {
  const [row] = await sql<Bucket[]>`select ${columns(sql)} from storage.buckets where id = ${id}`
  return row
}

export function listBuckets(sql: TransactionSql, query: BucketQuery): Promise<Bucket[]> {
  const pattern = `%${query.search.replace(/[\\%_]/g, '\\$&')}%`
  return sql<Bucket[]>`
    select ${columns(sql)}
    from storage.buckets
    where name ilike ${pattern}
    order by ${sql(query.column)} ${query.descending ? sql`desc` : sql`asc`}
    limit ${query.limit} offset ${query.offset}`
}

/** Without `returning`: who may make buckets need not be able to see them. */
export async function insertBucket(
  sql: TransactionSql,
  bucket: { id: string; name: string; owner: string | null },
  settings: BucketSettings,
): Promise<void> {
  const row = { ...bucket, owner_id: bucket.owner, ...defined(settings) }
  await sql`insert into storage.buckets ${sql(row)}`
}

/** @returns whether there is such a bucket that the caller may change */
export async function updateBucket(sql: TransactionSql, id: string, settings: BucketSettings): Promise<boolean> {
  const changes = { ...defined(settings), updated_at: new Date() }
  const { count } = await sql`update storage.buckets set ${sql(changes)} where id = ${id}`
  return count > 0
}

/** @returns whether there was such a bucket that the caller may delete */
export async function deleteBucket(sql: TransactionSql, id: string): Promise<boolean> {
  const { count } = await sql`delete from storage.buckets where id = ${id}`
  return count > 0
}

function defined(settings: BucketSettings) {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}
