import type pg from 'pg'
import { openPool } from '../../postgres/pool.ts'
import type { Claims } from '../claims.ts'
import type { RowChange } from '../replication.ts'
import { type Arrival, Backlog } from './backlog.ts'
import { isConnectionLoss } from './database-error.ts'
import { type ChangePayload, deliverChanges } from './delivery.ts'
import { type ChangeEntry, concerns, type Interest } from './entry.ts'
import { type PublishedTable, readPublication } from './publication.ts'
import { type ChangesSubscription, Subscription } from './subscription.ts'
import { Refused, validate } from './validation.ts'

export type { ChangeEntry, ChangePayload, ChangesSubscription }

export interface ChangesOptions {
  /** A connection string, as supabase_realtime_admin. */
  url: string
  log(line: string): void
}

const maxBacklogBytes = 64 * 1024 * 1024
/** How long a policy or a filter may take. */
const statementTimeout = 3_000
const publicationPoll = 30_000
const reconnectDelay = 1_000

/** `postgres_changes`: tells channels of the rows that they asked for and may see. */
export class Changes {
  readonly #log: (line: string) => void
  readonly #backlog: Backlog
  readonly #subscriptions = new Set<Subscription>()
  readonly #poll: NodeJS.Timeout
  /** Two tables at a time. */
  readonly #forRows: pg.Pool
  /** Its own, so that nobody waits with subscribing for the rows of others. */
  readonly #forSubscribing: pg.Pool
  #polling: Promise<void> | null = null
  #lastId = 0

  constructor({ url, log }: ChangesOptions) {
    this.#log = log
    this.#backlog = new Backlog({ maxBytes: maxBacklogBytes, handle: (arrivals) => this.#deliver(arrivals), log })
    this.#forRows = openChangesPool(url, 2, log)
    this.#forSubscribing = openChangesPool(url, 1, log)
    this.#poll = setInterval(() => {
      this.#polling ??= this.#noticePublication().finally(() => {
        this.#polling = null
      })
    }, publicationPoll).unref()
  }

  /**
   * @param deliver called for each change, in the order of commits, never before `ready`
   * @param rebuilt called when the published tables changed and the entries were made anew, with why they could not be
   */
  subscribe(
    entries: ChangeEntry[],
    claims: Claims,
    deliver: (payload: ChangePayload) => void,
    rebuilt: (error: Error | null) => void = () => {},
  ): ChangesSubscription {
    const subscription = new Subscription({
      ids: entries.map(() => ++this.#lastId),
      entries,
      claims,
      deliver,
      rebuilt,
      validate: (interests, role) => this.#validate(subscription, interests, role),
      closed: () => this.#subscriptions.delete(subscription),
    })
    this.#subscriptions.add(subscription)
    return subscription
  }

  /** From the replication stream, in commit order. */
  handle(change: RowChange): void {
    for (const { activeSince, interests } of this.#subscriptions) {
      if (activeSince === null || !interests.some(({ interest }) => concerns(interest, change))) continue
      this.#backlog.add(change)
      return
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#poll)
    for (const subscription of this.#subscriptions) subscription.close()
    await Promise.all([this.#backlog.close(), this.#polling])
    await Promise.all([this.#forRows.end(), this.#forSubscribing.end()])
  }

  async #deliver(arrivals: Arrival[]): Promise<void> {
    await withClient(this.#forRows, (client) => deliverChanges(client, arrivals, this.#subscriptions, this.#log))
  }

  /** Answers with the publication that the entries were checked against. Waits for a database that is not there. */
  async #validate(subscription: Subscription, interests: Interest[], role: string): Promise<string> {
    for (;;) {
      try {
        return await withClient(this.#forSubscribing, async (client) => {
          const publication = await readPublication(client)
          for (const interest of interests) await validate(client, interest, role, publication)
          return identify(publication)
        })
      } catch (error) {
        if (error instanceof Refused || !isConnectionLoss(error) || subscription.isClosed) throw error
        this.#log(`Subscribing to changes of rows waits for the database: ${(error as Error).message}`)
        await new Promise((resolve) => setTimeout(resolve, reconnectDelay).unref())
      }
    }
  }

  async #noticePublication(): Promise<void> {
    if (this.#subscriptions.size === 0) return
    try {
      const publication = identify(await withClient(this.#forSubscribing, readPublication))
      for (const subscription of this.#subscriptions) await subscription.noticePublication(publication)
    } catch (error) {
      this.#log(`Could not read which tables are published: ${(error as Error).message}`)
    }
  }
}

function identify(publication: PublishedTable[]): string {
  return publication.map(({ oid, schema, table }) => JSON.stringify([oid, schema, table])).join()
}

function openChangesPool(url: string, max: number, log: (line: string) => void): pg.Pool {
  return openPool(
    {
      connectionString: url,
      max,
      statement_timeout: statementTimeout,
      // service_role may use the schemas of extensions, whose operators filters need. Policies find unqualified names where
      // they find them in a request over REST. Values are told in UTC and ISO.
      options:
        '-c role=service_role -c search_path=public,extensions -c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres',
    },
    (error) => log(`realtime: ${error.message}`),
  )
}

async function withClient<Result>(pool: pg.Pool, use: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
  const client = await pool.connect()
  let lost = false
  try {
    return await use(client)
  } catch (error) {
    lost = !(error instanceof Refused) && isConnectionLoss(error)
    throw error
  } finally {
    client.release(lost)
  }
}
