import type { FanOut } from './fan-out.ts'
import { fanOut } from './fan-out.ts'
import { Presence, type PresenceDiff } from './presence.ts'

/** A channel, as its topic sees it. */
export interface Subscriber {
  /** @param id of the row, for a broadcast from the database */
  onBroadcast(message: FanOut, id?: string): void
  onPresenceDiff(message: FanOut): void
}

/** Everybody who joined one name with the same privacy, on all sockets. */
export class Topic {
  readonly subscribers = new Set<Subscriber>()
  readonly presence = new Presence<Subscriber>()
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  /** @param except does not get it: the sender, unless it wants its own */
  broadcast(message: FanOut, options: { id?: string; except?: Subscriber } = {}): void {
    for (const subscriber of this.subscribers) {
      if (subscriber !== options.except) subscriber.onBroadcast(message, options.id)
    }
  }

  track(subscriber: Subscriber, key: string, payload: Record<string, unknown>): void {
    this.#announce(this.presence.track(subscriber, key, payload))
  }

  untrack(subscriber: Subscriber): void {
    this.#announce(this.presence.untrack(subscriber))
  }

  #announce(diff: PresenceDiff | undefined): void {
    if (!diff) return
    const topic = `realtime:${this.#name}`
    const message = fanOut({ joinRef: null, ref: null, topic, event: 'presence_diff', payload: diff })
    for (const subscriber of this.subscribers) subscriber.onPresenceDiff(message)
  }
}

/** Where messages find their subscribers. A private and a public topic of one name are two. */
export class Topics {
  readonly #topics = new Map<string, Topic>()

  /** @param name without the prefix `realtime:` */
  find(name: string, isPrivate: boolean): Topic | undefined {
    return this.#topics.get(keyOf(name, isPrivate))
  }

  join(name: string, isPrivate: boolean, subscriber: Subscriber): Topic {
    const key = keyOf(name, isPrivate)
    let topic = this.#topics.get(key)
    if (!topic) {
      topic = new Topic(name)
      this.#topics.set(key, topic)
    }
    topic.subscribers.add(subscriber)
    return topic
  }

  /** What the subscriber tracked is gone with it. */
  leave(name: string, isPrivate: boolean, subscriber: Subscriber): void {
    const key = keyOf(name, isPrivate)
    const topic = this.#topics.get(key)
    if (!topic?.subscribers.delete(subscriber)) return
    topic.untrack(subscriber)
    if (topic.subscribers.size === 0) this.#topics.delete(key)
  }
}

function keyOf(name: string, isPrivate: boolean): string {
  return `${isPrivate ? 'private' : 'public'}:${name}`
}
