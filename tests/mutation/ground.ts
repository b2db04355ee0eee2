import pg from 'pg'
import { createDatabase, type Database } from '../support/database.ts'
import { runPgTap } from '../support/pgtap.ts'
import { people } from '../support/pgtap-files.ts'
import type { Mutant } from './mutants.ts'

/**
 * A database in which one rule at a time is taken away and put back. The files roll back whatever they do, so that it
 * serves them all.
 */
export class Ground {
  readonly client: pg.Client
  readonly #database: Database

  private constructor(database: Database, client: pg.Client) {
    this.#database = database
    this.client = client
  }

  static async open(): Promise<Ground> {
    const database = await createDatabase({ migrated: true })
    await runPgTap(people, database.url())
    // Policies on tables that are not ours, and what is counted of functions, are a superuser's to change.
    const client = new pg.Client({ connectionString: database.url('supabase_admin') })
    await client.connect()
    await client.query(`alter database ${database.name} set track_functions = 'all'`)
    // A rule that is gone may leave a loop without an end.
    await client.query(`alter database ${database.name} set statement_timeout = '60s'`)
    await client.query(`set search_path = ''`)
    return new Ground(database, client)
  }

  async close(): Promise<void> {
    await this.client.end()
    await this.#database.drop()
  }

  /** The first of these files that goes red without the rule. */
  async firstRedWithout(mutant: Mutant, files: string[]): Promise<string | undefined> {
    await this.client.query(mutant.apply)
    try {
      return await this.firstRed(files)
    } finally {
      await this.client.query(mutant.restore)
    }
  }

  async firstRed(files: string[]): Promise<string | undefined> {
    for (const file of files) {
      try {
        const { planned, passed } = await runPgTap(file, this.#database.url())
        if (passed !== planned) return file
      } catch {
        // An error that stops the file is as red as a failed assertion.
        return file
      }
    }
    return undefined
  }

  /** The functions and tables that a green file uses. Nobody counts a call that ends in a refusal. */
  async usedBy(file: string): Promise<Set<string> | undefined> {
    await this.client.query('select pg_catalog.pg_stat_reset()')
    if (await this.firstRed([file])) return undefined
    const { rows } = await this.client.query<{ name: string }>(
      `select funcid::regprocedure::text as name from pg_catalog.pg_stat_user_functions where calls > 0
       union all
       select relid::regclass::text from pg_catalog.pg_stat_user_tables where seq_scan + coalesce(idx_scan, 0) + n_tup_ins > 0`,
    )
    return new Set(rows.map(({ name }) => name))
  }
}
