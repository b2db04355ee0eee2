import { setTimeout as delay } from 'node:timers/promises'

/** What a test writes to make the next calls go wrong. */
export interface FailureScript {
  /** Which calls; left out, all of them. */
  operation?: string
  /** Only calls about this public id (of a list, the first that was asked for) or device token. */
  target?: string
  /** How many matching calls go wrong. Default 1. */
  times?: number | 'always'
  /** HTTP status of the answer; left out, the call is only slow. */
  status?: number
  /** The service's own name for the error, such as `QUOTA_EXCEEDED`. */
  code?: string
  message?: string
  /** Seconds, sent as `Retry-After`. */
  retry_after?: number
  /** Milliseconds to wait before answering. */
  delay_ms?: number
  /** Never answer: the caller's own time limit must end the call. */
  hang?: boolean
  /** `after`: the work is done and only the answer goes wrong, as when a connection breaks late. Default `before`. */
  when?: 'before' | 'after'
}

export class InvalidScript extends Error {
  override readonly name = 'InvalidScript'
}

/** The failures waiting to happen, first in, first out. */
export class Failures {
  readonly #operations: readonly string[]
  #scripts: FailureScript[] = []

  constructor(operations: readonly string[]) {
    this.#operations = operations
  }

  /** Throws InvalidScript when `input` is not a FailureScript. */
  add(input: unknown): FailureScript {
    const script = { times: 1, ...checked(input, this.#operations) }
    this.#scripts.push(script)
    return script
  }

  /** The failure this call has to suffer, if any; using it counts. */
  take(operation: string, target?: string): FailureScript | undefined {
    const script = this.#scripts.find(
      (waiting) =>
        (waiting.operation === undefined || waiting.operation === operation) &&
        (waiting.target === undefined || waiting.target === target),
    )
    if (script && script.times !== 'always') {
      script.times = (script.times ?? 1) - 1
      if (script.times === 0) this.#scripts = this.#scripts.filter((waiting) => waiting !== script)
    }
    return script
  }

  list(): FailureScript[] {
    return [...this.#scripts]
  }

  clear(): void {
    this.#scripts = []
  }
}

/** Waits as scripted. Resolves early when `signal` aborts: the caller hung up, or the sandbox closes. */
export async function suffer(failure: FailureScript, signal: AbortSignal): Promise<void> {
  if (failure.hang) {
    if (signal.aborted) return
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  } else if (failure.delay_ms) {
    await delay(failure.delay_ms, undefined, { signal }).catch((error) => {
      if (!signal.aborted) throw error
    })
  }
}

const fields = ['operation', 'target', 'times', 'status', 'code', 'message', 'retry_after', 'delay_ms', 'hang', 'when']

function checked(input: unknown, operations: readonly string[]): FailureScript {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) throw new InvalidScript('not a JSON object')
  const script = input as FailureScript
  const unknown = Object.keys(script).find((field) => !fields.includes(field))
  if (unknown) throw new InvalidScript(`no such field: ${unknown}; there are ${fields.join(', ')}`)

  const { operation, times = 1, status, delay_ms, retry_after, hang, when = 'before' } = script
  if (operation !== undefined && !operations.includes(operation)) {
    throw new InvalidScript(`no such operation: ${operation}; there are ${operations.join(', ')}`)
  }
  if (times !== 'always' && !(Number.isInteger(times) && times > 0))
    throw new InvalidScript('times: 1 or more, or always')
  if (status !== undefined && !(Number.isInteger(status) && status >= 400 && status < 600)) {
    throw new InvalidScript('status: 400 to 599')
  }
  for (const [name, value] of Object.entries({ delay_ms, retry_after })) {
    if (value !== undefined && !(Number.isFinite(value) && value >= 0))
      throw new InvalidScript(`${name}: a number from 0`)
  }
  if (when !== 'before' && when !== 'after') throw new InvalidScript('when: before or after')
  if (status === undefined && !delay_ms && !hang && !script.code) {
    throw new InvalidScript('nothing would happen: give status, code, delay_ms or hang')
  }
  return script
}
