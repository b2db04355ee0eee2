import type { ClientBase } from 'pg'

export interface PublishedTable {
  oid: number
  schema: string
  table: string
}

/** The tables whose changes can be subscribed to. Of a partitioned one, unless published as a whole, its partitions. */
export async function readPublication(client: ClientBase): Promise<PublishedTable[]> {
  const { rows } = await client.query<PublishedTable>(
    `select c.oid, n.nspname as schema, c.relname as table
    from pg_publication p
    cross join pg_get_publication_tables(p.pubname) t
    join pg_class c on c.oid = t.relid
    join pg_namespace n on n.oid = c.relnamespace
    where p.pubname = 'supabase_realtime'
    order by c.oid`,
  )
  return rows
}
