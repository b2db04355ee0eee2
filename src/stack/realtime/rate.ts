const ticks = 12

/**
 * Counts what happens within a window of time, in twelve ticks: a burst is fine as long as the sum holds.
 */
export class Rate {
  readonly #limit: number
  readonly #tickMs: number
  readonly #counts: number[] = Array(ticks).fill(0)
  #tick: number
  #total = 0

  /** @param limit what is allowed within the window */
  constructor(limit: number, windowMs: number) {
    this.#limit = limit
    this.#tickMs = windowMs / ticks
    this.#tick = this.#now()
  }

  /** Allows so many a second, averaged over a minute. */
  static perSecond(limit: number): Rate {
    return new Rate(limit * 60, 60_000)
  }

  /** Counts. False when there were too many within the window, these included. */
  add(count = 1): boolean {
    const now = this.#now()
    for (let passed = Math.min(now - this.#tick, ticks); passed > 0; passed -= 1) {
      this.#counts.unshift(0)
      this.#total -= this.#counts.pop() ?? 0
    }
    this.#tick = now
    this.#counts[0] = (this.#counts[0] ?? 0) + count
    this.#total += count
    return this.#total <= this.#limit
  }

  #now(): number {
    return Math.floor(Date.now() / this.#tickMs)
  }
}
