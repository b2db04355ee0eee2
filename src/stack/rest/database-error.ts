import pg from 'pg'

export interface FailedRequest {
  /** The role it ran as. */
  role: string
  /** The table or view it asked for; undefined for a function. */
  table: string | undefined
}

/**
 * The answer PostgREST gives for what Postgres refused, or undefined for an error that is not Postgres'.
 * @supabase/lite 0.10.0 answers `500 {"code":"SUP"}` to most of them.
 */
export function databaseErrorResponse(error: unknown, request: FailedRequest): Response | undefined {
  if (error instanceof pg.DatabaseError) {
    // `raise sqlstate 'PGRST'` writes the whole answer itself, which lite reads as PostgREST does.
    if (error.code === 'PGRST') return undefined
    const { code = 'XX000', detail, hint } = error
    return errorResponse(httpStatus(error, request.role), {
      code,
      details: detail ?? null,
      hint: hint ?? null,
      message: messageFor(error, request.table),
    })
  }
  if (isLostConnection(error)) {
    const message = 'Database client error. Retrying the connection.'
    return errorResponse(503, { code: 'PGRST001', details: null, hint: null, message })
  }
  return undefined
}

/** What the body of every refusal holds. */
export interface ErrorBody {
  code: string
  details: string | null
  hint: string | null
  message: string
}

export function errorResponse(status: number, body: ErrorBody): Response {
  const headers = { 'content-type': 'application/json; charset=utf-8' }
  return new Response(JSON.stringify(body), { status, headers })
}

// https://docs.postgrest.org/en/v13/references/errors.html: the longest prefix of the SQLSTATE that is listed wins.
const statuses: Record<string, number> = {
  '08': 503,
  '09': 500,
  '0L': 403,
  '0P': 403,
  21000: 500,
  23503: 409,
  23505: 409,
  25: 500,
  25006: 405,
  28: 403,
  '2D': 500,
  38: 500,
  39: 500,
  '3B': 500,
  40: 500,
  42883: 404,
  '42P01': 404,
  '42P17': 500,
  53: 503,
  53400: 500,
  54: 500,
  55: 500,
  57: 500,
  '57P01': 503,
  58: 500,
  F0: 500,
  HV: 500,
  P0: 500,
  P0001: 400,
  XX: 500,
}

function httpStatus({ code = 'XX000', message }: pg.DatabaseError, role: string): number {
  if (code === '42501') return role === 'anon' ? 401 : 403
  // A token may name a role that is not there.
  if (code === '22023' && /^role .* does not exist$/.test(message)) return 401
  const asked = /^PT(\d{3})$/.exec(code)?.[1]
  // A Response takes no other status than these.
  if (asked) return Number(asked) >= 200 && Number(asked) <= 599 ? Number(asked) : 500
  if (code.startsWith('PT')) return 500
  return statuses[code] ?? statuses[code.slice(0, 2)] ?? 400
}

// PostgREST's SQL names the table with each column, lite's does not. An error with a context comes from a function or
// trigger, whose words are its own.
function messageFor({ code, message, where }: pg.DatabaseError, table: string | undefined): string {
  if (code !== '42703' || !table || where) return message
  return message.replace(/^column "?([^".]+)"? does not exist$/, `column ${table}.$1 does not exist`)
}

// node-postgres gives these no code of their own.
const lost = /^Connection terminated|^Client has encountered a connection error|^Client was closed|ECONN|EPIPE/

function isLostConnection(error: unknown): boolean {
  return error instanceof Error && lost.test(error.message)
}
