import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { bootstrap, bootstrapVersion } from './postgres/bootstrap.ts'
import { type Cluster, clusterExists, startCluster, stopLeftover } from './postgres/cluster.ts'
import { type History, readHistory, rememberMigrations, seedOnce } from './postgres/history.ts'
import { applyMigrations } from './postgres/migrations.ts'
import { dropSnapshot, hasSnapshot, restoreSnapshot, takeSnapshot } from './postgres/snapshot.ts'

export interface DatabaseOptions {
  /** The project's folder, with `supabase/`. */
  root: string
  /** Where the cluster is kept. */
  dir: string
  port: number
  /** Gives the start up; the database stays as it was before. */
  signal?: AbortSignal | undefined
  /** Told what is being done, a step at a time. */
  step(what: string): void
  /** Told what the developer should know. */
  warn(what: string): void
}

/**
 * The project's database, up to date: a hosted project's roles and schemas, the migrations, and, the first time, the seed.
 * @throws BrokenMigration; the database is as it was then, and stopped
 */
export async function startDatabase(options: DatabaseOptions): Promise<Cluster> {
  const { dir, port, signal, step, warn, root } = options
  await stopLeftover(dir)
  // Migrations were being applied when the stack was killed.
  if (hasSnapshot(dir)) restoreSnapshot(dir)

  step(clusterExists(dir) ? 'Starting Postgres' : 'Making a Postgres database')
  const start = () => startCluster({ dir, port, durable: true })
  let cluster = await start()
  try {
    signal?.throwIfAborted()
    const version = await bootstrapVersion()
    if ((await asAdmin(cluster, readHistory)) === null) {
      step('Making the roles and schemas of a Supabase project')
      await bootstrap(cluster.url('supabase_admin'))
    }
    const history = (await asAdmin(cluster, readHistory)) as History
    if (history.bootstrap !== version) {
      warn('This database was made by another version of the stack. To make it anew, without its data: npm run reset')
    }

    const migrations = migrationFiles(root)
    const pending = pendingMigrations(migrations, history, warn)
    if (pending.length) {
      step(`Applying ${pending.length} ${pending.length === 1 ? 'migration' : 'migrations'} with the Supabase CLI`)
      await cluster.stop()
      await takeSnapshot(dir)
      cluster = await start()
      await applyMigrations(cluster.url('postgres'), { root, signal })
      await asAdmin(cluster, (client) => rememberMigrations(client, { ...history.migrations, ...migrations }))
      dropSnapshot(dir)
    }

    const seed = join(root, 'supabase', 'seed.sql')
    if (!history.seeded && existsSync(seed)) {
      signal?.throwIfAborted()
      step('Seeding the demo hotel')
      await asAdmin(cluster, (client) => seedOnce(client, readFileSync(seed, 'utf8')))
    }
    return cluster
  } catch (error) {
    await cluster.stop()
    if (hasSnapshot(dir)) restoreSnapshot(dir)
    throw error
  }
}

async function asAdmin<T>(cluster: Cluster, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: cluster.url('supabase_admin') })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

function migrationFiles(root: string): Record<string, string> {
  const folder = join(root, 'supabase', 'migrations')
  const hash = (file: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, file)))
      .digest('hex')
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'))
  return Object.fromEntries(files.sort().map((file) => [file, hash(file)]))
}

function pendingMigrations(files: Record<string, string>, history: History, warn: (what: string) => void): string[] {
  const applied = Object.keys(history.migrations).sort()
  const missing = applied.filter((file) => !(file in files))
  if (missing.length)
    warn(`Applied, and no longer there: ${missing.join(', ')}. To do without, and without the data: npm run reset`)
  const changed = applied.filter((file) => file in files && files[file] !== history.migrations[file])
  if (changed.length) {
    warn(`Changed since it was applied: ${changed.join(', ')}. To apply it anew, without the data: npm run reset`)
  }
  const pending = Object.keys(files).filter((file) => !(file in history.migrations))
  const late = pending.filter((file) => file < (applied.at(-1) ?? ''))
  if (late.length) {
    throw new Error(
      `${late.join(', ')} is older than ${applied.at(-1)}, which has been applied: migrations are applied in order. ` +
        'Give it a newer name, or make the database anew, without its data: npm run reset',
    )
  }
  return pending
}
