import { expect, test } from 'vitest'
import { call, Project } from './project.ts'

const well = `Deno.serve(() => new Response('well'))`
const bootError = { code: 'BOOT_ERROR', message: 'Function failed to start (please check logs)' }
const workerError = { code: 'WORKER_ERROR', message: 'Function exited due to an error (please check logs)' }

test.each([
  ['does not compile', 'const a = 1\nconst b = ;', /f: .*Expression expected[\s\S]*f\/index\.ts:2:11/],
  ['throws on import', `\nthrow new Error('no cups')`, /f: .*no cups\n +at .*f\/index\.ts:2/],
  ['imports what is not there', `import './gone.ts'`, /f: .*gone\.ts/],
  ['exits on import', `Deno.exit(3)`, /f: The function exited/],
  ['never serves', `export default 7`, /f: .*neither calls Deno\.serve nor exports/],
])('a function that %s answers 503, says why, and breaks only itself', async (_name, source, reason) => {
  const project = new Project({ 'edge-functions/f/index.ts': source, 'edge-functions/well/index.ts': well })
  const functions = await project.start()
  await call(functions, 'well')
  const pid = functions.pid()

  const response = await call(functions, 'f')

  expect(response.status).toBe(503)
  expect(await response.json()).toEqual(bootError)
  expect(response.headers.get('sb-error-code')).toBe('BOOT_ERROR')
  await project.logged(reason)
  expect(await (await call(functions, 'well')).text()).toBe('well')
  expect(functions.pid()).toBe(pid)
})

test('a handler that throws answers 500 and goes on serving', async () => {
  const project = new Project({
    'edge-functions/f/index.ts': `let calls = 0
      Deno.serve(() => { if (++calls === 1) throw new Error('first call'); return new Response('call ' + calls) })`,
  })
  const functions = await project.start()

  const response = await call(functions, 'f')

  expect([response.status, await response.text()]).toEqual([500, 'Internal Server Error'])
  expect(response.headers.get('sb-error-code')).toBe('EDGE_FUNCTION_ERROR')
  await project.logged(/f: Error: first call/)
  expect(await (await call(functions, 'f')).text()).toBe('call 2')
})

test.each([
  ['has an unhandled rejection', `Promise.reject(new Error('stray')); return new Promise(() => {})`, /f: .*stray/],
  ['throws out of reach', `setTimeout(() => { throw new Error('late') }); return new Promise(() => {})`, /f: .*late/],
  ['calls Deno.exit', `Deno.exit(3)`, /f: The function exited/],
  ['calls process.exit', `process.exit(3)`, /f: The function exited/],
])(
  'a function that %s loses its calls, is started anew for the next, and breaks only itself',
  async (_name, deed, reason) => {
    const project = new Project({
      'edge-functions/f/index.ts': `import process from 'node:process'
      Deno.serve((r) => { if (r.url.endsWith('/bad')) { void process; ${deed} } return new Response('fine') })`,
      'edge-functions/well/index.ts': well,
    })
    const functions = await project.start()
    await call(functions, 'well')
    const pid = functions.pid()
    expect(await (await call(functions, 'f')).text()).toBe('fine')

    const response = await call(functions, 'f/bad')

    expect(response.status).toBe(500)
    expect(await response.json()).toEqual(workerError)
    expect(await (await call(functions, 'f')).text()).toBe('fine')
    expect(await (await call(functions, 'well')).text()).toBe('well')
    await project.logged(reason)
    expect(functions.pid()).toBe(pid)
  },
)

test('a function in an endless loop does not hold up the others', async () => {
  const project = new Project({
    'edge-functions/f/index.ts': `Deno.serve(() => { console.log('round and round'); while (true); })`,
    'edge-functions/well/index.ts': well,
  })
  const functions = await project.start()
  const hung = call(functions, 'f')
  await project.logged(/round and round/)

  expect(await (await call(functions, 'well')).text()).toBe('well')
  await functions.close()
  expect((await hung).status).toBe(500)
})

test('EdgeRuntime.waitUntil outlives the answer, and its failure is only logged', async () => {
  const project = new Project({
    'edge-functions/f/index.ts': `Deno.serve((request) => {
      const later = async () => { await new Promise((resolve) => setTimeout(resolve, 50)); throw new Error('late cup') }
      if (request.url.endsWith('/later')) EdgeRuntime.waitUntil(later())
      return new Response('answered')
    })`,
  })
  const functions = await project.start()

  expect(await (await call(functions, 'f/later')).text()).toBe('answered')
  await project.logged(/f: In EdgeRuntime\.waitUntil: Error: late cup/)
  expect(project.log).not.toContain('stopped')
  expect(await (await call(functions, 'f')).text()).toBe('answered')
})

test('a function that takes all memory ends Deno, which is started again and says so', async () => {
  const project = new Project({
    'edge-functions/f/index.ts': `Deno.serve(() => {
      const cups: number[][] = []
      while (true) cups.push(new Array(10_000).fill(Math.random()))
    })`,
    'edge-functions/well/index.ts': well,
  })
  const functions = await project.start()
  const pid = functions.pid()

  expect(await (await call(functions, 'f')).json()).toEqual(workerError)

  await project.logged(/functions: Deno stopped \(.+\); starting it again in 100 ms/)
  expect(await (await call(functions, 'well')).text()).toBe('well')
  expect(functions.pid()).not.toBe(pid)
})

test('a function may write anything to stdout', async () => {
  const project = new Project({
    'edge-functions/f/index.ts': `Deno.serve(async () => {
      await Deno.stdout.write(new TextEncoder().encode('plain\\n\\u001e{"type":\\n\\u001enull\\nhalf a line'))
      console.log('and a log')
      return new Response('written')
    })`,
  })
  const functions = await project.start()

  expect(await (await call(functions, 'f')).text()).toBe('written')
  const log = await project.logged(/f: and a log/)
  expect(log).toContain('functions: plain')
  expect(log).toContain('functions: half a line')
})
