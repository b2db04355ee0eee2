import { deepStrictEqual as equal, rejects } from 'node:assert'
import { fetchOutside, headOf } from './outside.ts'

async function withServer(handler: (request: Request) => Response, scene: (url: string) => Promise<void>) {
  const server = Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: () => {} }, handler)
  try {
    await scene(`http://127.0.0.1:${server.addr.port}/`)
  } finally {
    await server.shutdown()
  }
}

const unavailable = { name: 'Refusal', status: 503, code: 'unavailable' }

Deno.test('a server with a fault of its own is unavailable, any other answer is one', async () => {
  let status = 200
  await withServer(
    () => new Response('hello', { status }),
    async (url) => {
      for (status of [200, 206, 400, 404]) {
        const response = await fetchOutside(url)
        equal([response.status, await response.text()], [status, 'hello'])
      }
      for (status of [420, 429, 500, 503]) await rejects(fetchOutside(url), unavailable)
    },
  )
  await rejects(fetchOutside('http://127.0.0.1:1/'), unavailable)
})

Deno.test('a server that does not answer is not waited for', async () => {
  const release = Promise.withResolvers<void>()
  const server = Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: () => {} }, async () => {
    await release.promise
    return new Response()
  })
  await rejects(fetchOutside(`http://127.0.0.1:${server.addr.port}/`, {}, 50), unavailable)
  release.resolve()
  await server.shutdown()
})

Deno.test('of a long answer only the beginning is fetched', async () => {
  let sent = 0
  const endless = () =>
    new ReadableStream({
      pull(controller) {
        sent += 1000
        controller.enqueue(new Uint8Array(1000).fill(7))
      },
    })
  await withServer(
    () => new Response(endless()),
    async (url) => {
      equal(await headOf(await fetchOutside(url), 1500), new Uint8Array(1500).fill(7))
    },
  )
  equal(sent < 10_000_000, true)
})

Deno.test('a short answer is its own beginning', async () => {
  await withServer(
    () => new Response('short'),
    async (url) => {
      equal(new TextDecoder().decode(await headOf(await fetchOutside(url), 4096)), 'short')
    },
  )
})
