import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDatabase, type Database } from './support/database.ts'
import { runPgTap } from './support/pgtap.ts'

const root = fileURLToPath(new URL('../supabase/tests', import.meta.url))
const people = join(root, '000_people.test.sql')
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.sql'))
  .map((file) => join(root, file))
  .filter((file) => file !== people)
  .sort()

let withPeople: Database

beforeAll(async () => {
  withPeople = await createDatabase({ migrated: true })
  await runPgTap(people, withPeople.url())
})

afterAll(() => withPeople.drop())

// Each file in a database of its own: none sees what another did, and several run at a time.
describe.concurrent('supabase/tests', () => {
  test.each(files.map((file) => [relative(root, file), file] as const))('%s', async (_, file) => {
    const database = await createDatabase({ copyOf: withPeople })
    try {
      const { planned, passed, failures } = await runPgTap(file, database.url())
      expect(failures.join('\n'), 'failed assertions').toBe('')
      expect(passed, 'assertions run of those planned').toBe(planned)
    } finally {
      await database.drop()
    }
  })
})
