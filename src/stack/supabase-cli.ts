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

/** Runs the real Supabase CLI on this project. */
export async function supabaseCli(args: string[], workdir: string = projectRoot): Promise<CliResult> {
  const entry = createRequire(import.meta.url).resolve('supabase/package.json')
  const { bin } = createRequire(import.meta.url)('supabase/package.json') as { bin: { supabase: string } }
  const child = spawn(process.execPath, [join(dirname(entry), bin.supabase), '--workdir', workdir, ...args], {
    cwd: workdir,
    // Its settings stay with the project, and a newcomer's first start sends nobody statistics.
    env: {
      ...process.env,
      HOME: join(workdir, '.parley', 'supabase-cli'),
      DO_NOT_TRACK: '1',
      SUPABASE_TELEMETRY_DISABLED: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
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
  return { code, stdout, stderr }
}
