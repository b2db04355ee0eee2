import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { projectRoot, supabaseCli } from '../supabase-cli.ts'

/** A migration that Postgres refused. The message names the file, the line and what Postgres said. */
class BrokenMigration extends Error {
  override readonly name = 'BrokenMigration'
}

/**
 * Applies what is pending in `supabase/migrations`, with the real Supabase CLI.
 * @param url the database, as `postgres`: the role that `supabase db push` has on hosted
 * @param options root: the folder that holds `supabase/`; signal: gives it up
 * @throws BrokenMigration; the migrations before the broken one are applied then
 */
export async function applyMigrations(
  url: string,
  { root = projectRoot, signal }: { root?: string; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const target = `--db-url=${url}?sslmode=disable`
  const result = await supabaseCli(['migration', 'up', '--yes', '--output-format', 'json', target], { root, signal })
  if (result.code === 0) return
  signal?.throwIfAborted()

  const file = result.stderr.match(/Applying migration (\S+\.sql)\.\.\.(?![\s\S]*Applying migration)/)?.[1]
  const problem = problemOf(result.stdout) ?? result.stderr
  if (!file) throw new Error(`supabase migration up failed: ${problem}`)
  const source = await readFile(join(root, 'supabase', 'migrations', file), 'utf8')
  const { line, message } = locate(problem, source)
  throw new BrokenMigration(`${file}, line ${line}: ${message}`)
}

function problemOf(stdout: string): string | undefined {
  const last = stdout.trim().split('\n').at(-1) ?? ''
  try {
    return (JSON.parse(last) as { error?: { message?: string } }).error?.message
  } catch {
    return undefined
  }
}

/**
 * The CLI says "ERROR: … (SQLSTATE …)", perhaps a hint, "At statement: N" and that statement, cut after a line with a
 * caret where Postgres knows the place.
 */
function locate(problem: string, source: string): { line: number; message: string } {
  const [message = '', statement = ''] = problem.split(/\nAt statement: \d+\n/)
  const lines = statement.replace(/\nTry rerunning [\s\S]*$/, '').split('\n')
  const caret = lines.findIndex((line) => /^\s*\^\s*$/.test(line))
  const shown = caret === -1 ? lines : lines.slice(0, caret)
  const offset = Math.max(source.lastIndexOf(shown.join('\n')), 0)
  const firstLine = source.slice(0, offset).split('\n').length
  const within = caret === -1 ? shown.findIndex((line) => line.trim() !== '' && !line.startsWith('--')) : caret - 1
  return { line: firstLine + Math.max(within, 0), message }
}
