import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

/** Hears `notify pgrst`, by which migrations and Supabase's event triggers tell that the schema has changed. */
export class ReloadNotices {
  readonly #url: string
  readonly #onReload: () => void
  #client: pg.Client | undefined
  #closed = false

  private constructor(url: string, onReload: () => void) {
    this.#url = url
    this.#onReload = onReload
  }

  /** Calls back after each notice, and whenever some may have been missed. Rejects when it cannot listen. */
  static async open(url: string, onReload: () => void): Promise<ReloadNotices> {
    const notices = new ReloadNotices(url, onReload)
    await notices.#listen()
    return notices
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#client?.end()
  }

  async #listen(): Promise<void> {
    const client = new pg.Client({ connectionString: this.#url })
    client.on('notification', this.#onReload)
    // 'end' follows, and listening starts anew.
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('listen pgrst')
    } catch (error) {
      void client.end()
      throw error
    }
    if (this.#closed) return client.end()
    client.once('end', () => void this.#listenAgain())
    this.#client = client
    this.#onReload()
  }

  async #listenAgain(): Promise<void> {
    while (!this.#closed) {
      try {
        return await this.#listen()
      } catch {
        // Postgres is not back yet; requests say so themselves.
        await sleep(200)
      }
    }
  }
}
