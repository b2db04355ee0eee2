import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url))

/** How a run of the Supabase CLI ended. */
export interface CliResult {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs the real Supabase CLI on a project. An aborted signal ends it: the code is null then. */
export async function supabaseCli(
  args: string[],
  { root = projectRoot, signal }: { root?: string; signal?: AbortSignal | undefined } = {},
): Promise<CliResult> {
  const entry = createRequire(import.meta.url).resolve('supabase/package.json')
  const { bin } = createRequire(import.meta.url)('supabase/package.json') as { bin: { supabase: string } }
  const child = spawn(process.execPath, [join(dirname(entry), bin.supabase), '--workdir', root, ...args], {
    cwd: root,
    // Its settings stay with the project, and a newcomer's first start sends nobody statistics.
    env: {
      ...process.env,
      HOME: join(root, '.parley', 'supabase-cli'),
      DO_NOT_TRACK: '1',
      SUPABASE_TELEMETRY_DISABLED: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C in the terminal is for us to pass on.
    detached: true,
  })
  const kill = () => child.kill()
  signal?.addEventListener('abort', kill)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  signal?.removeEventListener('abort', kill)
  return { code, stdout, stderr }
}
