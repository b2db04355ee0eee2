import { Hono } from 'hono'
import type { Transaction } from '../postgres/transaction.ts'
import type { Storage } from './context.ts'
import { invalidRequest } from './errors.ts'
import { optionalInteger, readObject, requiredString } from './json-body.ts'
import { validBucketName } from './names.ts'

interface ListOptions {
  /** A folder, with or without its slash. */
  prefix: string
  /** What the names in it begin with. */
  search: string
  limit: number
  offset: number
  column: SortColumn
  descending: boolean
}

const sortColumns = ['name', 'updated_at', 'created_at', 'last_accessed_at'] as const
type SortColumn = (typeof sortColumns)[number]

/** What is in a folder: names relative to it; a folder in it is an entry with no id. */
export function listRoutes({ database, identify }: Storage): Hono {
  return new Hono().post('/object/list/:bucket', async (c) => {
    const identity = await identify(c.req.raw)
    const bucketId = validBucketName(c.req.param('bucket'))
    const options = readOptions(await readObject(c.req.raw))
    return c.json(await database.as(identity, 'storage.object.list', (tx) => list(tx, bucketId, options)))
  })
}

function readOptions(body: Record<string, unknown>): ListOptions {
  const { column = 'name', order = 'asc' } = (body.sortBy ?? {}) as Record<string, unknown>
  if (!isSortColumn(column)) {
    throw invalidRequest('body/sortBy/column must be equal to one of the allowed values')
  }
  const search = body.search ?? ''
  if (typeof search !== 'string') throw invalidRequest('body/search must be string')
  return {
    prefix: requiredString(body, 'prefix').replace(/([^/])$/, '$1/'),
    search,
    limit: Math.min(optionalInteger(body, 'limit', 1) ?? 100, 1500),
    offset: optionalInteger(body, 'offset', 0) ?? 0,
    column,
    descending: order === 'desc',
  }
}

function isSortColumn(column: unknown): column is SortColumn {
  return sortColumns.some((known) => known === column)
}

function list(tx: Transaction, bucketId: string, options: ListOptions) {
  const { prefix, search, limit, offset, column } = options
  const pattern = `${(prefix + search).replace(/[\\%_]/g, '\\$&')}%`
  // An entry's name is these tokens of the path; an object with more of them is in a folder below.
  const first = prefix.split('/').length
  const last = (prefix + search).split('/').length
  const direction = options.descending ? 'desc' : 'asc'
  // By name, folders stand among the files; by time, which they have not, before them.
  const order = column === 'name' ? '' : `id is not null, ${column} ${direction},`
  return tx.query(
    `with matching as (
       select
         array_to_string(path_tokens[$3:$4], '/') as entry,
         cardinality(path_tokens) > $4 as is_below,
         id, updated_at, created_at, last_accessed_at, metadata
       from storage.objects
       where bucket_id = $1 and name ilike $2
     ),
     entries as (
       select entry as name, null::uuid as id, null::timestamptz as updated_at, null::timestamptz as created_at,
         null::timestamptz as last_accessed_at, null::jsonb as metadata
       from matching
       where is_below
       group by entry
       union all
       select entry, id, updated_at, created_at, last_accessed_at, metadata
       from matching
       where not is_below
     )
     select name, id, updated_at, created_at, last_accessed_at, metadata
     from entries
     order by ${order} lower(name) collate "C" ${direction}
     limit $5 offset $6`,
    [bucketId, pattern, first, last, limit, offset],
  )
}
