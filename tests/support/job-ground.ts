import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'
import { readFunctions } from '../../src/stack/functions/config.ts'
import { type Functions, startFunctions } from '../../src/stack/functions/functions.ts'
import { type Routes, startGateway } from '../../src/stack/gateway/gateway.ts'
import { localKeys } from '../../src/stack/keys.ts'
import { freePort } from '../../src/stack/postgres/ports.ts'
import { startRest } from '../../src/stack/rest/rest.ts'
import type { Service } from '../../src/stack/service.ts'
import { startStorage } from '../../src/stack/storage/storage.ts'
import { projectRoot } from '../../src/stack/supabase-cli.ts'
import { createSandbox, type TestSandbox } from '../stack/sandbox/support.ts'
import { createSessions, type Sessions } from './sessions.ts'

const secret = 'the-job-secret'
const jobFunctions = ['push-notifications', 'cloudinary-cleanup']

/** A call of a function's to the project at which it is killed: before the project hears of it, or before the answer comes. */
export interface Step {
  method?: string
  /** What its path contains. */
  path: string
  when: 'before' | 'after'
}

/** Steps with the names that tests wear. */
export function named(steps: Step[]): [name: string, step: Step][] {
  return steps.map((step) => [[step.when, step.method, step.path].filter(Boolean).join(' '), step])
}

/**
 * What the job functions stand on, with no clock and nobody else who calls them: a test decides when they work, and where
 * they die.
 */
export interface JobGround {
  sandbox: TestSandbox
  /** As the database's owner. */
  owner: pg.Client
  sessions: Sessions
  url: string
  /** What the functions wrote. */
  lines: string[]
  /** Calls a job function, as the database does. */
  call(name: string, body?: object): Promise<Response>
  /** Kills the functions at the next such call, and no second time. */
  killAt(step: Step): void
  /** Kills them now. */
  kill(): Promise<void>
  /** Whether they were killed as asked. */
  wasKilled(): boolean
  /** Scripts a failure of a fake. */
  fail(fake: 'cloudinary' | 'fcm', script: object): Promise<void>
  /** Calls the function until its queue is empty, and lets what waits be read at once. */
  drain(name: string, queue: Queue): Promise<void>
  /** Two who call it at once, until there is nothing left to read. */
  drainTogether(name: string): Promise<void>
  counts(queue: Queue): Promise<{ left: number; archived: number }>
  close(): Promise<void>
}

type Queue = 'push' | 'media_cleanup'

/** @param env replaces what the functions find in their environment */
export async function createJobGround(env: Record<string, string> = {}): Promise<JobGround> {
  const sessions = await createSessions()
  const { database } = sessions
  const lines: string[] = []
  const log = (line: string) => lines.push(line)
  const dir = mkdtempSync(join(tmpdir(), 'parley-jobs-'))
  const sandbox = await createSandbox()
  const rest = await startRest({
    databaseUrl: database.url('authenticator'),
    introspectionUrl: database.url('supabase_admin'),
    keys: localKeys,
    log,
  })
  const storage = await startStorage({
    databaseUrl: database.url('supabase_storage_admin'),
    dir,
    keys: localKeys,
    fileSizeLimit: 1024 * 1024,
    log,
  })

  let functions: Promise<Functions>
  let step: Step | undefined
  // Started anew by us: the stack waits longer with each death.
  const kill = async () => {
    const dying = await functions
    const pid = dying.pid()
    if (pid === undefined) throw new Error('The functions do not run.')
    process.kill(pid, 'SIGKILL')
    functions = dying.close().then(start)
  }
  const deadly = (service: Service): Service => ({
    ...service,
    async fetch(request, caller) {
      const { pathname } = new URL(request.url)
      const isIt = step && pathname.includes(step.path) && (step.method ?? request.method) === request.method
      if (!step || !isIt) return service.fetch(request, caller)
      const { when } = step
      step = undefined
      const answer = when === 'after' ? await service.fetch(request, caller) : new Response(null, { status: 503 })
      await kill()
      return answer
    },
  })
  const port = await freePort()
  const routes = { '/rest/v1': deadly(rest), '/storage/v1': deadly(storage) } as unknown as Routes
  const gateway = await startGateway(port, routes, log)
  const url = `http://127.0.0.1:${port}`
  const start = () =>
    startFunctions({
      root: projectRoot,
      functions: readFunctions(projectRoot).filter(({ name }) => jobFunctions.includes(name)),
      url,
      databaseUrl: database.url(),
      keys: localKeys,
      env: { ...sandbox.env, PARLEY_JOB_SECRET: secret, ...env },
      log: (_, line) => lines.push(line),
    })
  functions = start()

  const owner = await sessions.open()
  const call = async (name: string, body: object = {}) => {
    const request = new Request(`${url}/functions/v1/${name}`, {
      method: 'POST',
      headers: { 'x-job-secret': secret, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return (await functions).fetch(request, { address: '192.0.2.7' })
  }
  const counts = async (queue: Queue) => {
    const { rows } = await owner.query(
      `select (select count(*)::int from pgmq.q_${queue}) as left, (select count(*)::int from pgmq.a_${queue}) as archived`,
    )
    return rows[0]
  }

  return {
    sandbox,
    owner,
    sessions,
    url,
    lines,
    call,
    counts,
    killAt(next) {
      step = next
    },
    kill,
    wasKilled: () => step === undefined,
    async fail(fake, script) {
      const response = await sandbox.control('POST', `/${fake}/failures`, script)
      if (!response.ok) throw new Error(await response.text())
    },
    async drain(name, queue) {
      for (let calls = 0; (await counts(queue)).left > 0; calls++) {
        if (calls === 20) throw new Error(`It does not end:\n${lines.join('\n')}`)
        await owner.query(`update pgmq.q_${queue} set vt = clock_timestamp()`)
        await call(name)
      }
    },
    async drainTogether(name) {
      const worker = async () => {
        for (let done = 1; done > 0; ) {
          const response = await call(name)
          if (!response.ok) throw new Error(await response.text())
          done = ((await response.json()) as { done: number }).done
          if (done > 100) throw new Error(`${done} jobs in one call`)
        }
      }
      await Promise.all([worker(), worker()])
    },
    async close() {
      await functions.then((running) => running.close())
      await gateway.close()
      await Promise.all([rest.close(), storage.close()])
      await sandbox.remove()
      await sessions.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
