import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { advise } from '../src/stack/postgres/advise.ts'
import { generateTypes } from '../src/stack/postgres/generate-types.ts'
import { projectRoot, supabaseCli } from '../src/stack/supabase-cli.ts'
import { createDatabase, type Database } from './support/database.ts'

let database: Database

beforeAll(async () => {
  database = await createDatabase({ migrated: true })
})

afterAll(() => database.drop())

test("the client's types are those of the migrations; if not: npm run types", async () => {
  const file = join(projectRoot, 'src/client/database.types.ts')
  expect(await readFile(file, 'utf8')).toBe(await generateTypes(database.url()))
})

test("the Supabase CLI's security and performance advisors have nothing to say", async () => {
  expect(await advise(database.url())).toEqual([])
})

test('the Supabase CLI lists every migration as applied', async () => {
  const { code, stdout } = await supabaseCli(['migration', 'list', `--db-url=${database.url()}?sslmode=disable`])
  expect(code).toBe(0)
  const rows = [...stdout.matchAll(/`(\d{14}|\s)`\s*\|\s*`(\d{14}|\s)`/g)].map(([, local, remote]) => [local, remote])
  expect(rows.length).toBeGreaterThan(0)
  for (const [local, remote] of rows) expect(remote).toBe(local)
})
