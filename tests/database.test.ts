import { relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDatabase, type Database } from './support/database.ts'
import { runPgTap } from './support/pgtap.ts'
import { files, people, root } from './support/pgtap-files.ts'

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

  test('the people are made anew where an earlier run has left them', async () => {
    const database = await createDatabase({ copyOf: withPeople })
    try {
      expect(await runPgTap(people, database.url())).toEqual({ planned: 1, passed: 1, failures: [] })
    } finally {
      await database.drop()
    }
  })
})
