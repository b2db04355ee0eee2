import type { Caller } from '../service.ts'

// A caller could claim any address or door with these; only the stack knows.
const claims = ['forwarded', 'cf-connecting-ip', 'true-client-ip', 'x-real-ip']

/**
 * The request's headers as a function gets them: what was sent, and the gateway's word on where it came from.
 *
 * @param prefix the part of the path that the function does not see.
 */
export function forwardedHeaders(request: Request, caller: Caller, prefix: string): Headers {
  const { protocol, hostname, port, host, pathname } = new URL(request.url)
  const headers = new Headers(request.headers)
  for (const name of [...headers.keys()]) {
    if (claims.includes(name) || name.startsWith('x-forwarded-')) headers.delete(name)
  }
  headers.set('host', host)
  headers.set('x-real-ip', caller.address)
  headers.set('x-forwarded-for', caller.address)
  headers.set('x-forwarded-proto', protocol.slice(0, -1))
  headers.set('x-forwarded-host', hostname)
  headers.set('x-forwarded-port', port || (protocol === 'https:' ? '443' : '80'))
  headers.set('x-forwarded-path', pathname)
  headers.set('x-forwarded-prefix', prefix)
  return headers
}
