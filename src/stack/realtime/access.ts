import type { Authorization, Extension, Grants } from './authorization.ts'
import type { Claims } from './claims.ts'

/** What one channel may do. */
export interface Access {
  readonly readsBroadcast: boolean
  readonly readsPresence: boolean
  /** Whether it may send. At once when that is known. @throws AuthorizationFailed */
  mayBroadcast(): boolean | Promise<boolean>
  /** Whether it may say that it is there. At once when that is known. @throws AuthorizationFailed */
  mayTrack(): boolean | Promise<boolean>
  /**
   * Asks again, with other claims.
   * @returns what it was allowed to read and no longer is
   * @throws AuthorizationFailed
   */
  refresh(claims: Claims): Promise<'kept' | 'lost' | 'none'>
}

/** A public topic: whoever is let in may do everything. */
export const publicAccess: Access = {
  readsBroadcast: true,
  readsPresence: true,
  mayBroadcast: () => true,
  mayTrack: () => true,
  refresh: async () => 'kept',
}

/**
 * A private topic: row level security decides. Answers are kept until the token changes: a policy or a membership
 * that changes meanwhile is not noticed, as on hosted.
 */
export class PrivateAccess implements Access {
  readonly #authorization: Authorization
  readonly #topic: string
  readonly #headers: Record<string, string>
  #claims: Claims
  #asksForPresence: boolean
  #reads = new Map<Extension, boolean>()
  #writes: Grants | undefined

  /** Knows nothing before its first `refresh`. */
  constructor(
    authorization: Authorization,
    subject: { claims: Claims; topic: string; headers: Record<string, string> },
    asksForPresence: boolean,
  ) {
    this.#authorization = authorization
    this.#topic = subject.topic
    this.#headers = subject.headers
    this.#claims = subject.claims
    this.#asksForPresence = asksForPresence
  }

  get readsBroadcast(): boolean {
    return this.#reads.get('broadcast') ?? false
  }

  get readsPresence(): boolean {
    return this.#reads.get('presence') ?? false
  }

  async refresh(claims: Claims): Promise<'kept' | 'lost' | 'none'> {
    const subject = { claims, topic: this.#topic, headers: this.#headers }
    const before = this.#reads
    const reads = await this.#authorization.reads(
      subject,
      this.#asksForPresence ? ['broadcast', 'presence'] : ['broadcast'],
    )
    this.#claims = claims
    this.#reads = reads
    this.#writes = undefined
    if (![...reads.values()].includes(true)) return 'none'
    return [...before].some(([extension, granted]) => granted && !reads.get(extension)) ? 'lost' : 'kept'
  }

  mayBroadcast(): boolean | Promise<boolean> {
    return this.#writes?.broadcast ?? this.#askWrites().then(({ broadcast }) => broadcast)
  }

  mayTrack(): boolean | Promise<boolean> {
    if (this.#reads.has('presence') && this.#writes) return this.#writes.presence
    return this.#askPresence()
  }

  // One that joined without presence finds out with its first track whether it may read it.
  async #askPresence(): Promise<boolean> {
    this.#asksForPresence = true
    if (!this.#reads.has('presence')) {
      const reads = await this.#authorization.reads(this.#subject, ['presence'])
      this.#reads.set('presence', reads.get('presence') ?? false)
    }
    return (this.#writes ?? (await this.#askWrites())).presence
  }

  async #askWrites(): Promise<Grants> {
    this.#writes = await this.#authorization.writes(this.#subject)
    return this.#writes
  }

  get #subject() {
    return { claims: this.#claims, topic: this.#topic, headers: this.#headers }
  }
}
