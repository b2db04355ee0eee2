import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'

export interface Target {
  port: number
  /** Path and query, as the function sees them. */
  path: string
  headers: Headers
}

// A function that ends closes its connections, and the next one answers elsewhere.
const agent = new Agent({ keepAlive: true })

// What is short is passed on whole: as a stream it would cost more than it weighs.
const shortBytes = 65_536

// Between two hops only (RFC 9110, 7.6.1).
const hopByHop = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']
const bodiless = [101, 204, 205, 304]

/**
 * Sends a request on to a loopback port and answers what comes back; long bodies as streams.
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
      agent,
    })
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => toResponse(incoming, request.method).then(resolve, reject))
    const send = async () => {
      if (!request.body) outgoing.end()
      else if (isShort(headers.get('content-length'))) outgoing.end(Buffer.from(await request.arrayBuffer()))
      else await pipeline(Readable.fromWeb(request.body as ReadableStream), outgoing)
    }
    const start = () => send().catch((error) => outgoing.destroy(error))
    outgoing.on('socket', (socket) => (socket.connecting ? socket.once('connect', start) : start()))
  })
}

function rawHeaders(headers: Headers): Record<string, string> {
  const raw = Object.fromEntries(headers)
  for (const name of hopByHop) delete raw[name]
  return raw
}

async function toResponse(incoming: IncomingMessage, method: string): Promise<Response> {
  const headers = new Headers()
  for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
    const name = incoming.rawHeaders[at] as string
    if (!hopByHop.includes(name.toLowerCase())) headers.append(name, incoming.rawHeaders[at + 1] as string)
  }
  const status = incoming.statusCode ?? 500
  const empty = method === 'HEAD' || bodiless.includes(status)
  if (empty) incoming.resume()
  const body = empty ? null : await bodyOf(incoming)
  return new Response(body, { status, statusText: incoming.statusMessage ?? '', headers })
}

async function bodyOf(incoming: IncomingMessage): Promise<BodyInit> {
  if (isShort(incoming.headers['content-length'])) return Buffer.concat(await incoming.toArray())
  return Readable.toWeb(incoming) as unknown as BodyInit
}

/** @param length as a header says it, where it does */
function isShort(length: string | null | undefined): boolean {
  return Number(length ?? Infinity) <= shortBytes
}
