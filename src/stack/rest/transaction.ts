import type { Kysely } from 'kysely'

// biome-ignore lint/suspicious/noExplicitAny: the tables are the developer's, known when they are asked for.
export type Database = Kysely<any>

/** A Postgres setting for the length of one transaction. */
export type Setting = readonly [name: string, value: string]

/** Sets all of them, in this order, in one round trip; stock @supabase/lite takes up to ten. */
export async function applySettings(db: Database, settings: Setting[]): Promise<void> {
  await db
    .selectNoFrom((eb) =>
      settings.map(([name, value], index) =>
        eb.fn('set_config', [eb.val(name), eb.val(value), eb.lit(true)]).as(`setting_${index}`),
      ),
    )
    .execute()
}

class Rollback<T> extends Error {
  readonly result: T

  constructor(result: T) {
    super('rolled back on purpose')
    this.result = result
  }
}

/** Runs it in a transaction of its own, and gives its result back even when that result asks for a rollback. */
export async function inTransaction<T>(
  database: Database,
  accessMode: 'read only' | 'read write',
  run: (db: Database) => Promise<T>,
  rollsBack: (result: T) => boolean,
): Promise<T> {
  try {
    return await database
      .transaction()
      .setAccessMode(accessMode)
      .execute(async (db) => {
        const result = await run(db)
        if (rollsBack(result)) throw new Rollback(result)
        return result
      })
  } catch (error) {
    if (error instanceof Rollback) return error.result
    throw error
  }
}
