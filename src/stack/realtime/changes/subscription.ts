import type { Claims } from '../claims.ts'
import type { ChangePayload, Listener } from './delivery.ts'
import { type ChangeEntry, type Interest, parseEntry } from './entry.ts'

export interface ChangesSubscription {
  /** One positive integer per entry, in order; known at once, for the join reply. */
  readonly ids: number[]
  /** Resolves when all entries are active; rejects with an Error whose message is the text for the client. */
  readonly ready: Promise<void>
  /** Replaces the claims on which rows and columns are judged; settles as `ready` does. */
  setClaims(claims: Claims): Promise<void>
  close(): void
}

export interface SubscriptionOptions {
  ids: number[]
  entries: ChangeEntry[]
  claims: Claims
  deliver(payload: ChangePayload): void
  rebuilt(error: Error | null): void
  /** Answers what was published at the time. */
  validate(interests: Interest[], role: string): Promise<string>
  closed(): void
}

/** The entries of one channel: all active or none. */
export class Subscription implements ChangesSubscription, Listener {
  readonly ids: number[]
  readonly ready: Promise<void>
  claims: Claims
  activeSince: number | null = null
  interests: Listener['interests'] = []
  isClosed = false
  readonly #options: SubscriptionOptions
  /** Null until the entries were active once. */
  #publication: string | null = null
  /** One activation after another: the last claims win. */
  #last: Promise<void> = Promise.resolve()
  #lastClaims: Claims

  constructor(options: SubscriptionOptions) {
    this.#options = options
    this.ids = options.ids
    this.claims = options.claims
    this.#lastClaims = options.claims
    this.ready = this.#activate(options.claims)
  }

  deliver(payload: ChangePayload): void {
    this.#options.deliver(payload)
  }

  setClaims(claims: Claims): Promise<void> {
    return this.#activate(claims)
  }

  /** Makes the entries anew if they were made for another publication. */
  async noticePublication(publication: string): Promise<void> {
    if (this.isClosed || this.#publication === null || this.#publication === publication) return
    this.#publication = publication
    try {
      await this.#activate(this.#lastClaims)
      if (!this.isClosed) this.#options.rebuilt(null)
    } catch (error) {
      if (!this.isClosed) this.#options.rebuilt(error as Error)
    }
  }

  close(): void {
    this.isClosed = true
    this.activeSince = null
    this.#options.closed()
  }

  #activate(claims: Claims): Promise<void> {
    this.#lastClaims = claims
    const activation = this.#last.then(async () => {
      try {
        const interests = this.#options.entries.map(parseEntry)
        this.#publication = await this.#options.validate(interests, claims.role)
        if (this.isClosed) return
        this.claims = claims
        this.interests = interests.map((interest, index) => ({ id: this.ids[index] ?? 0, interest }))
        this.activeSince ??= performance.now()
      } catch (error) {
        this.activeSince = null
        throw error
      }
    })
    // Whoever asked for it is told of the failure; the next one starts all the same.
    this.#last = activation.catch(() => {})
    return activation
  }
}
