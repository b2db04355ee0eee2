import { gzipSync } from 'node:zlib'
import { importJWK, jwtVerify, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { localKeys } from '../../../src/stack/keys.ts'
import { call, Project } from './project.ts'

const echo = `Deno.serve(async (request) => Response.json({
  method: request.method, url: request.url, headers: Object.fromEntries(request.headers), body: await request.text(),
}))`

test('a function sees its name and the rest of the path, the query, method, headers and body', async () => {
  const functions = await new Project({ 'edge-functions/echo/index.ts': echo }).start()

  const response = await call(functions, 'echo/rooms/7?page=2&q=a%20b', {
    method: 'POST',
    headers: { 'x-own': 'yes', authorization: 'Bearer whatever' },
    body: 'hello',
  })

  expect(await response.json()).toMatchObject({
    method: 'POST',
    url: 'http://127.0.0.1:54321/echo/rooms/7?page=2&q=a%20b',
    headers: { 'x-own': 'yes', authorization: 'Bearer whatever' },
    body: 'hello',
  })
})

test("where a request came from is the gateway's word, not the caller's", async () => {
  const functions = await new Project({ 'edge-functions/echo/index.ts': echo }).start()

  const response = await call(functions, 'echo/x', {
    headers: {
      'x-forwarded-for': '8.8.8.8',
      'x-forwarded-user': 'root',
      'x-real-ip': '8.8.8.8',
      forwarded: 'for=8.8.8.8',
    },
  })

  const { headers } = await response.json()
  expect(headers).toMatchObject({
    'x-forwarded-for': '192.0.2.7',
    'x-real-ip': '192.0.2.7',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': '127.0.0.1',
    'x-forwarded-port': '54321',
    'x-forwarded-path': '/functions/v1/echo/x',
    'x-forwarded-prefix': '/functions/v1',
  })
  expect(headers).not.toHaveProperty('forwarded')
  expect(headers).not.toHaveProperty('x-forwarded-user')
})

test.each([
  ['Deno.serve(handler)', `Deno.serve(() => new Response('served'))`],
  ['Deno.serve(options, handler)', `Deno.serve({ port: 8000 }, () => new Response('served'))`],
  ['Deno.serve({ handler })', `Deno.serve({ hostname: '0.0.0.0', handler: () => new Response('served') })`],
  ['export default { fetch }', `export default { name: 'served', fetch() { return new Response(this.name) } }`],
  ['a late Deno.serve', `Promise.resolve().then(() => Deno.serve(() => new Response('served')))`],
])('%s is served', async (_name, source) => {
  const functions = await new Project({ 'edge-functions/f/index.ts': source }).start()
  expect(await (await call(functions, 'f')).text()).toBe('served')
})

test('bodies stream both ways', async () => {
  const functions = await new Project({
    'edge-functions/upper/index.ts': `Deno.serve((request) => new Response(request.body!
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TransformStream({ transform: (text, out) => out.enqueue(text.toUpperCase()) }))
      .pipeThrough(new TextEncoderStream())))`,
  }).start()
  let send!: ReadableStreamDefaultController<Uint8Array>
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      send = controller
    },
  })
  const say = (text: string) => send.enqueue(new TextEncoder().encode(text))

  say('one')
  const response = await call(functions, 'upper', { method: 'POST', body, duplex: 'half' } as RequestInit)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const hear = async () => new TextDecoder().decode((await reader.read()).value)

  expect(await hear()).toBe('ONE')
  say('two')
  expect(await hear()).toBe('TWO')
  send.close()
  expect((await reader.read()).done).toBe(true)
})

test('a function may answer before it has read the body', async () => {
  const functions = await new Project({
    'edge-functions/f/index.ts': `Deno.serve(() => new Response('too much', { status: 413 }))`,
  }).start()
  const body = new Uint8Array(20_000_000)

  expect((await call(functions, 'f', { method: 'POST', body })).status).toBe(413)
  expect((await call(functions, 'f', { method: 'POST', body })).status).toBe(413)
})

test('a caller who leaves is noticed by the function', async () => {
  const project = new Project({
    'edge-functions/wait/index.ts': `Deno.serve((request) => {
      console.log('waiting')
      return new Promise((resolve) => request.signal.addEventListener('abort', () => {
        console.log('caller left')
        resolve(new Response())
      }))
    })`,
  })
  const functions = await project.start()
  const leaving = new AbortController()
  const answer = call(functions, 'wait', { signal: leaving.signal })

  await project.logged(/wait: waiting/)
  leaving.abort()

  await project.logged(/wait: caller left/)
  await answer
})

