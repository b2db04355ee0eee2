import { type Job, runJob } from './cron-run.ts'
import { isDue, type Schedule } from './cron-schedule.ts'
import { openSession, type Session } from './session.ts'

type ScheduledJob = Job & Schedule & { schedule: string }

interface Task {
  job: ScheduledJob
  /** When the next run of an interval starts, in milliseconds since 1970. */
  next: number
  /** Runs that wait: a job never overlaps itself, what falls due meanwhile comes after. */
  pending: number
}

const minute = 60_000
/** pg_cron's default for cron.max_running_jobs. */
const maxRunning = 32

/**
 * Runs the jobs of cron.job, as pg_cron's background worker does. There need not be a pg_cron yet: it is noticed when
 * its first job is scheduled.
 * @param options.url the database, as a superuser
 * @throws when the database cannot be reached
 */
export async function startCron(options: {
  url: string
  log(message: string): void
}): Promise<{ close(): Promise<void> }> {
  const { url, log } = options
  const tasks = new Map<string, Task>()
  const running = new Map<string, { cancel: AbortController; done: Promise<void> }>()
  let lastMinute = startOfMinute(Date.now())
  let timer: NodeJS.Timeout | undefined
  let isFirstLoad = true
  let closed = false
  const session: Session = await openSession({
    url,
    name: 'pg_cron scheduler',
    channel: 'pg_cron',
    onReopen: resume,
    onNotify: () => attempt(load),
    log,
  })

  resume()

  function resume(): void {
    attempt(async () => {
      await failInterruptedRuns()
      await load()
    })
  }

  function attempt(work: () => Promise<void>): void {
    work().catch((error: Error) => {
      if (!closed) log(`pg_cron scheduler: ${error.message}`)
    })
  }

  async function isInstalled(): Promise<boolean> {
    const [row] = await session.query<{ installed: boolean }>(`select to_regclass('cron.job') is not null as installed`)
    return row?.installed === true
  }

  /** What was running when an earlier scheduler or server died will never end. */
  async function failInterruptedRuns(): Promise<void> {
    if (!(await isInstalled())) return
    await session.query(
      `update cron.job_run_details set status = 'failed', return_message = 'server restarted'
       where status in ('starting', 'running')
       and not exists (select from pg_stat_activity where pid = job_pid)`,
    )
  }

  async function load(): Promise<void> {
    const jobs = (await isInstalled())
      ? await session.query<ScheduledJob>(
          `select j.jobid, j.schedule, j.command, j.database, j.username, s.*
           from cron.job as j, cron._parse_schedule(j.schedule) as s
           where j.active order by j.jobid`,
        )
      : []
    const now = Date.now()
    for (const job of jobs) {
      const task = tasks.get(job.jobid)
      if (task && task.job.schedule === job.schedule) task.job = job
      else {
        const pending = isFirstLoad && job.on_start ? 1 : 0
        tasks.set(job.jobid, { job, next: now + (job.every ?? 0) * 1000, pending })
      }
    }
    const kept = new Set(jobs.map((job) => job.jobid))
    for (const jobid of tasks.keys()) {
      if (kept.has(jobid)) continue
      tasks.delete(jobid)
      running.get(jobid)?.cancel.abort()
    }
    isFirstLoad = false
    tick()
  }

  /** Starts what is due and sleeps until the next job is. A minute that the machine slept through is not made up for. */
  function tick(): void {
    clearTimeout(timer)
    if (closed) return
    const now = Date.now()
    const thisMinute = startOfMinute(now)
    const isNewMinute = thisMinute > lastMinute
    lastMinute = thisMinute
    let wake = Number.POSITIVE_INFINITY
    for (const [jobid, task] of tasks) {
      const { every } = task.job
      if (isNewMinute && isDue(task.job, new Date(thisMinute))) task.pending += 1
      if (every && task.next <= now && !running.has(jobid)) {
        task.pending = 1
        task.next = now + every * 1000
      }
      if (task.pending > 0 && !running.has(jobid) && running.size < maxRunning) start(task)
      if (!every) wake = Math.min(wake, thisMinute + minute)
      // While an interval's run lasts, its end is what wakes us.
      else if (!running.has(jobid)) wake = Math.min(wake, task.next)
    }
    if (wake < Number.POSITIVE_INFINITY) timer = setTimeout(tick, Math.max(1, wake - now))
  }

  function start(task: Task): void {
    const { jobid } = task.job
    const cancel = new AbortController()
    task.pending -= 1
    const done = runJob(task.job, session, url, cancel.signal, log)
      .catch((error: Error) => log(`Cron job ${jobid}: ${error.message}`))
      .finally(() => {
        running.delete(jobid)
        tick()
      })
    running.set(jobid, { cancel, done })
  }

  return {
    close: async () => {
      closed = true
      clearTimeout(timer)
      for (const run of running.values()) run.cancel.abort()
      await Promise.all([...running.values()].map((run) => run.done))
      await session.close()
    },
  }
}

function startOfMinute(time: number): number {
  return time - (time % minute)
}
