import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import type { Realtime } from '../realtime/realtime.ts'
import { isPreflight, preflightResponse } from '../rest/cors.ts'
import type { Caller, Service } from '../service.ts'

/** The parts of the stack by the first words of their paths, as on hosted Supabase. */
export interface Routes {
  '/rest/v1': Service
  '/auth/v1': Service
  '/storage/v1': Service
  '/functions/v1': Service
  '/realtime/v1': Realtime
  /** Local only: what the fakes of Cloudinary and FCM received. */
  '/sandbox': Pick<Service, 'fetch'>
}

export interface Gateway {
  port: number
  close(): Promise<void>
}

const noRoute = 'no Route matched with those values'

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
    const service = services.find(([prefix]) => pathname === prefix || pathname.startsWith(`${prefix}/`))?.[1]
    if (!service) return isPreflight(request) ? preflightResponse(request) : failure(404, noRoute)
    try {
      return await service.fetch(request, caller)
    } catch (error) {
      log(`${request.method} ${pathname}: ${error instanceof Error ? error.stack : error}`)
      return failure(500, 'An unexpected error occurred')
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
  const upgraded = new Set<Duplex>()
  server.on('upgrade', (incoming, socket, head) => {
    const isForRealtime = incoming.url?.startsWith('/realtime/v1/')
    if (!isForRealtime || incoming.headers.upgrade?.toLowerCase() !== 'websocket') {
      socket.unshift(Buffer.concat([requestWithoutUpgrade(incoming), head]))
      server.emit('connection', socket)
      return
    }
    upgraded.add(socket)
    socket.once('close', () => upgraded.delete(socket))
    setForwardedHeaders(incoming, port)
    routes['/realtime/v1'].upgrade(incoming, socket, head)
  })
  // Uploads take as long as they take.
  server.requestTimeout = 0
  // As long as hosted keeps a connection; Node's own 5 s end while a client is about to use it again.
  server.keepAliveTimeout = 75_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })

  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      for (const socket of upgraded) socket.destroy()
      await closed
    },
  }
}

// What stands before a hosted project says with these where a request comes from.
const claimed = /^(x-forwarded-|(x-real-ip|forwarded|cf-connecting-ip|true-client-ip|x-client-ip|sb-forwarded-for)$)/i

/** Any page may read it: what a browser hides from the page looks like a network that is down. */
function failure(status: number, message: string): Response {
  return Response.json({ message }, { status, headers: { 'access-control-allow-origin': '*' } })
}

/**
 * The head of a request that asks for a protocol nobody speaks here. It is to be answered all the same, and not refused:
 * Java's client asks for HTTP/2 with each first request.
 */
function requestWithoutUpgrade({ method, url, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/1.1`]
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!/^(connection|upgrade|http2-settings)$/i.test(rawHeaders[i] ?? '')) {
      lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`)
    }
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

function setForwardedHeaders(incoming: IncomingMessage, port: number): void {
  const forwarded = {
    'x-forwarded-for': incoming.socket.remoteAddress ?? '',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': incoming.headers.host ?? `127.0.0.1:${port}`,
    'x-forwarded-port': String(port),
  }
  const kept: string[] = []
  for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
    const [name = '', value = ''] = incoming.rawHeaders.slice(i, i + 2)
    if (!claimed.test(name)) kept.push(name, value)
  }
  // HTTP is served from the raw ones, a WebSocket's handshake from the others.
  incoming.rawHeaders = [...kept, ...Object.entries(forwarded).flat()]
  const headers = Object.entries(incoming.headers).filter(([name]) => !claimed.test(name))
  incoming.headers = { ...Object.fromEntries(headers), ...forwarded }
}
