type Job = () => void | Promise<void>

/** Runs jobs of one key one after the other, and at once when none of that key is under way. */
export class Queues {
  readonly #waiting = new Map<string, Job[]>()
  readonly #onError: (key: string, error: unknown) => void
  readonly #onIdle: () => void
  #length = 0

  /**
   * @param onError a job failed; those behind it run all the same
   * @param onIdle nothing waits any more
   */
  constructor(onError: (key: string, error: unknown) => void, onIdle: () => void) {
    this.#onError = onError
    this.#onIdle = onIdle
  }

  /** How many jobs wait for others. */
  get length(): number {
    return this.#length
  }

  run(key: string, job: Job): void {
    const waiting = this.#waiting.get(key)
    if (waiting) {
      waiting.push(job)
      this.#length += 1
      return
    }
    const underWay = this.#start(key, job)
    if (!underWay) return
    this.#waiting.set(key, [])
    void underWay.then(() => this.#continue(key))
  }

  async #continue(key: string): Promise<void> {
    const waiting = this.#waiting.get(key) ?? []
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      this.#length -= 1
      if (this.#length === 0) this.#onIdle()
      await this.#start(key, job)
    }
    this.#waiting.delete(key)
  }

  #start(key: string, job: Job): Promise<void> | undefined {
    try {
      return job()?.catch((error) => this.#onError(key, error))
    } catch (error) {
      this.#onError(key, error)
      return undefined
    }
  }
}
