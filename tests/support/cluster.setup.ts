import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { applyMigrations } from '../../src/stack/postgres/migrations.ts'
import { startScratchCluster } from '../../src/stack/postgres/scratch.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresPort: number
  }
}

/** One Postgres for the whole run. Tests take copies of its two templates. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await startScratchCluster()
  try {
    await copyDatabase(cluster.url('supabase_admin', 'template1'), 'template_hosted')
    await applyMigrations(cluster.url('postgres'))
    await copyDatabase(cluster.url('supabase_admin', 'template1'), 'template_parley')
  } catch (error) {
    await cluster.stop()
    throw error
  }
  project.provide('postgresPort', cluster.port)
  return cluster.stop
}

async function copyDatabase(url: string, name: string): Promise<void> {
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  await admin.query(`create database ${name} template postgres owner postgres`)
  await admin.end()
}
