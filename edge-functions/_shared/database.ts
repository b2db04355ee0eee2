import { notSignedIn, Refusal, unavailable } from './refusal.ts'
import { setting } from './settings.ts'

const patienceMs = 10_000

/** The project's API, as seen by one caller. All of its calls throw Refusal. */
export interface Database {
  /** Calls an SQL function. */
  rpc<T>(name: string, args: object): Promise<T>
  /** Reads or writes rows: a table's path with its query. POST writes over the row with the same key. */
  rows<T>(path: string, init?: { method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'; body?: object }): Promise<T>
  /** Any other part of the API, such as Storage; the answer is to be read within 10 s. */
  fetch(path: string, init?: RequestInit): Promise<Response>
}

/**
 * With the caller's own token, and so with the caller's own rights.
 *
 * @param headers what else each call says.
 * @throws Refusal when the request has none.
 */
export function callerDatabase(request: Request, headers: Record<string, string> = {}): Database {
  return database({ ...headers, apikey: publishableKey(), authorization: `Bearer ${tokenOf(request)}` })
}

/** With the rights of the service. Say why where you use it. */
export function serviceDatabase(): Database {
  return database({ apikey: JSON.parse(setting('SUPABASE_SECRET_KEYS')).default })
}

function database(own: Record<string, string>): Database {
  function send(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    for (const [name, value] of Object.entries(own)) headers.set(name, value)
    return ask(path, { ...init, headers })
  }
  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    // A row that is there already is written over.
    const headers = { 'content-type': 'application/json', prefer: 'resolution=merge-duplicates' }
    const response = await send(`/rest/v1/${path}`, { method, headers, body: body && JSON.stringify(body) })
    const text = await response.text().catch((error) => {
      throw unavailable(error)
    })
    if (!response.ok) throw refusalOf(response.status, text)
    return (text ? JSON.parse(text) : null) as T
  }
  return {
    rpc: (name, args) => call('POST', `rpc/${name}`, args),
    rows: (path, { method = 'GET', body } = {}) => call(method, path, body),
    fetch: send,
  }
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(setting('SUPABASE_URL') + path, { ...init, signal: AbortSignal.timeout(patienceMs) })
  } catch (error) {
    throw unavailable(error)
  }
}

// Ours say what is wrong in `details`, and have an HTTP status in their SQLSTATE. What others say is for the log alone.
function refusalOf(status: number, text: string): Refusal {
  const error = parse(text)
  const [, refused] = /^PT(4\d\d)$/.exec(error.code ?? '') ?? []
  if (refused && error.details) {
    const retryAfter = /^\d+$/.test(error.hint ?? '') ? Number(error.hint) : undefined
    // For a bad value the HTTP door says 400.
    const shown = refused === '422' ? 400 : Number(refused)
    return new Refusal(shown, error.details, error.message ?? '', retryAfter === undefined ? {} : { retryAfter })
  }
  if (status === 401) return notSignedIn()
  // A value that Postgres cannot hold, such as a text with a zero byte.
  if (error.code?.startsWith('22')) return new Refusal(400, 'invalid_input', 'Please check what you sent.')
  return unavailable(new Error(`REST answered ${status}: ${error.code} ${error.message}`))
}

interface RestError {
  code?: string
  message?: string
  details?: string
  hint?: string
}

function parse(text: string): RestError {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

/** @throws Refusal when there is none. */
export function tokenOf(request: Request): string {
  const [, token] = /^(?:Bearer|Token) +(\S+)$/i.exec(request.headers.get('authorization') ?? '') ?? []
  if (!token) throw notSignedIn()
  return token
}

function publishableKey(): string {
  return JSON.parse(setting('SUPABASE_PUBLISHABLE_KEYS')).default
}
