import { setTimeout as sleep } from 'node:timers/promises'
import { launch, type Session, type SessionOptions } from './session.ts'

export interface Runtime {
  /**
   * The loopback port where a function answers, starting it if need be.
   *
   * @param dead a port where nobody answered: the function is then started anew.
   * @throws when the function does not start; the reason goes to the log.
   */
  boot(name: string, dead?: number): Promise<number>
  /** The function may have ended: the next `boot` finds out. */
  forget(name: string): void
  /** The Deno process of the moment; undefined between two. */
  pid(): number | undefined
  close(): Promise<void>
}

const backOff = { firstMs: 100, mostMs: 5000, forgottenAfterMs: 10_000 }
const killAfterMs = 1000

/** Keeps one Deno process running: when it dies it is started again, later each time. */
export async function startRuntime(options: SessionOptions): Promise<Runtime> {
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
    forget: (name) => session.forget(name),
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
