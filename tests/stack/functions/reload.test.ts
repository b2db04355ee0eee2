import { expect, test } from 'vitest'
import { call, callUntil, Project } from './project.ts'

const answers = (text: string) => `Deno.serve(() => new Response('${text}'))`
const counter = `let calls = 0\nDeno.serve(() => new Response(String(++calls)))`

test('an edited function is served anew, and the others are left alone', async () => {
  const project = new Project({ 'edge-functions/f/index.ts': answers('old'), 'edge-functions/count/index.ts': counter })
  const functions = await project.start()
  expect(await (await call(functions, 'f')).text()).toBe('old')
  expect(await (await call(functions, 'count')).text()).toBe('1')
  const pid = functions.pid()

  project.write('edge-functions/f/index.ts', answers('new'))

  await callUntil(functions, 'f', 'new')
  expect(await (await call(functions, 'count')).text()).toBe('2')
  expect(functions.pid()).toBe(pid)
})

test('an edit in _shared reaches every function that imports it', async () => {
  const importing = `import { word } from '../_shared/word.ts'\nDeno.serve(() => new Response(word))`
  const project = new Project({
    'edge-functions/_shared/word.ts': `export const word = 'old'`,
    'edge-functions/a/index.ts': importing,
    'edge-functions/b/index.ts': importing,
  })
  const functions = await project.start()
  await call(functions, 'a')
  await call(functions, 'b')

  project.write('edge-functions/_shared/word.ts', `export const word = 'new'`)

  await callUntil(functions, 'a', 'new')
  await callUntil(functions, 'b', 'new')
})

test('a mistake while editing is named with file and line without a call, and 503 lasts until it is mended', async () => {
  const project = new Project({ 'edge-functions/f/index.ts': answers('old'), 'edge-functions/count/index.ts': counter })
  const functions = await project.start()
  await call(functions, 'f')
  await call(functions, 'count')

  project.write('edge-functions/f/index.ts', '\n\nconst cup = ;')
  await project.logged(/f: [\s\S]*edge-functions\/f\/index\.ts:3:13/)
  expect((await call(functions, 'f')).status).toBe(503)
  expect(await (await call(functions, 'count')).text()).toBe('2')

  project.write('edge-functions/f/index.ts', answers('mended'))
  await callUntil(functions, 'f', 'mended')
  expect(await (await call(functions, 'count')).text()).toBe('3')
})

test('an edit lets calls that are under way finish', async () => {
  const project = new Project({
    'edge-functions/f/index.ts': `Deno.serve((request) => new Response(request.body))`,
  })
  const functions = await project.start()
  let send!: ReadableStreamDefaultController<Uint8Array>
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      send = controller
    },
  })
  send.enqueue(new TextEncoder().encode('begun'))
  const underWay = await call(functions, 'f', { method: 'POST', body, duplex: 'half' } as RequestInit)

  project.write('edge-functions/f/index.ts', answers('new'))
  await callUntil(functions, 'f', 'new')

  send.enqueue(new TextEncoder().encode(' and done'))
  send.close()
  expect(await underWay.text()).toBe('begun and done')
})

test('a caller who waits for a function that never starts gets its next version', async () => {
  const project = new Project({ 'edge-functions/f/index.ts': `console.log('round and round'); while (true);` })
  const functions = await project.start()
  const waiting = call(functions, 'f')
  await project.logged(/round and round/)

  project.write('edge-functions/f/index.ts', answers('new'))

  expect(await (await waiting).text()).toBe('new')
})

test('a new import map is taken up', async () => {
  const project = new Project({
    'edge-functions/f/deno.json': '{ "imports": {} }',
    'edge-functions/f/index.ts': answers('old'),
  })
  const functions = await project.start()
  await call(functions, 'f')

  project.write('edge-functions/f/deno.json', '{ "imports": { "hono": "npm:hono@4.13.19" } }')
  project.write(
    'edge-functions/f/index.ts',
    `import { Hono } from 'hono'\nDeno.serve(new Hono().all('*', (c) => c.text('with hono')).fetch)`,
  )

  await callUntil(functions, 'f', 'with hono')
})

test('a broken import map is named in the log, and its function answers again once it is mended', async () => {
  const project = new Project({
    'edge-functions/f/deno.json': '{ "imports": ',
    'edge-functions/f/index.ts': answers('ok'),
  })
  const functions = await project.start()

  await project.logged(/functions: .*edge-functions\/f\/deno\.json/)
  expect((await call(functions, 'f')).status).toBe(503)

  project.write('edge-functions/f/deno.json', '{}')
  await callUntil(functions, 'f', 'ok')
})
