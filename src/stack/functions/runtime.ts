import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { denoBinary } from './deno.ts'
import { type Message, recordSeparator } from './protocol.ts'

/** Takes what a function writes; `name` is the function's, or `functions` for the runtime's own words. */
export type FunctionLog = (name: string, text: string) => void

export interface Runtime {
  /**
   * The loopback port where a function answers, starting it if need be.
   *
   * @param dead a port where nobody answered: the function is then started anew.
   * @throws when the function does not start; the reason goes to the log.
   */
  boot(name: string, dead?: number): Promise<number>
  /** The Deno process of the moment; undefined between two. */
  pid(): number | undefined
  close(): Promise<void>
}

export interface RuntimeOptions {
  /** Arguments of Deno, from `run` on. */
  args: string[]
  cwd: string
  /** All of Deno's environment. */
  env: Record<string, string>
  log: FunctionLog
}

/** One Deno process, from its start to its end. */
interface Session {
  child: ChildProcessWithoutNullStreams
  ready: Promise<void>
  closed: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  isRunning(): boolean
  boot(name: string, dead?: number): Promise<number>
}

const backOff = { firstMs: 100, mostMs: 5000, forgottenAfterMs: 10_000 }
const killAfterMs = 1000

/** Keeps one Deno process running: when it dies it is started again, later each time. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { log } = options
  const closing = new AbortController()
  let session = launch(options)
  let next: Promise<Session> = Promise.resolve(session)
  const supervised = supervise()

  async function supervise() {
    let delay = backOff.firstMs
    while (true) {
      const startedAt = Date.now()
      const { code, signal } = await session.closed
      if (closing.signal.aborted) return
      // Deno ends itself with 0 when an import map changed.
      const meant = code === 0
      if (Date.now() - startedAt > backOff.forgottenAfterMs) delay = backOff.firstMs
      if (!meant) log('functions', `Deno stopped (${signal ?? `exit code ${code}`}); starting it again in ${delay} ms.`)
      next = sleep(meant ? 0 : delay, undefined, { signal: closing.signal }).then(() => {
        session = launch(options)
        return session
      })
      if (!meant) delay = Math.min(delay * 2, backOff.mostMs)
      try {
        await next
      } catch {
        // Closed while waiting.
        return
      }
    }
  }

  // A project whose import map is broken starts all the same, and says so in its log.
  await session.ready.catch(() => undefined)
  return {
    async boot(name, dead) {
      return (await next).boot(name, dead)
    },
    pid: () => (session.isRunning() ? session.child.pid : undefined),
    async close() {
      closing.abort()
      session.child.kill('SIGTERM')
      // A function may catch SIGTERM.
      const kill = setTimeout(() => session.child.kill('SIGKILL'), killAfterMs)
      await supervised
      clearTimeout(kill)
    },
  }
}

function launch({ args, cwd, env, log }: RuntimeOptions): Session {
  // A process group of its own: Ctrl-C reaches the stack, which then closes it in order.
  const child = spawn(denoBinary(), args, { cwd, env, detached: true })
  const waiting = new Map<number, { resolve(port: number): void; reject(error: Error): void }>()
  let lastId = 0
  let gone = false
  const closed: Session['closed'] = new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }))
  })

  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const start = line.indexOf(recordSeparator)
      if (start !== 0 && line) log('functions', start < 0 ? line : line.slice(0, start))
      if (start < 0) return
      const message = JSON.parse(line.slice(start + 1)) as Message
      if (message.type === 'ready') return resolve()
      if (message.type === 'log') return log(message.name, message.text.trimEnd())
      const caller = waiting.get(message.id)
      waiting.delete(message.id)
      if (message.type === 'booted') caller?.resolve(message.port)
      else caller?.reject(new Error('The function did not start.'))
    })
    createInterface({ input: child.stderr }).on('line', (line) => log('functions', line))
    closed.then(() => {
      gone = true
      const error = new Error('Deno stopped.')
      reject(error)
      for (const caller of waiting.values()) caller.reject(error)
    })
  })
  ready.catch(() => undefined)
  // A write to a process that has just died fails; its 'close' event is what counts.
  child.stdin.on('error', () => undefined)
  child.on('error', (error) => log('functions', `Deno cannot be run: ${error.message}`))

  function boot(name: string, dead?: number): Promise<number> {
    if (gone) return Promise.reject(new Error('Deno stopped.'))
    return new Promise((resolve, reject) => {
      const id = ++lastId
      waiting.set(id, { resolve, reject })
      child.stdin.write(`${JSON.stringify({ id, boot: name, dead })}\n`)
    })
  }
  return { child, ready, closed, boot, isRunning: () => !gone }
}