test('statuses, repeated headers and packed bodies arrive as they were sent', async () => {
  const functions = await new Project({
    'edge-functions/f/index.ts': `Deno.serve(async (request) => {
      const path = new URL(request.url).pathname
      if (path === '/f/empty') return new Response(null, { status: 204 })
      if (path === '/f/away') return Response.redirect('https://example.com/')
      if (path === '/f/packed') {
        return new Response(await request.bytes(), { headers: { 'content-encoding': 'gzip', 'x-length': 'kept' } })
      }
      return new Response('two', { headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2']] })
    })`,
  }).start()
  const packed = gzipSync('hello')

  expect((await call(functions, 'f/empty')).status).toBe(204)
  expect((await call(functions, 'f/away')).headers.get('location')).toBe('https://example.com/')
  expect((await call(functions, 'f')).headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  expect((await call(functions, 'f', { method: 'HEAD' })).status).toBe(200)
  const answer = await call(functions, 'f/packed', { method: 'POST', body: packed })
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(packed)
})

test("a preflight is the function's to answer, and nothing is added to what it says", async () => {
  const functions = await new Project({
    'edge-functions/f/index.ts': `Deno.serve((r) => new Response(r.method, { headers: { 'access-control-allow-origin': 'https://hotel.example' } }))`,
  }).start()

  const response = await call(functions, 'f', { method: 'OPTIONS', headers: { origin: 'https://hotel.example' } })

  expect(await response.text()).toBe('OPTIONS')
  expect(response.headers.get('access-control-allow-origin')).toBe('https://hotel.example')
  expect(response.headers.get('access-control-allow-methods')).toBeNull()
})

test("a function has hosted's variables and the project's secrets, and none of the machine's", async () => {
  process.env.PARLEY_TEST_LEAK = 'seen'
  const project = new Project({
    'edge-functions/env/index.ts': 'Deno.serve(() => Response.json(Deno.env.toObject()))',
  })
  const functions = await project.start({ CLOUDINARY_URL: 'cloudinary://x', SUPABASE_URL: 'http://evil.example' })
  delete process.env.PARLEY_TEST_LEAK

  const { SUPABASE_JWKS, ...env } = await (await call(functions, 'env')).json()
  const names = Object.keys(env).filter((name) => !name.startsWith('DENO_'))
  expect(Object.fromEntries(names.map((name) => [name, env[name]]))).toEqual({
    SUPABASE_URL: 'http://127.0.0.1:54321',
    SUPABASE_DB_URL: 'postgresql://postgres:postgres@127.0.0.1:54322/postgres',
    SUPABASE_ANON_KEY: localKeys.publishable,
    SUPABASE_SERVICE_ROLE_KEY: localKeys.secret,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: localKeys.publishable }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: localKeys.secret }),
    CLOUDINARY_URL: 'cloudinary://x',
    NO_COLOR: '1',
  })
  expect(project.log).toContain('functions: SUPABASE_URL is not passed on')

  const token = await new SignJWT({ role: 'authenticated' })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(localKeys.jwtSecret))
  await expect(jwtVerify(token, await importJWK(JSON.parse(SUPABASE_JWKS).keys[0]))).resolves.toBeDefined()
})

test('a function reads its own sources and packages, and nothing else on the machine', async () => {
  const functions = await new Project({
    'edge-functions/f/deno.json': '{ "imports": { "hono": "npm:hono@4.13.19" } }',
    'edge-functions/f/index.ts': `import { Hono } from 'hono'
      const app = new Hono().basePath('/f')
      app.get('/own', async (c) => c.text(await Deno.readTextFile(new URL('./deno.json', import.meta.url))))
      app.get('/other', async (c) => c.text(await Deno.readTextFile('/etc/passwd').catch((error) => error.name)))
      app.get('/write', async (c) => c.text(await Deno.writeTextFile('x', '').catch((error) => error.name)))
      app.get('/run', (c) => { try { new Deno.Command('/bin/ls').outputSync() } catch (error) { return c.text(error.name) } })
      Deno.serve(app.fetch)`,
  }).start()
  const text = async (path: string) => await (await call(functions, path)).text()

  expect(await text('f/own')).toContain('hono')
  expect(await text('f/other')).toBe('NotCapable')
  expect(await text('f/write')).toBe('NotCapable')
  expect(await text('f/run')).toBe('NotCapable')
})

test('what a function prints goes to the log under its name', async () => {
  const project = new Project({
    'edge-functions/talker/index.ts': `Deno.serve(() => {
      console.log('hello %s', 'world', { a: 1 })
      console.error(new Error('broken cup'))
      console.table([{ cups: 2 }])
      return new Response()
    })`,
  })
  await call(await project.start(), 'talker')

  const log = await project.logged(/cups/)
  expect(log).toContain('talker: hello world { a: 1 }')
  expect(log).toMatch(/talker: Error: broken cup\n +at .*talker\/index\.ts:3/)
})
