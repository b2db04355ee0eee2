// Runs Deno for npm scripts, `--hosted` first for hosted Supabase's version:
//   node --import tsx src/stack/functions/run-deno.ts --hosted test …
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { denoBinary } from './deno.ts'

const hosted = process.argv[2] === '--hosted'
if (hosted && !(process.platform === 'linux' && process.arch === 'x64')) {
  console.log("Skipped: hosted's version of Deno is installed on Linux x64 alone. CI runs this.")
} else {
  run(hosted ? 'deno-hosted' : 'deno', process.argv.slice(hosted ? 3 : 2))
}

function run(name: 'deno' | 'deno-hosted', args: string[]): void {
  // Deno keeps its caches in the home folder otherwise; nothing of ours is written outside the project.
  const DENO_DIR = fileURLToPath(new URL(`../../../.parley/${name}`, import.meta.url))
  const { status, error } = spawnSync(denoBinary(name), args, {
    stdio: 'inherit',
    env: { ...process.env, DENO_DIR, DENO_NO_UPDATE_CHECK: '1' },
  })
  if (error) throw error
  process.exitCode = status ?? 1
}
