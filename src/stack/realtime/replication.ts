import { setTimeout as sleep } from 'node:timers/promises'
import type { Pgoutput } from 'pg-logical-replication'
import { databaseBroadcast, isBroadcast } from './database-broadcast.ts'
import { changesPublication, changesPublished, existingPublications, messagesPublication } from './publications.ts'
import { openReplicationSession, type ReplicationSession } from './replication-session.ts'
import { rowChange } from './row-change.ts'

/** A row of `realtime.messages`, committed. Exactly one of the payloads is there. */
export interface DatabaseBroadcast {
  id: string
  topic: string
  event: string
  private: boolean
  /** JSON text of an object. */
  payload: string | null
  binaryPayload: Buffer | null
}

/** A committed change of a row in the publication `supabase_realtime`. */
export interface RowChange {
  schema: string
  table: string
  oid: number
  type: 'INSERT' | 'UPDATE' | 'DELETE'
  commitTime: Date
  columns: Array<{ name: string; typeOid: number; isIdentity: boolean }>
  /**
   * Postgres' text of each value, by column; null is SQL NULL. A column that is missing was not in the stream: an
   * unchanged large value, or, in an old row of which only the key is known, a column outside the key.
   */
  new: Map<string, string | null> | null
  old: Map<string, string | null> | null
}

export interface Replication {
  isLive(): boolean
  /** Resolves once streaming; at once when it is. */
  live(): Promise<void>
  close(): Promise<void>
}

export interface ReplicationOptions {
  /** A connection string, as supabase_realtime_admin. */
  url: string
  log(line: string): void
  onBroadcast(message: DatabaseBroadcast): void
  onChange(change: RowChange): void
  /**
   * The stream broke, and is about to be live again. What was committed meanwhile is not heard of: whoever followed must
   * join again, and will be let in. Told no sooner, since clients of two years ago leave a channel whose rejoin fails.
   */
  onResumed(): void
}

const firstPause = 100
const longestPause = 2000

/**
 * Streams what is committed from now on, in the order of the commits and nothing before it is committed; and begins
 * anew whenever the connection breaks.
 * @returns when it is live
 * @throws when it cannot begin
 */
export async function startReplication(options: ReplicationOptions): Promise<Replication> {
  const replication = new KeptReplication(options)
  await replication.start()
  return replication
}

class KeptReplication implements Replication {
  readonly #options: ReplicationOptions
  readonly #closing = new AbortController()
  #isLive = false
  #waiting: Array<{ resolve(): void; reject(error: Error): void }> = []
  #kept: Promise<void> | undefined
  #commitTime = new Date(0)

  constructor(options: ReplicationOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const session = await this.#open()
    this.#goLive()
    this.#kept = this.#keep(session)
  }

  isLive(): boolean {
    return this.#isLive
  }

  live(): Promise<void> {
    if (this.#isLive) return Promise.resolve()
    if (this.#closing.signal.aborted) return Promise.reject(closed())
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  async close(): Promise<void> {
    this.#closing.abort(closed())
    await this.#kept
    for (const { reject } of this.#waiting.splice(0)) reject(closed())
  }

  async #open(): Promise<ReplicationSession> {
    const { url, log } = this.#options
    const publications = await existingPublications(url)
    if (!publications.includes(messagesPublication)) throw new Error(`there is no publication ${messagesPublication}`)
    const renewing = new AbortController()
    const signal = AbortSignal.any([this.#closing.signal, renewing.signal])
    const session = await openReplicationSession({
      url,
      publications,
      onMessage: (message) => this.#handle(message),
      signal,
    })
    void session.ended.then(() => renewing.abort())
    // A stream cannot take a publication on later, and breaks at the first row while it asks for one that is missing.
    if (!publications.includes(changesPublication)) {
      log(`realtime: no row changes: there is no publication ${changesPublication}`)
      void changesPublished(url, signal).then((published) => {
        if (published) renewing.abort(new Error(`there is a publication ${changesPublication} now`))
      })
    }
    return session
  }

  #goLive(): void {
    this.#isLive = true
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  async #keep(first: ReplicationSession): Promise<void> {
    const { log, onResumed } = this.#options
    for (let session: ReplicationSession | undefined = first; ; ) {
      const cause = await session.ended
      this.#isLive = false
      if (this.#closing.signal.aborted) return
      log(`realtime: the replication stream broke: ${cause.message}`)
      session = await this.#openAgain()
      if (!session) return
      this.#guarded(onResumed)
      this.#goLive()
      log('realtime: the replication stream is live again')
    }
  }

  /** Tries until it is live. @returns undefined when closed before */
  async #openAgain(): Promise<ReplicationSession | undefined> {
    const { signal } = this.#closing
    let logged = ''
    for (let pause = firstPause; !signal.aborted; pause = Math.min(pause * 2, longestPause)) {
      try {
        await sleep(pause, undefined, { signal })
        return await this.#open()
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        if (reason !== logged && !signal.aborted) {
          this.#options.log(`realtime: the replication stream cannot begin yet: ${reason}`)
        }
        logged = reason
      }
    }
    return undefined
  }

  #handle(message: Pgoutput.Message): void {
    switch (message.tag) {
      case 'begin':
        // In microseconds.
        this.#commitTime = new Date(Number(message.commitTime) / 1000)
        break
      case 'insert':
      case 'update':
      case 'delete':
        this.#deliver(rowChange(message, this.#commitTime))
    }
  }

  #deliver(change: RowChange): void {
    const { onBroadcast, onChange } = this.#options
    if (!isBroadcast(change)) {
      this.#guarded(() => onChange(change))
      return
    }
    const broadcast = this.#broadcast(change)
    if (broadcast) this.#guarded(() => onBroadcast(broadcast))
  }

  #broadcast(change: RowChange): DatabaseBroadcast | undefined {
    try {
      return databaseBroadcast(change)
    } catch (error) {
      this.#options.log(`realtime: a row of realtime.messages is not broadcast: ${(error as Error).message}`)
      return undefined
    }
  }

  /** A listener's fault must not end the stream of the others. */
  #guarded(listener: () => void): void {
    try {
      listener()
    } catch (error) {
      this.#options.log(`realtime: ${error instanceof Error ? error.stack : error}`)
    }
  }
}

function closed(): Error {
  return new Error('The replication is closed.')
}
