import { type ErrorBody, errorResponse } from './database-error.ts'

const refusals: [fault: string, ErrorBody][] = [
  ['URIError: ', { code: 'PGRST125', details: null, hint: null, message: 'Invalid path specified in request URL' }],
  [
    'RangeError: Maximum call stack size exceeded',
    { code: 'PGRST100', details: null, hint: null, message: 'The request is nested too deeply' },
  ],
]

/**
 * A request that cannot be read is its sender's mistake: a path that is no UTF-8, JSON or filters that are nested
 * thousands deep. @supabase/lite 0.10.0 answers both with 500 and its own fault.
 */
export async function refuseUnreadable(response: Response): Promise<Response> {
  if (response.status !== 500) return response
  const body = await response.clone().text()
  const refusal = refusals.find(([fault]) => body.startsWith('{"code":"SUP"') && body.includes(`"message":"${fault}`))
  return refusal ? errorResponse(400, refusal[1]) : response
}
