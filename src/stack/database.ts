import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { bootstrap, bootstrapVersion } from './postgres/bootstrap.ts'
import { type Cluster, clusterExists, startCluster } from './postgres/cluster.ts'
import { applyMigrationsWhole } from './postgres/migrations.ts'

export interface DatabaseOptions {
  /** The project's folder, with `supabase/`. */
  root: string
  /** Where the cluster is kept. */
  dir: string
  port: number
  /** Told what is being done, a step at a time. */
  step(what: string): void
  /** Told what the developer should know. */
  warn(what: string): void
}

/** What has been done to this database: kept beside it, so that an ordinary start asks nobody. */
interface History {
  bootstrap: string
  seeded: boolean
  /** The content of each migration applied, by its file's name. */
  migrations: Record<string, string>
}

/**
 * The project's database, up to date: a hosted project's roles and schemas, the migrations, and, the first time, the seed.
 * @throws BrokenMigration; the database is as it was then, and stopped
 */
export async function startDatabase(options: DatabaseOptions): Promise<Cluster> {
  const { dir, port, step, warn } = options
  const historyFile = join(dir, 'history.json')
  // No history: an earlier start was cut off before it had made anything that could be lost.
  if (clusterExists(dir) && !existsSync(historyFile)) rmSync(dir, { recursive: true })

  step(clusterExists(dir) ? 'Starting Postgres' : 'Making a Postgres database')
  const cluster = await startCluster({ dir, port, durable: true })
  try {
    const version = await bootstrapVersion()
    let history: History
    if (existsSync(historyFile)) {
      history = JSON.parse(readFileSync(historyFile, 'utf8')) as History
      if (history.bootstrap !== version) {
        warn(
          'This database was made by an older version of the stack. To make it anew, without its data: npm run reset',
        )
      }
    } else {
      step('Making the roles and schemas of a Supabase project')
      await bootstrap(cluster.url('supabase_admin'))
      history = { bootstrap: version, seeded: false, migrations: {} }
      save(historyFile, history)
    }
    await bringUpToDate(options, cluster, history, () => save(historyFile, history))
  } catch (error) {
    await cluster.stop()
    throw error
  }
  return cluster
}

async function bringUpToDate(
  { root, step, warn }: DatabaseOptions,
  cluster: Cluster,
  history: History,
  saved: () => void,
): Promise<void> {
  const files = migrationFiles(root)
  const changed = Object.keys(history.migrations).filter((file) => files[file] !== history.migrations[file])
  if (changed.length) {
    warn(`Changed since it was applied: ${changed.join(', ')}. To apply it anew, without the data: npm run reset`)
  }
  const pending = Object.keys(files).filter((file) => !(file in history.migrations))
  if (pending.length) {
    step(`Applying ${pending.length} ${pending.length === 1 ? 'migration' : 'migrations'} with the Supabase CLI`)
    await applyMigrationsWhole(
      { postgres: cluster.url('postgres'), admin: cluster.url('supabase_admin', 'template1') },
      root,
    )
    for (const file of pending) history.migrations[file] = files[file] ?? ''
    saved()
  }

  const seed = join(root, 'supabase', 'seed.sql')
  if (!history.seeded && existsSync(seed)) {
    step('Seeding the demo hotel')
    await run(cluster.url('postgres'), readFileSync(seed, 'utf8'))
    history.seeded = true
    saved()
  }
}

function migrationFiles(root: string): Record<string, string> {
  const folder = join(root, 'supabase', 'migrations')
  const hash = (file: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, file)))
      .digest('hex')
  return Object.fromEntries(
    readdirSync(folder)
      .filter((file) => file.endsWith('.sql'))
      .map((file) => [file, hash(file)]),
  )
}

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

function save(file: string, history: History): void {
  writeFileSync(file, JSON.stringify(history, null, 2))
}
