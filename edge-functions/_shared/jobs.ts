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

/** How a job ended. What is in `left` replaces the same of the job; without it the job stays as it was. */
export type Outcome =
  | { jobId: number; state: 'done' }
  | { jobId: number; state: 'failed'; reason: string; left?: object }
  /** There was too much for one call, and the rest is a job of its own. */
  | { jobId: number; state: 'continues'; left: object }

export interface Queue<T> {
  name: string
  /** Throws when a secret is missing that all jobs need. No job is read then: they wait, and none fails of it. */
  requireSettings?(): void
  /** Does these jobs, within 45 s; each has one outcome. What it throws all of them have failed with. */
  work(jobs: Job<T>[], database: Database, log: Log): Promise<Outcome[]>
}

// Hosted ends a function after 150 s, and others read these jobs after 60: until then nobody else has them.
const limits = { jobs: 100, visibilitySeconds: 60 }

/** A function that the database calls when a queue has jobs: it does at most 100 of them, and is then called again. */
export function draining<T>(queue: Queue<T>): Handler {
  return async (request, log) => {
    requireJobSecret(request)
    queue.requireSettings?.()
    // Jobs are nobody's: only the service may read and finish them.
    const database = serviceDatabase()
    const jobs = await database.rpc<Job<T>[]>('read_jobs', {
      p_queue: queue.name,
      p_limit: limits.jobs,
      p_visibility_seconds: limits.visibilitySeconds,
    })
    const outcomes =
      jobs.length > 0 ? await queue.work(jobs, database, log).catch((error) => allFailed(jobs, error)) : []
    await record(queue.name, outcomes, database, log)
    const counts = { done: 0, failed: 0, continues: 0 }
    for (const { state } of outcomes) counts[state] += 1
    log('drained', { queue: queue.name, ...counts })
    return Response.json({ success: true, ...counts })
  }
}

function allFailed<T>(jobs: Job<T>[], error: unknown): Outcome[] {
  return jobs.map(({ job_id }) => ({ jobId: job_id, state: 'failed', reason: reason(error) }))
}

// The done ones last: whoever finishes some has the function called again.
async function record(queue: string, outcomes: Outcome[], database: Database, log: Log): Promise<void> {
  await Promise.all(outcomes.map((outcome) => recordUndone(queue, outcome, database, log)))
  const done = outcomes.filter(({ state }) => state === 'done').map(({ jobId }) => jobId)
  if (done.length > 0) await database.rpc('finish_jobs', { p_queue: queue, p_job_ids: done })
}

async function recordUndone(queue: string, outcome: Outcome, database: Database, log: Log): Promise<void> {
  if (outcome.state === 'done') return
  const { jobId, left } = outcome
  const job = { p_queue: queue, p_job_id: jobId, ...(left && { p_left: left }) }
  try {
    if (outcome.state === 'continues') return await database.rpc('continue_job', job)
    const { state } = await database.rpc<{ state: string }>('fail_job', { ...job, p_reason: outcome.reason })
    log('job failed', { queue, job_id: jobId, reason: outcome.reason, state })
  } catch (error) {
    // We were so slow that somebody else has finished it.
    if (!(error instanceof Refusal && error.code === 'job_not_found')) throw error
  }
}

/** @throws Refusal unless the database calls, or whoever looks after it. */
export function requireJobSecret(request: Request): void {
  const expected = new TextEncoder().encode(setting('PARLEY_JOB_SECRET'))
  const given = new TextEncoder().encode(request.headers.get('x-job-secret') ?? '')
  // In the same time, however much of it is right.
  if (given.length === expected.length && timingSafeEqual(given, expected)) return
  throw new Refusal(401, 'wrong_job_secret', 'Only the database calls this function.')
}
