import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { getAuthSchemaSql, getStorageSchemaSql } from '@supabase/lite'
import pg from 'pg'

const here = (name: string) => readFile(new URL(name, import.meta.url), 'utf8')

/** Everything that makes an empty Postgres look like a hosted project, in the order it is run. */
async function script(): Promise<string> {
  const parts = [
    here('hosted/roles.sql'),
    here('hosted/database.sql'),
    getAuthSchemaSql(),
    here('hosted/auth.sql'),
    getStorageSchemaSql(),
    here('hosted/storage.sql'),
    here('hosted/realtime.sql'),
    here('hosted/realtime-partitions.sql'),
    here('hosted/owners.sql'),
    here('hosted/guard.sql'),
  ]
  return (await Promise.all(parts)).join('\n')
}

/** Changes whenever the script does: a database made by another one is out of date. */
export async function bootstrapVersion(): Promise<string> {
  return createHash('sha256')
    .update(await script())
    .digest('hex')
}

/**
 * Makes the roles, schemas and rights of a hosted project, all or nothing.
 * @param url the database `postgres` of a new cluster, as supabase_admin
 */
export async function bootstrap(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const version = client.escapeLiteral(await bootstrapVersion())
    // Several statements in one query are one transaction.
    await client.query(`${await script()}\ninsert into guard.history (bootstrap) values (${version})`)
  } finally {
    await client.end()
  }
}
