import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'

/** The secrets for edge functions in the project's `.env`. None when there is no such file. */
export function readEnvironmentFile(root: string): Record<string, string> {
  const file = join(root, '.env')
  return existsSync(file) ? (parseEnv(readFileSync(file, 'utf8')) as Record<string, string>) : {}
}
