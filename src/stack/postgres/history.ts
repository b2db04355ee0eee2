import type pg from 'pg'

/** What has been done to a database. Kept inside it, so that it is restored and removed with it. */
export interface History {
  /** Which bootstrap made it: `bootstrapVersion()`. */
  bootstrap: string
  /** A hash of each applied migration, by its file's name. */
  migrations: Record<string, string>
  seeded: boolean
}

/** Null: the database is still empty. */
export async function readHistory(client: pg.Client): Promise<History | null> {
  const { rows } = await client.query<{ exists: boolean }>(`select to_regclass('guard.history') is not null as exists`)
  if (!rows[0]?.exists) return null
  const history = await client.query<History>('select bootstrap, migrations, seeded from guard.history')
  return history.rows[0] ?? null
}

export async function rememberMigrations(client: pg.Client, migrations: Record<string, string>): Promise<void> {
  await client.query('update guard.history set migrations = $1', [JSON.stringify(migrations)])
}

/** Runs the seed as `postgres`, and remembers that it has run: both or neither. */
export async function seedOnce(client: pg.Client, seed: string): Promise<void> {
  try {
    await client.query('begin; set local session authorization postgres')
    await client.query(seed)
    await client.query('reset session authorization; update guard.history set seeded = true; commit')
  } catch (error) {
    await client.query('rollback')
    throw new Error(`supabase/seed.sql: ${(error as Error).message}`, { cause: error })
  }
}
