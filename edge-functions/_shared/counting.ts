import { tokenOf } from './database.ts'

/** Counts so many calls, and says whose they are. @throws Refusal */
type Count = (request: Request, calls: number) => Promise<string>

interface Caller {
  userId: string
  /** When the last count was good; 0 when it was refused, or there was none. */
  countedAt: number
  uncounted: number
  /** The count under way, and what it was refused with. */
  counting: Promise<unknown> | undefined
}

// Beside a call are counted: so many, or those since so long.
const together = { calls: 10, milliseconds: 10_000 }
const trusted = { tokens: 1000, milliseconds: 60_000 }
// SQL counts no more at once.
const mostCalls = 100

/**
 * Counts calls by their tokens. A count costs as much as the call: so the first call of a token waits for it, which finds
 * the token good, and the later ones are counted beside what they do, several together. When that is refused, the next
 * call is; and whoever calls faster than is counted waits.
 *
 * @param now the time in milliseconds
 * @returns what counts a call, and says whose it is. It throws Refusal when nobody is signed in, or calls too often.
 */
export function counter(count: Count, now = Date.now): (request: Request) => Promise<string> {
  const callers = new Map<string, Caller>()
  const isTrusted = ({ countedAt }: Caller) => countedAt + trusted.milliseconds > now()
  const hasMany = ({ uncounted }: Caller) => uncounted >= together.calls

  async function settle(request: Request, token: string, caller: Caller): Promise<void> {
    const calls = Math.min(caller.uncounted, mostCalls)
    caller.uncounted -= calls
    try {
      caller.userId = await count(request, calls)
      caller.countedAt = now()
      if (callers.size >= trusted.tokens) callers.clear()
      callers.set(token, caller)
    } catch (error) {
      // They stay to be counted: else every refusal would be a present of all calls but one.
      caller.uncounted += calls
      caller.countedAt = 0
      throw error
    }
  }

  return async (request) => {
    const token = tokenOf(request)
    const caller = callers.get(token) ?? { userId: '', countedAt: 0, uncounted: 0, counting: undefined }
    caller.uncounted += 1
    while (caller.counting && (hasMany(caller) || !isTrusted(caller))) await caller.counting

    const isDue = hasMany(caller) || caller.countedAt + together.milliseconds < now()
    if (isDue && !caller.counting) {
      const beside = isTrusted(caller)
      caller.counting = settle(request, token, caller)
        .catch((refusal) => refusal)
        .finally(() => {
          caller.counting = undefined
        })
      const refusal = beside ? undefined : await caller.counting
      if (refusal) {
        // This call is not answered, and need not be counted.
        caller.uncounted -= 1
        throw refusal
      }
    }
    return caller.userId
  }
}
