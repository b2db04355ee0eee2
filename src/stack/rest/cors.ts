const methods = 'GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS'

/** What PostgREST lets a page read; the rest of an answer's headers stay hidden from it. */
const exposed =
  'Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, Transfer-Encoding, Range-Unit'

/** A browser's question before the request itself, which carries no key and may name what is not there yet. */
export function isPreflight(request: Request): boolean {
  return request.method === 'OPTIONS' && request.headers.has('access-control-request-method')
}

export function preflightResponse(request: Request): Response {
  return new Response(null, {
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': methods,
      'access-control-allow-headers': request.headers.get('access-control-request-headers') ?? '*',
      'access-control-max-age': '3600',
    },
  })
}

/** Any page may read the answer: what protects it is the token, not the origin. */
export function withCors(response: Response): Response {
  const headers = new Headers(response.headers)
  headers.set('access-control-allow-origin', '*')
  headers.set('access-control-expose-headers', exposed)
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers })
}
