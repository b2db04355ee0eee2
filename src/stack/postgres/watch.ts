import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

/** Notices that the server has ended. */
export interface Watch {
  /** Resolves when nobody listens on the server's port any more, or nobody watches. */
  ended: Promise<void>
  close(): Promise<void>
}

/**
 * Holds a connection, since a lost one is the first thing to be noticed. A server that only recovers from a crash of one
 * of its processes listens on, and has not ended.
 * @param url of any database, as any role
 */
export async function watchServer(url: string): Promise<Watch> {
  let isClosing = false
  let client = await connect()

  async function connect(): Promise<pg.Client> {
    const next = new pg.Client({ connectionString: url, application_name: 'watch' })
    next.on('error', () => {})
    await next.connect()
    return next
  }

  async function watch(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => client.once('end', resolve))
      if (isClosing || !(await reconnected())) return
    }
  }

  async function reconnected(): Promise<boolean> {
    for (;;) {
      try {
        client = await connect()
        return true
      } catch (error) {
        if (isClosing || (error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return false
        // It is ending, or recovering: soon we know which.
        await sleep(50)
      }
    }
  }

  return {
    ended: watch(),
    async close() {
      isClosing = true
      await client.end()
    },
  }
}
