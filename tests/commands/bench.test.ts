import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { projectRoot } from '../../src/stack/supabase-cli.ts'

// What it measures is for a machine of one's own: here, that it still measures everything.
test('npm run bench -- --small compares each hot path with its baseline', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'bench/chat.ts', '--small'], {
    cwd: projectRoot,
  })
  const rows = stdout
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| what') && !line.startsWith('| ---'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  expect(rows.length).toBeGreaterThanOrEqual(20)
  for (const [, what, , , ratio] of rows) expect(Number(ratio), what).toBeGreaterThan(0)
})
