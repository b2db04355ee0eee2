import { createHmac } from 'node:crypto'
import { type Caller, callerDatabase } from '../_shared/database.ts'
import { setting } from '../_shared/settings.ts'

/**
 * Who calls. Counts the call, and with that has the database look at the token.
 *
 * @throws Refusal when nobody is signed in, or somebody calls too often.
 */
export async function callerOf(request: Request): Promise<Caller> {
  const userId = await callerDatabase(request).rpc<string>('count_call', {})
  return { ...callerDatabase(request, signedAddress(request, userId)), id: () => Promise.resolve(userId) }
}

/**
 * The address the call comes from, for the audit: the database sees only ours, and believes this one by its signature.
 * `private.caller_address` reads both alike, and says why.
 */
function signedAddress(request: Request, userId: string): Record<string, string> {
  const hops = request.headers.get('x-forwarded-for')?.split(',') ?? []
  const address = (request.headers.get('cf-connecting-ip') ?? hops.at(-1) ?? '').trim()
  if (!address) return {}
  const claim = `${address};${Math.floor(Date.now() / 1000)}`
  const signature = createHmac('sha256', setting('PARLEY_JOB_SECRET')).update(`${claim};${userId}`).digest('hex')
  return { 'x-parley-address': `${claim};${signature}` }
}
