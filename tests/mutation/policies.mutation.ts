import pg from 'pg'
import { expect, test } from 'vitest'
import { createDatabase } from '../support/database.ts'
import { runPgTap } from '../support/pgtap.ts'
import { files, people } from '../support/pgtap-files.ts'

const withPeople = await createDatabase({ migrated: true })
await runPgTap(people, withPeople.url())

// Each policy's clauses, one at a time: `using` says which rows, `with check` which new ones.
const loosened = await query(
  withPeople.url(),
  `select format('alter policy %I on %I.%I %s (true)', policyname, schemaname, tablename, clause) as statement
   from pg_policies,
     lateral (values ('using', qual), ('with check', with_check)) as clauses (clause, condition)
   where condition is not null
   order by 1`,
)

test('as they are, all files are green', async () => {
  expect(await firstRed(withPeople)).toBeUndefined()
})

test.each(loosened)('$statement', async ({ statement }) => {
  const database = await createDatabase({ copyOf: withPeople })
  try {
    await query(database.url(), statement)
    expect(await firstRed(database), 'a file that goes red').toBeDefined()
  } finally {
    await database.drop()
  }
})

async function firstRed(database: typeof withPeople): Promise<string | undefined> {
  for (const file of files) {
    const copy = await createDatabase({ copyOf: database })
    try {
      const { planned, passed } = await runPgTap(file, copy.url())
      if (passed !== planned) return file
    } catch {
      // An error that stops the file is as red as a failed assertion.
      return file
    } finally {
      await copy.drop()
    }
  }
  return undefined
}

async function query(url: string, sql: string): Promise<Array<{ statement: string }>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}
