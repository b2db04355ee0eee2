import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

/** One connection that hears a channel and runs a worker's statements. */
export interface Session {
  /** @throws while the connection is lost; `onReopen` tells when it is back. */
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>
  close(): Promise<void>
}

export interface SessionOptions {
  url: string
  /** How the connection shows in pg_stat_activity. */
  name: string
  channel: string
  /** Listening again after the connection was lost: anything may have been announced meanwhile. */
  onReopen(): void
  onNotify(): void
  log(message: string): void
}

const reconnectEvery = 1000

/**
 * Connects, and connects again whenever the server drops it.
 * @throws when the first connection fails
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const closing = new AbortController()
  let client = await connect()

  async function connect(): Promise<pg.Client> {
    const next = new pg.Client({
      connectionString: options.url,
      application_name: options.name,
      // A superuser's statements must not find somebody else's functions.
      options: '-c search_path=pg_catalog',
    })
    // Without a listener a lost connection would end the whole process; `end` follows and is what we act on.
    next.on('error', (error) => options.log(`${options.name}: ${error.message}`))
    await next.connect()
    next.on('notification', options.onNotify)
    await next.query(`listen ${next.escapeIdentifier(options.channel)}`)
    next.once('end', () => void reconnect())
    return next
  }

  async function reconnect(): Promise<void> {
    let isLogged = false
    while (!closing.signal.aborted) {
      try {
        await sleep(reconnectEvery, undefined, { signal: closing.signal, ref: false })
        client = await connect()
        if (closing.signal.aborted) return await client.end()
        return options.onReopen()
      } catch (error) {
        // Once an outage, not once a second.
        if (!isLogged && !closing.signal.aborted) {
          options.log(`${options.name} waits for the database: ${(error as Error).message}`)
        }
        isLogged = true
      }
    }
  }

  let previous: Promise<unknown> = Promise.resolve()

  return {
    // One at a time: the driver gives up queueing statements in its next version.
    query: async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) => {
      const result = previous.then(() => client.query<Row>(text, values))
      previous = result.then(
        () => {},
        () => {},
      )
      return (await result).rows
    },
    close: async () => {
      closing.abort()
      await client.end()
    },
  }
}
