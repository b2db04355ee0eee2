import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { bootstrap } from '../../src/stack/postgres/bootstrap.ts'
import { startCluster } from '../../src/stack/postgres/cluster.ts'
import { applyMigrations } from '../../src/stack/postgres/migrations.ts'
import { freePort } from '../../src/stack/postgres/ports.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresPort: number
  }
}

/**
 * One Postgres for the whole run, in the system's temporary folder on a free port, so that a developer's own stack
 * and a second run beside this one are left alone. Tests take copies of its two templates.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = mkdtempSync(join(tmpdir(), 'parley-test-'))
  const cluster = await startCluster({ dir, port: await freePort(), durable: false })
  const teardown = async () => {
    await cluster.stop()
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    await bootstrap(cluster.url('supabase_admin'))
    await copyDatabase(cluster.url('supabase_admin', 'template1'), 'template_hosted')
    await applyMigrations(cluster.url('postgres'))
    await copyDatabase(cluster.url('supabase_admin', 'template1'), 'template_parley')
  } catch (error) {
    await teardown()
    throw error
  }
  project.provide('postgresPort', cluster.port)
  return teardown
}

async function copyDatabase(url: string, name: string): Promise<void> {
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  await admin.query(`create database ${name} template postgres owner postgres`)
  await admin.end()
}
