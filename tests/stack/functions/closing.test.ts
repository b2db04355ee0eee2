import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { call, Project } from './project.ts'

const hanging = `Deno.addSignalListener('SIGTERM', () => console.log('not me'))
Deno.serve(() => { console.log('round and round'); while (true); })`

/** Resolves when no process has this id any more: nothing announces the end of somebody else's child. */
async function gone(pid: number): Promise<void> {
  while (true) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('Deno is gone once close has resolved, even when a function hangs and catches SIGTERM', async () => {
  const project = new Project({ 'edge-functions/f/index.ts': hanging })
  const functions = await project.start()
  call(functions, 'f').catch(() => undefined)
  await project.logged(/round and round/)
  const pid = functions.pid() as number

  await functions.close()

  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  expect(functions.pid()).toBeUndefined()
  expect(project.log).not.toContain('starting it again')
})

test('a call after close is answered, not thrown', async () => {
  const functions = await new Project({ 'edge-functions/f/index.ts': hanging }).start()
  await functions.close()
  expect((await call(functions, 'f')).status).toBe(503)
})

test('a Deno that dies is started again', async () => {
  const project = new Project({ 'edge-functions/f/index.ts': `Deno.serve(() => new Response('here'))` })
  const functions = await project.start()
  process.kill(functions.pid() as number, 'SIGKILL')

  await project.logged(/Deno stopped \(SIGKILL\); starting it again/)

  expect(await (await call(functions, 'f')).text()).toBe('here')
})

test('Deno does not outlive a stack that is killed, even when a function hangs', async () => {
  const project = new Project({ 'edge-functions/f/index.ts': hanging })
  const script = fileURLToPath(new URL('./stack-to-kill.ts', import.meta.url))
  const stack = spawn(process.execPath, ['--import', 'tsx', script, project.root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface({ input: stack.stdout }), 'line')
  const pid = Number(line)
  expect(() => process.kill(pid, 0)).not.toThrow()

  stack.kill('SIGKILL')

  await gone(pid)
})
