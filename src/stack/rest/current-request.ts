import { AsyncLocalStorage } from 'node:async_hooks'
import type { Setting } from './transaction.ts'

/** What Postgres is told about the HTTP request it works for. */
export interface RestRequest {
  method: string
  /** As PostgREST sees it, behind the gateway: `/chat_messages`, `/rpc/send_message`. */
  path: string
  headers: Record<string, string>
}

// @supabase/lite hands the connection an RPC's request and keeps a table's to itself.
const requests = new AsyncLocalStorage<RestRequest>()

/** Runs it so that `currentRequest()` gives this request, however deep. */
export function runForRequest<T>(request: RestRequest, run: () => T): T {
  return requests.run(request, run)
}

export function currentRequest(): RestRequest | undefined {
  return requests.getStore()
}

export function describeRequest(request: Request): RestRequest {
  return {
    method: request.method,
    path: new URL(request.url).pathname.replace(/^\/rest\/v1/, ''),
    headers: Object.fromEntries(request.headers),
  }
}

/** Whether it is meant for a function; unlike `calledFunction`, also where the name is not readable. */
export function isCall({ path }: RestRequest): boolean {
  return path.startsWith('/rpc/')
}

/** The function a request calls, when it calls one. */
export function calledFunction({ path }: RestRequest): string | undefined {
  const name = /^\/rpc\/([^/]+)/.exec(path)?.[1]
  return name && decodeURIComponent(name)
}

export function requestSettings({ method, path, headers }: RestRequest): Setting[] {
  const cookies = (headers.cookie ?? '').split(/;\s*/).filter((pair) => pair.includes('='))
  return [
    ['request.method', method],
    ['request.path', path],
    ['request.headers', JSON.stringify(headers)],
    ['request.cookies', JSON.stringify(Object.fromEntries(cookies.map((pair) => pair.split(/=(.*)/s))))],
  ]
}
