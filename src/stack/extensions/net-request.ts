import http from 'node:http'
import https from 'node:https'
import { performance } from 'node:perf_hooks'

export interface HttpRequest {
  method: string
  url: string
  headers: Record<string, string>
  body: Buffer | null
  /** For all of it, redirects included. */
  timeout_milliseconds: number
}

/** The columns of net._http_response that say how a request ended. */
export interface HttpOutcome {
  status_code: number | null
  content_type: string | null
  headers: Record<string, string> | null
  content: string | null
  timed_out: boolean
  error_msg: string | null
}

/** When each step of the last exchange ended, in milliseconds since the request began. */
interface Timings {
  began: number
  lookup?: number
  connect?: number
  ready?: number
}

const maxRedirects = 30

/**
 * Makes a request as pg_net's worker does, and words its failures as libcurl would. Never rejects.
 * @param stopped gives the request up; the answer is then null
 */
export async function perform(request: HttpRequest, stopped: AbortSignal): Promise<HttpOutcome | null> {
  const timings: Timings = { began: performance.now() }
  // 0 is libcurl's "no limit".
  const timeout = request.timeout_milliseconds > 0 ? AbortSignal.timeout(request.timeout_milliseconds) : null
  try {
    return await follow(request, timings, timeout ? AbortSignal.any([stopped, timeout]) : stopped)
  } catch (error) {
    if (stopped.aborted) return null
    const timedOut = timeout?.aborted === true
    const message = timedOut ? timeoutMessage(request, timings) : curlMessage(error as NodeJS.ErrnoException)
    return {
      status_code: null,
      content_type: null,
      headers: null,
      content: null,
      timed_out: timedOut,
      error_msg: message,
    }
  }
}

async function follow(request: HttpRequest, timings: Timings, signal: AbortSignal): Promise<HttpOutcome> {
  let { method, url, body } = request
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const response = await exchange({ ...request, method, url, body }, timings, signal)
    const status = response.statusCode ?? 0
    const location = response.headers.location
    if (status < 300 || status >= 400 || location === undefined) return outcome(response)
    response.resume()
    url = new URL(location, url).href
    if (method === 'POST' && [301, 302, 303].includes(status)) {
      method = 'GET'
      body = null
    }
  }
  throw new Error('Number of redirects hit maximum amount')
}

function exchange(request: HttpRequest, timings: Timings, signal: AbortSignal): Promise<http.IncomingMessage> {
  const { url, body } = request
  const method = request.method.toUpperCase()
  const isSecure = url.toLowerCase().startsWith('https:')
  const length = body?.length ?? (method === 'POST' ? 0 : undefined)
  const headers = {
    Accept: '*/*',
    ...request.headers,
    // Node would send the body of a DELETE without saying how long it is.
    ...(length === undefined ? {} : { 'Content-Length': length }),
    'User-Agent': 'pg_net/0.19.5',
  }
  return new Promise((resolve, reject) => {
    // No pool: a request every few minutes would find the socket closed at the other end.
    const options = { method, headers, signal, agent: false }
    const outgoing = isSecure ? https.request(url, options, resolve) : http.request(url, options, resolve)
    const mark = (step: 'lookup' | 'connect' | 'ready') => () => {
      timings[step] = performance.now() - timings.began
    }
    outgoing.on('socket', (socket) => {
      socket.on('lookup', mark('lookup')).on('connect', mark('connect'))
      socket.on(isSecure ? 'secureConnect' : 'connect', mark('ready'))
    })
    outgoing.on('error', reject)
    outgoing.end(body ?? undefined)
  })
}

async function outcome(response: http.IncomingMessage): Promise<HttpOutcome> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  // A text column ends where C's strings do.
  const [content = ''] = Buffer.concat(chunks).toString('utf8').split('\0', 1)
  const headers: Record<string, string> = {}
  for (let i = 0; i + 1 < response.rawHeaders.length; i += 2) {
    headers[response.rawHeaders[i] as string] = response.rawHeaders[i + 1] as string
  }
  return {
    status_code: response.statusCode ?? null,
    content_type: response.headers['content-type'] ?? null,
    headers,
    content: content === '' ? null : content,
    timed_out: false,
    error_msg: null,
  }
}

function timeoutMessage(request: HttpRequest, { began, lookup, connect, ready }: Timings): string {
  const total = performance.now() - began
  // An address needs no looking up, and then the first step that is known is the connection.
  const dns = lookup ?? (connect === undefined && !isAddress(request.url) ? total : 0)
  const handshake = (ready ?? total) - dns
  const http = total - dns - handshake
  const ms = (time: number) => `${time.toFixed(6)} ms`
  return (
    `Timeout of ${request.timeout_milliseconds} ms reached. Total time: ${ms(total)} (DNS time: ${ms(dns)}, ` +
    `TCP/SSL handshake time: ${ms(handshake)}, HTTP Request/Response time: ${ms(http)})`
  )
}

function isAddress(url: string): boolean {
  return /^[\d.]+$|^\[/.test(new URL(url).hostname)
}

function curlMessage(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return "Couldn't connect to server"
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return "Couldn't resolve host name"
    case 'ECONNRESET':
      // Node's words for a connection closed before any answer.
      if (error.message === 'socket hang up') return 'Server returned nothing (no headers, no data)'
      return 'Failure when receiving data from the peer'
    default:
      // Localhost is two addresses, and each has its own reason.
      if (error instanceof AggregateError) return curlMessage(error.errors[0])
      return error.message
  }
}
