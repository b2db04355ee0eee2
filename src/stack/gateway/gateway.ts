import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Caller, Service } from '../service.ts'

/** The parts of the stack by the first words of their paths, as on hosted Supabase. */
export interface Routes {
  '/rest/v1': Service
  '/auth/v1': Service
  '/storage/v1': Service
  '/functions/v1': Service
  /** Local only: what the fakes of Cloudinary and FCM received. */
  '/sandbox': Pick<Service, 'fetch'>
}

export interface Gateway {
  port: number
  close(): Promise<void>
}

/**
 * The one door to the stack, on loopback.
 *
 * What a client says of its own address is dropped here: services read the caller's address from
 * `x-forwarded-for`, and that is the gateway's word.
 */
export async function startGateway(port: number, routes: Routes, log: (line: string) => void): Promise<Gateway> {
  const services = Object.entries(routes)
  const answer = async (request: Request, caller: Caller): Promise<Response> => {
    const { pathname } = new URL(request.url)
    if (pathname.startsWith('/realtime/v1')) return unavailable('Realtime is not part of the local stack yet.')
    const service = services.find(([prefix]) => pathname === prefix || pathname.startsWith(`${prefix}/`))?.[1]
    if (!service) return Response.json({ message: 'no Route matched with those values' }, { status: 404 })
    try {
      return await service.fetch(request, caller)
    } catch (error) {
      log(`${request.method} ${pathname}: ${error instanceof Error ? error.stack : error}`)
      return Response.json({ message: 'An unexpected error occurred' }, { status: 500 })
    }
  }

  const listener = getRequestListener((request, env) => {
    const { incoming } = env as { incoming: IncomingMessage }
    return answer(request, { address: incoming.socket.remoteAddress ?? '' })
  })
  const server = createServer((incoming, outgoing) => {
    setForwardedHeaders(incoming, port)
    void listener(incoming, outgoing)
  })
  // Uploads take as long as they take.
  server.requestTimeout = 0
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })

  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

function unavailable(message: string): Response {
  return Response.json({ message }, { status: 503 })
}

function setForwardedHeaders(incoming: IncomingMessage, port: number): void {
  const kept: string[] = []
  for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
    const [name = '', value = ''] = incoming.rawHeaders.slice(i, i + 2)
    if (!/^(x-forwarded-|x-real-ip$|forwarded$)/i.test(name)) kept.push(name, value)
  }
  kept.push('x-forwarded-for', incoming.socket.remoteAddress ?? '')
  kept.push('x-forwarded-proto', 'http')
  kept.push('x-forwarded-host', incoming.headers.host ?? `127.0.0.1:${port}`)
  kept.push('x-forwarded-port', String(port))
  incoming.rawHeaders = kept
}
