import { createHmac } from 'node:crypto'
import { type Caller, callerDatabase, tokenOf } from '../_shared/database.ts'
import { setting } from '../_shared/settings.ts'

/** A token that the database found good a moment ago. */
interface Known {
  userId: string
  until: number
  /** Calls since then. */
  uncounted: number
}

// So many calls, in so short a time, are counted together: asking before each would cost as much as the call itself.
const together = { calls: 10, milliseconds: 2000, tokens: 1000 }
const known = new Map<string, Known>()

/**
 * Who calls. The calls are counted by the database, which looks at the token with that; it does so again with everything
 * that the call then asks of it.
 *
 * @throws Refusal when nobody is signed in, or somebody calls too often.
 */
export async function callerOf(request: Request): Promise<Caller> {
  const userId = await countCall(request)
  return { ...callerDatabase(request, signedAddress(request, userId)), id: () => Promise.resolve(userId) }
}

async function countCall(request: Request): Promise<string> {
  const token = tokenOf(request)
  const there = known.get(token)
  if (there && there.until > Date.now() && there.uncounted + 1 < together.calls) {
    there.uncounted += 1
    return there.userId
  }
  const calls = Math.min(1 + (there?.uncounted ?? 0), together.calls)
  // Calls that come meanwhile do not count these again.
  if (there) there.uncounted = 0
  try {
    const userId = await callerDatabase(request).rpc<string>('count_calls', { p_calls: calls })
    if (known.size >= together.tokens) known.clear()
    known.set(token, { userId, until: Date.now() + together.milliseconds, uncounted: 0 })
    return userId
  } catch (error) {
    // Refused, they stay to be counted: else every refusal would be a present of nine calls.
    if (there) Object.assign(there, { until: 0, uncounted: calls })
    throw error
  }
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
