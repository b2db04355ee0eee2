import { timingSafeEqual } from 'node:crypto'
import { type Database, serviceDatabase } from './database.ts'
import { type Log, reason } from './log.ts'
import { Refusal } from './refusal.ts'
import type { Handler } from './serve.ts'
import { setting } from './settings.ts'

export interface Job<T> {
  job_id: number
  /** How often it was read, this time included. */
  attempt: number
  enqueued_at: string
  job: T
}

/** How a job ended. Without `left` all of it is to be done again, with it what differs from the job as it was. */
export type Outcome =
  | { jobId: number; state: 'done' }
  | { jobId: number; state: 'failed'; reason: string; left?: object }
  /** There was too much for one call, and the rest is a job of its own. */
  | { jobId: number; state: 'continues'; left: object }

export interface Queue<T> {
  name: string
  /** Does some of the jobs at once; each job has one outcome. What it throws all of them have failed with. */
  work(jobs: Job<T>[], database: Database, log: Log): Promise<Outcome[]>
  /** How many are read together. A worker that dies leaves as many to wait until others may read them. */
  batch: number
}

// Hosted ends a function after 150 s, and jobs are read again after 60: nobody else has them while we do.
const limits = { jobs: 100, beginningMs: 30_000, visibilitySeconds: 60 }

/** A function that the database calls when a queue has jobs: it does at most 100 of them. */
export function draining<T>(queue: Queue<T>): Handler {
  return async (request, log) => {
    requireJobSecret(request)
    // Jobs are nobody's: only the service may read and finish them.
    const database = serviceDatabase()
    const startedAt = performance.now()
    const counts = { done: 0, failed: 0, continues: 0 }
    for (let read = 0; read < limits.jobs && performance.now() - startedAt < limits.beginningMs; ) {
      const wanted = Math.min(queue.batch, limits.jobs - read)
      const jobs = await database.rpc<Job<T>[]>('read_jobs', {
        p_queue: queue.name,
        p_limit: wanted,
        p_visibility_seconds: limits.visibilitySeconds,
      })
      if (jobs.length === 0) break
      read += jobs.length
      const outcomes = await queue.work(jobs, database, log).catch((error) => allFailed(jobs, error))
      for (const { state } of outcomes) counts[state] += 1
      await record(queue.name, outcomes, database, log)
      if (jobs.length < wanted) break
    }
    log('drained', { queue: queue.name, ...counts })
    return Response.json({ success: true, ...counts })
  }
}

function allFailed<T>(jobs: Job<T>[], error: unknown): Outcome[] {
  return jobs.map(({ job_id }) => ({ jobId: job_id, state: 'failed', reason: reason(error) }))
}

async function record(queue: string, outcomes: Outcome[], database: Database, log: Log): Promise<void> {
  const done = outcomes.filter(({ state }) => state === 'done').map(({ jobId }) => jobId)
  if (done.length > 0) await database.rpc('finish_jobs', { p_queue: queue, p_job_ids: done })
  for (const outcome of outcomes) {
    if (outcome.state === 'done') continue
    const { jobId, state, left } = outcome
    const job = { p_queue: queue, p_job_id: jobId, ...(left && { p_left: left }) }
    if (state === 'failed') log('job failed', { queue, job_id: jobId, reason: outcome.reason })
    const recorded =
      state === 'failed'
        ? database.rpc('fail_job', { ...job, p_reason: outcome.reason })
        : database.rpc('continue_job', job)
    await recorded.catch((error) => {
      // We were so slow that somebody else has finished it.
      if (error.code !== 'job_not_found') throw error
    })
  }
}

function requireJobSecret(request: Request): void {
  const expected = new TextEncoder().encode(setting('PARLEY_JOB_SECRET'))
  const given = new TextEncoder().encode(request.headers.get('x-job-secret') ?? '')
  // In the same time, however much of it is right.
  if (given.length === expected.length && timingSafeEqual(given, expected)) return
  throw new Refusal(401, 'wrong_job_secret', 'Only the database calls this function.')
}
