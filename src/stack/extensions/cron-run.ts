import pg from 'pg'
import { RunError, runCommand } from './cron-command.ts'
import type { Session } from './session.ts'

export interface Job {
  /** A bigint, as text. */
  jobid: string
  command: string
  database: string
  username: string
}

/**
 * Runs a job once and records it in cron.job_run_details. A command that fails is a record, not an error.
 *
 * The command has a connection of its own that logged in as the job's owner: there is no other role to go back to.
 * @param url the database whose jobs these are, with the password that the login roles share
 * @param cancelled ends the command; the run then counts as failed
 * @throws when the run cannot be recorded
 */
export async function runJob(
  job: Job,
  session: Session,
  url: string,
  cancelled: AbortSignal,
  log: (message: string) => void,
): Promise<void> {
  const [row] = await session.query<{ runid: string }>(
    `insert into cron.job_run_details (jobid, database, username, command, status)
     values ($1, $2, $3, $4, 'starting') returning runid`,
    [job.jobid, job.database, job.username, job.command],
  )
  const started = (pid: number) =>
    session.query(
      `update cron.job_run_details set status = 'running', job_pid = $2, start_time = clock_timestamp()
       where runid = $1`,
      [row?.runid, pid],
    )

  let status = 'succeeded'
  let message: string
  try {
    message = await execute(job, session, url, started, cancelled, log)
  } catch (error) {
    status = 'failed'
    message = cancelled.aborted ? 'job canceled' : explain(error as Error, job.command)
  }
  await session.query(
    `update cron.job_run_details set status = $2, return_message = $3, end_time = clock_timestamp()
     where runid = $1`,
    [row?.runid, status, message],
  )
}

async function execute(
  job: Job,
  session: Session,
  url: string,
  started: (pid: number) => Promise<unknown>,
  cancelled: AbortSignal,
  log: (message: string) => void,
): Promise<string> {
  const client = new pg.Client({ connectionString: addressOf(job, url), application_name: 'pg_cron' })
  // The command that a lost connection was busy with tells of it; without a listener it would end the whole process.
  client.on('error', () => {})
  const terminate = (pid: number) => {
    session.query('select pg_terminate_backend($1)', [pid]).catch((error: Error) => log(error.message))
  }
  try {
    const pid = await logIn(client, job, log)
    await started(pid)
    cancelled.throwIfAborted()
    cancelled.addEventListener('abort', () => terminate(pid), { once: true })
    return await runCommand(client, job.command)
  } finally {
    await client.end()
  }
}

async function logIn(client: pg.Client, job: Job, log: (message: string) => void): Promise<number> {
  try {
    await client.connect()
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    return Number(rows[0]?.pid)
  } catch (error) {
    log(`Cron job ${job.jobid} cannot log in as ${job.username}: ${(error as Error).message}`)
    throw new RunError('connection failed')
  }
}

function addressOf(job: Job, url: string): string {
  const address = new URL(url)
  address.username = encodeURIComponent(job.username)
  // A project's database is called postgres; a copy under another name runs its own jobs, not the original's.
  if (job.database !== 'postgres') address.pathname = `/${encodeURIComponent(job.database)}`
  return address.href
}

/** An error as libpq prints it, which is what pg_cron stores. */
function explain(error: Error, command: string): string {
  if (error instanceof RunError) return error.message
  if (!(error instanceof pg.DatabaseError)) return 'connection lost'
  const lines = [`${error.severity}:  ${error.message}`]
  if (error.position) lines.push(pointTo(command, Number(error.position)))
  if (error.detail) lines.push(`DETAIL:  ${error.detail}`)
  if (error.hint) lines.push(`HINT:  ${error.hint}`)
  if (error.where) lines.push(`CONTEXT:  ${error.where}`)
  return `${lines.join('\n')}\n`
}

/** @param position counted in characters from 1 */
function pointTo(command: string, position: number): string {
  const before = [...command]
    .slice(0, position - 1)
    .join('')
    .split('\n')
  const number = before.length
  const label = `LINE ${number}: `
  const column = [...(before.at(-1) ?? '')].length
  return `${label}${command.split('\n')[number - 1]}\n${' '.repeat(label.length + column)}^`
}
