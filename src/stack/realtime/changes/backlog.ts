import type { RowChange } from '../replication.ts'
import { changeBytes } from './change-data.ts'

/**
 * A client that writes a row over HTTP learns of the row's id with the answer. Told of the change before that, it could
 * not know the change for its own.
 */
const holdBackMilliseconds = 100
const maxBatch = 100

export interface BacklogOptions {
  /** How much may wait. What comes then is dropped: a database too slow for its changes must not fill the memory. */
  maxBytes: number
  /** Handles changes of one table; the next ones come when it is done. Different tables are handled at the same time. */
  handle(arrivals: Arrival[]): Promise<void>
  log(line: string): void
}

export interface Arrival {
  change: RowChange
  /** When it came, on the clock of `performance`. */
  at: number
}

/** Changes held back for a moment, then handed on in the order in which each table's were committed. */
export class Backlog {
  readonly #options: BacklogOptions
  readonly #waiting = new Map<number, Arrival[]>()
  readonly #handling = new Set<Promise<void>>()
  #bytes = 0
  #dropped = 0
  #closed = false

  constructor(options: BacklogOptions) {
    this.#options = options
  }

  add(change: RowChange): void {
    if (this.#closed) return
    const bytes = changeBytes(change)
    if (this.#bytes > 0 && this.#bytes + bytes > this.#options.maxBytes) {
      if (this.#dropped === 0) this.#options.log('Changes of rows are dropped: the database is too slow to check them.')
      this.#dropped++
      return
    }
    if (this.#dropped > 0) {
      this.#options.log(`${this.#dropped} changes of rows were dropped.`)
      this.#dropped = 0
    }
    this.#bytes += bytes
    const arrival = { change, at: performance.now() }
    const queue = this.#waiting.get(change.oid)
    if (queue) {
      queue.push(arrival)
      return
    }
    const started = [arrival]
    this.#waiting.set(change.oid, started)
    const handling = this.#handOn(change.oid, started).finally(() => this.#handling.delete(handling))
    this.#handling.add(handling)
  }

  /** What still waits is dropped; resolves when nothing is being handled any more. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#handling)
  }

  async #handOn(oid: number, queue: Arrival[]): Promise<void> {
    for (let first = queue[0]; first && !this.#closed; first = queue[0]) {
      const wait = first.at + holdBackMilliseconds - performance.now()
      if (wait > 0) {
        await new Promise((resolve) => setTimeout(resolve, wait))
        continue
      }
      const latest = performance.now() - holdBackMilliseconds
      const notDue = queue.findIndex(({ at }) => at > latest)
      const batch = queue.splice(0, Math.min(maxBatch, notDue < 0 ? queue.length : notDue))
      try {
        await this.#options.handle(batch)
      } catch (error) {
        this.#options.log(`${batch.length} changes of rows could not be delivered: ${(error as Error).message}`)
      }
      for (const { change } of batch) this.#bytes -= changeBytes(change)
    }
    this.#waiting.delete(oid)
  }
}
