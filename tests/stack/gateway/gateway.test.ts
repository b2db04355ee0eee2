import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import WebSocket from 'ws'
import { type Gateway, startGateway } from '../../../src/stack/gateway/gateway.ts'
import type { Realtime } from '../../../src/stack/realtime/realtime.ts'
import type { Service } from '../../../src/stack/service.ts'

/** Answers with what reached it. */
const echo = (name: string): Service => ({
  fetch: async (request, caller) =>
    Response.json({
      name,
      path: new URL(request.url).pathname,
      caller: caller.address,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    }),
  close: async () => {},
})
const broken: Service = {
  fetch: () => {
    throw new Error('select secret from somewhere')
  },
  close: async () => {},
}

/** Refuses every handshake with the caller's address, as the service sees it. */
const realtime: Realtime = {
  ...echo('realtime'),
  upgrade: (request, socket) => {
    const body = JSON.stringify({ path: request.url, headers: request.headers })
    socket.end(`HTTP/1.1 418 Teapot\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  },
}

let gateway: Gateway
const lines: string[] = []

beforeAll(async () => {
  const routes = {
    '/rest/v1': echo('rest'),
    '/auth/v1': echo('auth'),
    '/storage/v1': broken,
    '/functions/v1': echo('functions'),
    '/realtime/v1': realtime,
    '/sandbox': echo('sandbox'),
  }
  gateway = await startGateway(0, routes, (line) => lines.push(line))
})

afterAll(() => gateway.close())

const ask = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${gateway.port}${path}`, init)

test.each([
  ['/rest/v1/chat_rooms?select=id', 'rest', '/rest/v1/chat_rooms'],
  ['/auth/v1', 'auth', '/auth/v1'],
  ['/functions/v1/api/api/chat/rooms/', 'functions', '/functions/v1/api/api/chat/rooms/'],
  ['/realtime/v1/api/broadcast', 'realtime', '/realtime/v1/api/broadcast'],
  ['/sandbox/fcm', 'sandbox', '/sandbox/fcm'],
])('%s goes to %s, with its whole path', async (path, name, whole) => {
  expect(await (await ask(path, { method: 'POST', body: 'body' })).json()).toMatchObject({
    name,
    path: whole,
    body: 'body',
  })
})

test.each(['/', '/rest/v1evil', '/rest/v2/x', '/pg/query'])('%s is no path of ours', async (path) => {
  const response = await ask(path)
  expect(response.status).toBe(404)
  expect(await response.json()).toEqual({ message: 'no Route matched with those values' })
})

test("the address of the caller is the gateway's word, whatever the caller says", async () => {
  const headers = {
    'X-Forwarded-For': '6.6.6.6',
    'x-forwarded-host': 'evil.example',
    'X-Real-IP': '6.6.6.6',
    Forwarded: 'for=6.6.6.6',
    'CF-Connecting-IP': '6.6.6.6',
    'True-Client-IP': '6.6.6.6',
    'X-Client-IP': '6.6.6.6',
    'sb-forwarded-for': '6.6.6.6',
  }
  const seen = (await (await ask('/rest/v1/', { headers })).json()) as {
    caller: string
    headers: Record<string, string>
  }
  expect(seen.caller).toBe('127.0.0.1')
  expect(seen.headers).toMatchObject({
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-host': `127.0.0.1:${gateway.port}`,
    'x-forwarded-proto': 'http',
  })
  expect(JSON.stringify(seen)).not.toMatch(/6\.6\.6\.6|evil/)
})

test('a fault of ours is an answer without its text, and a line in the log', async () => {
  const response = await ask('/storage/v1/bucket')
  expect(response.status).toBe(500)
  expect(await response.text()).not.toContain('secret')
  expect(lines.join('\n')).toContain('select secret from somewhere')
})

test("a page of any origin reads the gateway's own answers", async () => {
  for (const path of ['/rest/v2/x', '/storage/v1/bucket']) {
    expect((await ask(path)).headers.get('access-control-allow-origin')).toBe('*')
  }
  const headers = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'apikey' }
  const asked = await ask('/rest/v2/x', { method: 'OPTIONS', headers })
  expect(asked.ok).toBe(true)
  expect(asked.headers.get('access-control-allow-headers')).toBe('apikey')
})

/** What a handshake is answered that does not succeed. */
function handshake(path: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
  const ws = new WebSocket(`ws://127.0.0.1:${gateway.port}${path}`, { headers })
  return new Promise((resolve) => {
    ws.once('unexpected-response', async (_request, response) => {
      resolve({ status: response.statusCode ?? 0, body: Buffer.concat(await response.toArray()).toString() })
    })
  })
}

test("a WebSocket's handshake goes to realtime, with the gateway's word for the caller", async () => {
  const { status, body } = await handshake('/realtime/v1/websocket?vsn=2.0.0', { 'x-forwarded-for': '6.6.6.6' })
  expect(status).toBe(418)
  expect(JSON.parse(body)).toMatchObject({
    path: '/realtime/v1/websocket?vsn=2.0.0',
    headers: { 'x-forwarded-for': '127.0.0.1' },
  })
})

test('a handshake elsewhere is a request like any other', async () => {
  expect((await handshake('/elsewhere')).status).toBe(404)
})

test('a request that would rather speak HTTP/2 is answered, its body read', async () => {
  const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABk' }
  const asked = request(`http://127.0.0.1:${gateway.port}/rest/v1/`, { method: 'POST', headers, agent: false })
  asked.end('body')
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  expect(response.statusCode).toBe(200)
  expect(JSON.parse(Buffer.concat(await response.toArray()).toString())).toMatchObject({ name: 'rest', body: 'body' })
})

test('only this machine reaches it', async () => {
  const taken = await startGateway(gateway.port, {} as never, () => {}).catch((error) => error)
  expect(taken).toMatchObject({ code: 'EADDRINUSE', address: '127.0.0.1' })
})
