import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { projectRoot } from '../../src/stack/supabase-cli.ts'

const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, [...args], { cwd: projectRoot }).catch((error) => error)

test('--help lists the commands and their flags', async () => {
  const { stdout } = await run('--import', 'tsx', 'src/cli.ts', 'start', '--help')
  for (const word of ['npm run reset', 'npm run status', '--port', '--db-port']) expect(stdout).toContain(word)
})

test('an unknown flag is refused with a line that names it', async () => {
  expect(await run('--import', 'tsx', 'src/cli.ts', 'start', '--prot', '1')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Unknown option '--prot'"),
  })
})

test('a port that is none is refused', async () => {
  expect(await run('--import', 'tsx', 'src/cli.ts', 'start', '--port', 'x')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('--port takes a port from 1 to 65535, not x.'),
  })
})

test('an old Node is told in one line', async () => {
  const old = `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.18.3'})`
  const { code, stderr } = await run('--import', old, '--import', 'tsx', 'src/cli.ts', 'start')
  expect(code).toBe(1)
  expect(stderr.trim().split('\n')).toEqual([expect.stringContaining('Parley needs Node 20.19 or newer')])
})
