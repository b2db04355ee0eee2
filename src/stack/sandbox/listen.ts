import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'

type Fetch = (request: Request) => Response | Promise<Response>

export interface Listener {
  /** Without a trailing slash. */
  url: string
  /** From now on `fetch` answers; until then callers get a 503. */
  serve(fetch: Fetch): void
  close(): Promise<void>
}

/**
 * Opens a free port of 127.0.0.1 for HTTP/1.1, before there is anything to serve: some answers contain the address.
 * Rejects with the system's error if it cannot listen.
 */
export async function listen(): Promise<Listener> {
  let answer: Fetch = () => new Response(null, { status: 503 })
  const server = createAdaptorServer({ fetch: (request) => answer(request) }) as Server
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    serve(fetch) {
      answer = fetch
    },
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()))
        // Clients keep connections alive for minutes; a stopping stack does not wait for them.
        server.closeAllConnections()
      }),
  }
}
