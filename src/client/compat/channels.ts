import type { RealtimeChannel } from '@supabase/supabase-js'
import type { Client } from './project.ts'

export interface Ears {
  hear(topic: string, event: string, payload: Record<string, unknown>): void
  /** Joined, for the first time or again: what was told in between is lost. */
  joined(topic: string): void
  lost(topic: string, error: Error): void
}

/** Private channels that stay joined until they are left. supabase-js joins again what failed, and not what was closed. */
export class Channels {
  readonly #client: Client
  readonly #ears: Ears
  readonly #joined = new Map<string, RealtimeChannel>()

  constructor(client: Client, ears: Ears) {
    this.#client = client
    this.#ears = ears
  }

  /** Ends with the first answer: joined, or not yet. */
  join(topic: string): Promise<void> {
    if (this.#joined.has(topic)) return Promise.resolve()
    const channel = this.#client.channel(topic, { config: { private: true } })
    this.#joined.set(topic, channel)
    channel.on('broadcast', { event: '*' }, ({ event, payload }) => this.#ears.hear(topic, event, payload))
    return new Promise((resolve) => {
      channel.subscribe((status, error) => {
        resolve()
        if (this.#joined.get(topic) !== channel) return
        if (status === 'SUBSCRIBED') this.#ears.joined(topic)
        else this.#ears.lost(topic, error ?? new Error(status))
        if (status === 'CLOSED') this.#joinAgain(topic, channel)
      })
    })
  }

  leave(topic: string): void {
    const channel = this.#joined.get(topic)
    this.#joined.delete(topic)
    if (channel) this.#client.removeChannel(channel)
  }

  async send(topic: string, event: string, payload: object): Promise<void> {
    await this.#joined.get(topic)?.send({ type: 'broadcast', event, payload })
  }

  async close(): Promise<void> {
    this.#joined.clear()
    await this.#client.removeAllChannels()
    await this.#client.realtime.disconnect()
  }

  // The server closes a channel whose token is over, for one: there may be a new one.
  #joinAgain(topic: string, closed: RealtimeChannel): void {
    setTimeout(async () => {
      await this.#client.realtime.setAuth().catch(() => {})
      if (this.#joined.get(topic) !== closed) return
      this.#joined.delete(topic)
      this.join(topic)
    }, 1000)
  }
}
