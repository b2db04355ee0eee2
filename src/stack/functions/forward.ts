import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'

export interface Target {
  port: number
  /** Path and query, as the function sees them. */
  path: string
  headers: Headers
}

// Between two hops only (RFC 9110, 7.6.1).
const hopByHop = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']
const bodiless = [101, 204, 205, 304]

/**
 * Sends a request on to a loopback port and answers what comes back, both bodies as streams.
 *
 * Through `node:http`, because `fetch` unpacks compressed bodies and does not let the Host header through.
 *
 * @throws the socket's error; with code `ECONNREFUSED` the request's body has not been touched.
 */
export function forward(request: Request, { port, path, headers }: Target): Promise<Response> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      host: '127.0.0.1',
      port,
      path,
      method: request.method,
      headers: rawHeaders(headers),
      signal: request.signal,
      // A kept connection may belong to a worker that is gone.
      agent: false,
    })
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => resolve(toResponse(incoming, request.method)))
    outgoing.on('socket', (socket) => {
      socket.on('connect', () => {
        if (!request.body) return outgoing.end()
        const body = Readable.fromWeb(request.body as ReadableStream)
        body.on('error', (error) => outgoing.destroy(error))
        body.pipe(outgoing)
      })
    })
  })
}

function rawHeaders(headers: Headers): Record<string, string> {
  const raw = Object.fromEntries(headers)
  for (const name of hopByHop) delete raw[name]
  return raw
}

function toResponse(incoming: IncomingMessage, method: string): Response {
  const headers = new Headers()
  for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
    const name = incoming.rawHeaders[at] as string
    if (!hopByHop.includes(name.toLowerCase())) headers.append(name, incoming.rawHeaders[at + 1] as string)
  }
  const status = incoming.statusCode ?? 500
  const empty = method === 'HEAD' || bodiless.includes(status)
  if (empty) incoming.resume()
  const body = empty ? null : (Readable.toWeb(incoming) as unknown as BodyInit)
  return new Response(body, { status, statusText: incoming.statusMessage ?? '', headers })
}
