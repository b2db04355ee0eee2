import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** `supabase/tests`. */
export const root = fileURLToPath(new URL('../../supabase/tests', import.meta.url))

/** Makes the people whom all other files speak of, and stays. */
export const people = join(root, '000_people.test.sql')

/** The others, each to be run in a database that has the people. */
export const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.sql'))
  .map((file) => join(root, file))
  .filter((file) => file !== people)
  .sort()
