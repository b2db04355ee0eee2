import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import WebSocket from 'ws'

/**
 * A client that sends what it is told, and hides nothing, until the test ends. Text frames are JSON; `version` 1 objects,
 * 2 arrays.
 */
export class RawClient {
  readonly ws: WebSocket
  readonly #frames: unknown[] = []
  #waiting: Array<() => void> = []

  private constructor(ws: WebSocket) {
    this.ws = ws
    ws.on('message', (data: Buffer, isBinary) => {
      this.#frames.push(isBinary ? data : JSON.parse(data.toString()))
      for (const wake of this.#waiting.splice(0)) wake()
    })
  }

  /** @throws with the status and the body when it is refused */
  static async connect(url: string, headers: Record<string, string> = {}): Promise<RawClient> {
    const ws = new WebSocket(url, { headers })
    const client = new RawClient(ws)
    const refused = new Promise<never>((_, reject) => {
      ws.once('unexpected-response', async (_request, response) => {
        const chunks = await response.toArray()
        reject(new Error(`${response.statusCode} ${Buffer.concat(chunks)}`))
      })
    })
    await Promise.race([once(ws, 'open'), refused])
    onTestFinished(() => ws.terminate())
    return client
  }

  /** A string or bytes go as they are. */
  send(frame: unknown): void {
    this.ws.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame))
  }

  /** The next frame that fits; those before it stay. Bytes are a Buffer. */
  async next(fits: (frame: unknown) => boolean = () => true): Promise<unknown> {
    for (;;) {
      const index = this.#frames.findIndex(fits)
      if (index >= 0) return this.#frames.splice(index, 1)[0]
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** All frames so far, once the server has answered everything that was sent before. */
  async settled(): Promise<unknown[]> {
    this.send([null, 'settled', 'phoenix', 'heartbeat', {}])
    await this.next((frame) => Array.isArray(frame) && frame[1] === 'settled')
    return this.#frames.splice(0)
  }

  /** Joins (version 2) and returns the server's response. */
  async join(topic: string, config: unknown = {}, more: Record<string, unknown> = {}): Promise<unknown> {
    const ref = `join-${topic}`
    this.send([ref, ref, topic, 'phx_join', { config, ...more }])
    // A channel that is replaced is closed with the same ref.
    const isReply = (frame: unknown) => Array.isArray(frame) && frame[1] === ref && frame[3] === 'phx_reply'
    const reply = (await this.next(isReply)) as unknown[]
    return reply[4]
  }

  /** The code of the close, when it comes. */
  async closed(): Promise<number> {
    const [code] = await once(this.ws, 'close')
    return code
  }
}
