/** What stands in a line besides the event: ids, counts, statuses and codes. Never a secret, a token or what somebody wrote. */
type Facts = Record<string, string | number | boolean | null | undefined>

/** Writes a line of JSON about one request of one function. */
export type Log = (event: string, facts?: Facts) => void

export function logOf(name: string, requestId: string): Log {
  return (event, facts = {}) => console.log(JSON.stringify({ function: name, request_id: requestId, event, ...facts }))
}

/** An error as a log may show it: never the whole object, since errors of SDKs carry the secrets they were made with. */
export function reason(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : 'Something that is no error was thrown.'
  const { cause } = (error ?? {}) as { cause?: unknown }
  const whole = cause instanceof Error ? `${text} (${cause.name}: ${cause.message})` : text
  // Deno names the whole address that it could not reach: of a signed one the signature too.
  return whole.replaceAll(/\?[^\s)]+/g, '?…').slice(0, 500)
}
