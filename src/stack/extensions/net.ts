import { type HttpOutcome, type HttpRequest, perform } from './net-request.ts'
import { openSession, type Session } from './session.ts'

type QueuedRequest = HttpRequest & { id: string }

/** pg_net's defaults: how many requests are made at once, and how long their responses are kept. */
const batchSize = 200
const ttl = '6 hours'
/** Notices come with every request; this finds what was queued while we were not listening, and expires responses. */
const pollEvery = 60_000

/**
 * Makes the requests of net.http_request_queue, as pg_net's background worker does. There need not be a pg_net yet.
 * @param options.url the database; log in as `postgres`, as on hosted: everybody may put a trigger on pg_net's tables
 * @throws when the database cannot be reached
 */
export async function startNet(options: {
  url: string
  log(message: string): void
}): Promise<{ close(): Promise<void> }> {
  const { url, log } = options
  const requests = new Set<Promise<void>>()
  const closing = new AbortController()
  let drained = Promise.resolve()
  let isWaiting = false
  const session: Session = await openSession({
    url,
    // net.check_worker_is_up() looks for this name.
    name: 'pg_net worker',
    channel: 'pg_net',
    onReopen: drain,
    onNotify: drain,
    log,
  })
  const poll = setInterval(drain, pollEvery)
  drain()

  function drain(): void {
    if (isWaiting) return
    isWaiting = true
    drained = drained.then(takeRequests).catch((error: Error) => {
      if (!closing.signal.aborted) log(`pg_net worker: ${error.message}`)
    })
  }

  async function takeRequests(): Promise<void> {
    isWaiting = false
    const free = batchSize - requests.size
    if (closing.signal.aborted || free === 0) return
    const [row] = await session.query<{ installed: boolean }>(
      `select to_regclass('net.http_request_queue') is not null as installed`,
    )
    if (!row?.installed) return

    await session.query(`delete from net._http_response where created < now() - $1::interval`, [ttl])
    const taken = await session.query<QueuedRequest>(
      `delete from net.http_request_queue as q
       using (select id from net.http_request_queue order by id limit $1) as taken
       where q.id = taken.id
       returning q.id, q.method, q.url, q.body, q.timeout_milliseconds, (
         select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each_text(q.headers) where value is not null
       ) as headers`,
      [free],
    )
    for (const request of taken) {
      const answered = answer(request).finally(() => {
        requests.delete(answered)
        // There was no room for all of them.
        if (taken.length === free) drain()
      })
      requests.add(answered)
    }
  }

  async function answer(request: QueuedRequest): Promise<void> {
    const outcome = await perform(request, closing.signal)
    try {
      if (outcome) await store(request.id, outcome)
      else await putBack(request)
    } catch (error) {
      log(`pg_net worker cannot store the response to request ${request.id}: ${(error as Error).message}`)
    }
  }

  function store(id: string, outcome: HttpOutcome): Promise<unknown> {
    return session.query(
      `insert into net._http_response (id, status_code, content_type, headers, content, timed_out, error_msg)
       select $1, status_code, content_type, headers, content, timed_out, error_msg
       from jsonb_populate_record(null::net._http_response, $2)`,
      [id, outcome],
    )
  }

  /** We are stopping: the next worker makes the request, which may then arrive twice, as with the real one. */
  function putBack({ id, method, url, headers, body, timeout_milliseconds }: QueuedRequest): Promise<unknown> {
    return session.query(
      `insert into net.http_request_queue (id, method, url, headers, body, timeout_milliseconds)
       values ($1, $2, $3, $4, $5, $6)`,
      [id, method, url, headers, body, timeout_milliseconds],
    )
  }

  return {
    close: async () => {
      closing.abort()
      clearInterval(poll)
      await drained
      await Promise.all(requests)
      await session.close()
    },
  }
}
