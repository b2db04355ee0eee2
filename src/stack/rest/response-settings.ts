import { errorResponse } from './database-error.ts'
import type { Database } from './transaction.ts'

/** What SQL asked for with `set_config('response.status' | 'response.headers', …, true)`. */
export interface ResponseSettings {
  status: string
  headers: string
}

export async function readResponseSettings(db: Database): Promise<ResponseSettings> {
  const { status, headers } = await db
    .selectNoFrom((eb) => [
      eb.fn<string | null>('current_setting', [eb.val('response.status'), eb.lit(true)]).as('status'),
      eb.fn<string | null>('current_setting', [eb.val('response.headers'), eb.lit(true)]).as('headers'),
    ])
    .executeTakeFirstOrThrow()
  return { status: status ?? '', headers: headers ?? '' }
}

/** Changes the answer as PostgREST does: any status from 200 on, headers added or replaced. */
export function withResponseSettings(response: Response, settings: ResponseSettings): Response {
  if (!settings.status && !settings.headers) return response
  const status = settings.status ? Number(settings.status) : response.status
  if (!Number.isInteger(status) || status < 200 || status > 599)
    return invalid('PGRST112', 'response.status guc must be a valid status code')
  const added = parseHeaders(settings.headers)
  if (!added)
    return invalid(
      'PGRST111',
      'response.headers guc must be a JSON array composed of objects with a single key and a string value',
    )

  const headers = new Headers(response.headers)
  for (const [name, value] of added) headers.set(name, value)
  const hasNoBody = status === 204 || status === 205 || status === 304
  if (hasNoBody) {
    headers.delete('content-type')
    headers.delete('content-length')
  }
  return new Response(hasNoBody ? null : response.body, { status, headers })
}

function invalid(code: string, message: string): Response {
  return errorResponse(500, { code, details: null, hint: null, message })
}

/** `[{"name": "value"}, …]`, or undefined when it is anything else. */
function parseHeaders(json: string): [string, string][] | undefined {
  if (!json) return []
  try {
    const entries = (JSON.parse(json) as object[]).map((header) => Object.entries(header))
    const pairs = entries.flat() as [string, unknown][]
    const valid = entries.every(({ length }) => length === 1) && pairs.every(([, value]) => typeof value === 'string')
    // Headers refuses names and values that HTTP does not allow.
    return valid ? [...new Headers(pairs as [string, string][])] : undefined
  } catch {
    return undefined
  }
}
