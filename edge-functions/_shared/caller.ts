import { createHmac } from 'node:crypto'
import { counter } from './counting.ts'
import { callerDatabase, type Database } from './database.ts'
import { setting } from './settings.ts'

/** Somebody with a user token. */
export interface Caller extends Database {
  id: string
}

const countCall = counter((request, p_calls) => callerDatabase(request).rpc('count_calls', { p_calls }))

/**
 * Who calls. The calls are counted by the database, which looks at the token with that; it does so again with everything
 * that the call then asks of it.
 *
 * @throws Refusal when nobody is signed in, or somebody calls too often.
 */
export async function callerOf(request: Request): Promise<Caller> {
  const id = await countCall(request)
  return { ...callerDatabase(request, signedAddress(request, id)), id }
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
