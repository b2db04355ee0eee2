import { unavailable } from './refusal.ts'

const limits = { answerMs: 10_000, silenceMs: 20_000 }

/**
 * Asks a server that keeps files. One that does not answer, or with a fault of its own, is unavailable. Reading the whole
 * of an answer may take long, waiting for its next piece may not.
 *
 * @throws Refusal
 */
export async function fetchOutside(url: string, init: RequestInit = {}, answerMs = limits.answerMs): Promise<Response> {
  const abort = new AbortController()
  const { host } = new URL(url)
  const giveUp = () => abort.abort(new Error(`${host} did not answer in time.`))
  const timer = setTimeout(giveUp, answerMs)
  const response = await fetch(url, { ...init, signal: abort.signal })
    .catch((error) => {
      throw unavailable(error)
    })
    .finally(() => clearTimeout(timer))
  if (response.status === 420 || response.status === 429 || response.status >= 500) {
    await response.body?.cancel()
    throw unavailable(new Error(`${host} answered ${response.status}.`))
  }
  return new Response(response.body && impatient(response.body, giveUp), response)
}

function impatient(body: ReadableStream<Uint8Array>, giveUp: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream(
    {
      async pull(controller) {
        const timer = setTimeout(giveUp, limits.silenceMs)
        const { value, done } = await reader.read().finally(() => clearTimeout(timer))
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    // Nothing is read before somebody wants it.
    { highWaterMark: 0 },
  )
}

/** The JSON of an answer. @throws Refusal when it is none. */
export async function jsonOf<T>(response: Response): Promise<T> {
  try {
    return (await response.json()) as T
  } catch (error) {
    throw unavailable(error)
  }
}

/** The first bytes of an answer, at most so many; the rest is not fetched. */
export async function headOf({ body }: Response, length: number): Promise<Uint8Array> {
  const head = new Uint8Array(length)
  let size = 0
  const reader = body?.getReader()
  while (reader && size < length) {
    const { value, done } = await reader.read().catch((error) => {
      throw unavailable(error)
    })
    if (done) break
    head.set(value.subarray(0, length - size), size)
    size += Math.min(value.length, length - size)
  }
  await reader?.cancel()
  return head.subarray(0, size)
}
