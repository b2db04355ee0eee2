import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { type LoginRole, password } from '../../src/stack/postgres/cluster.ts'

export interface Database {
  name: string
  /** A connection string, for `postgres` unless told otherwise. */
  url(role?: LoginRole): string
  drop(): Promise<void>
}

/**
 * A database of the test's own: a copy of a hosted project's empty one or, when migrated, of one with Parley's schema;
 * or of any other that nobody is connected to.
 */
export async function createDatabase(options: { migrated: boolean } | { copyOf: Database }): Promise<Database> {
  const name = `test_${randomBytes(6).toString('hex')}`
  const url = (role: LoginRole, database: string) =>
    `postgresql://${role}:${password}@127.0.0.1:${inject('postgresPort')}/${database}`
  const asAdmin = async (statement: string) => {
    const admin = new pg.Client({ connectionString: url('supabase_admin', 'template1') })
    await admin.connect()
    try {
      await admin.query(statement)
    } finally {
      await admin.end()
    }
  }

  const template = 'copyOf' in options ? options.copyOf.name : options.migrated ? 'template_parley' : 'template_hosted'
  await asAdmin(`create database ${name} template ${template} owner postgres`)
  return {
    name,
    url: (role = 'postgres') => url(role, name),
    drop: () => asAdmin(`drop database ${name} with (force)`),
  }
}
