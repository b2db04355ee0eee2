import { type Log, logOf, reason } from './log.ts'
import { Refusal } from './refusal.ts'

export type Handler = (request: Request, log: Log) => Promise<Response>

const cors = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers':
    'authorization, apikey, content-type, x-client-info, x-request-id, x-hotel-id, x-hotel-slug',
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE, OPTIONS',
  'access-control-expose-headers': 'retry-after, x-request-id, content-disposition',
}

/** What every function does alike: preflights, a request id, one line in the log, and errors in our shape. */
export function answering(name: string, handler: Handler): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: cors })
    const requestId = requestIdOf(request)
    const log = logOf(name, requestId)
    const startedAt = performance.now()
    const response = await handler(request, log).catch((error) => refused(error, log))
    for (const [header, value] of Object.entries({ ...cors, 'x-request-id': requestId })) {
      response.headers.set(header, value)
    }
    log('answered', { status: response.status, ms: Math.round(performance.now() - startedAt) })
    return response
  }
}

function refused(error: unknown, log: Log): Response {
  const refusal =
    error instanceof Refusal
      ? error
      : new Refusal(500, 'internal_error', 'Something went wrong on our side.', { cause: error })
  log('refused', { code: refusal.code, ...(refusal.cause !== undefined && { reason: reason(refusal.cause) }) })
  return refusal.response()
}

// A caller's own is kept if it could be one: it goes into the log.
function requestIdOf(request: Request): string {
  const given = request.headers.get('x-request-id') ?? request.headers.get('sb-request-id') ?? ''
  return /^[\w-]{8,64}$/.test(given) ? given : crypto.randomUUID()
}
