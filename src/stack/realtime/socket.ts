import { setTimeout as sleep } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import type { Channel } from './channel.ts'
import type { Claims } from './claims.ts'
import { type Admitted, type Joining, JoinRefused, join, unavailable } from './join.ts'
import type { Project } from './project.ts'
import { Queues } from './queues.ts'
import { replayFrame } from './replay.ts'
import { decodeBinary, decodeText, encodeText, type Frame, type Message, type Version } from './serializer.ts'

export interface SocketOptions {
  version: Version
  claims: Claims
  /** The `x-…` headers of the handshake. */
  headers: Record<string, string>
}

// Joins of private topics wait for the database; a client that sends faster than it answers is read more slowly.
const mostWaiting = 1000

/** One client's connection. What it says about one topic is answered in order; topics do not wait for each other. */
export class Socket implements Joining {
  readonly version: Version
  readonly claims: Claims
  readonly headers: Record<string, string>
  readonly #project: Project
  readonly #ws: WebSocket
  readonly #channels = new Map<string, Channel>()
  /** Topics whose join is under way: they count as channels. */
  readonly #joining = new Set<string>()
  readonly #queues: Queues
  readonly #idle: NodeJS.Timeout
  #hadChannels = false
  /** How often the replication stream was interrupted. */
  #gaps = 0

  constructor(project: Project, ws: WebSocket, { version, claims, headers }: SocketOptions) {
    this.version = version
    this.claims = claims
    this.headers = headers
    this.#project = project
    this.#ws = ws
    this.#queues = new Queues(
      (topic, error) => this.#fault(topic, error),
      () => ws.resume(),
    )
    this.#idle = setTimeout(() => this.#leave(1000), project.limits.idleMs).unref()

    ws.on('message', (data: Buffer, isBinary) => {
      this.#idle.refresh()
      const message = this.#decode(data, isBinary)
      if (message) this.#receive(message)
    })
    ws.on('ping', () => this.#idle.refresh())
    ws.on('pong', () => this.#idle.refresh())
    // Too long a frame, or one that is none: the library closes with the code for it.
    ws.on('error', (error) => project.log(`realtime: a connection failed: ${error.message}`))
    ws.on('close', () => {
      clearTimeout(this.#idle)
      this.#abandonChannels()
    })
  }

  /** Whether it has left all channels that it ever had. */
  get isDeserted(): boolean {
    return this.#hadChannels && this.#channels.size + this.#joining.size === 0
  }

  /** @param code of the WebSocket protocol: 1001 sends the client away, 1012 tells of a restart */
  close(code: 1001 | 1012): void {
    if (code === 1012) for (const channel of this.#channels.values()) channel.disconnect()
    this.#leave(code)
  }

  terminate(): void {
    this.#ws.terminate()
  }

  /** The replication stream was interrupted: every channel has to be joined again. */
  failChannels(): void {
    this.#gaps += 1
    for (const channel of [...this.#channels.values()]) channel.fail()
  }

  send({ bytes, isBinary }: Frame): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    if (this.#ws.bufferedAmount > this.#project.limits.unreadBytes) {
      this.#project.log('realtime: dropped a subscriber that does not read')
      this.#ws.terminate()
      return
    }
    this.#ws.send(bytes, { binary: isBinary })
  }

  forget(channel: Channel): void {
    if (this.#channels.get(channel.topic) === channel) this.#channels.delete(channel.topic)
  }

  /** Says goodbye, and waits for nobody: a peer that is gone never answers. */
  #leave(code: number): void {
    this.#abandonChannels()
    this.#ws.close(code)
  }

  #abandonChannels(): void {
    for (const channel of [...this.#channels.values()]) channel.abandon()
  }

  #decode(data: Buffer, isBinary: boolean): Message | undefined {
    if (!isBinary) return decodeText(this.version, data.toString())
    return this.version === 2 ? decodeBinary(data) : undefined
  }

  #receive(message: Message): void {
    if (message.topic === 'phoenix' && message.event === 'heartbeat') {
      this.#reply(message, 'ok', {})
      return
    }
    this.#queues.run(message.topic, () => this.#handle(message))
    if (this.#queues.length > mostWaiting) this.#ws.pause()
  }

  #handle(message: Message): void | Promise<void> {
    if (!this.#isOpen) return
    const { topic, event } = message
    if (event === 'phx_join' && topic.startsWith('realtime:')) return this.#join(message)
    const channel = this.#channels.get(topic)
    if (channel) return channel.handle(message)
    if (event === 'phx_leave') return this.#reply(message, 'ok', {})
    this.#reply(message, 'error', { reason: 'unmatched topic' })
  }

  async #join(message: Message): Promise<void> {
    const { topic } = message
    // One channel a topic: the old one is gone even if the new join fails.
    this.#channels.get(topic)?.close()
    this.#joining.add(topic)
    try {
      this.#checkLimits(topic)
      const { channel, replayed } = await this.#joinWhileLive(message)
      // The database may have taken its time, and the client is gone.
      if (!this.#isOpen) return channel.abandon()
      this.#channels.set(topic, channel)
      this.#hadChannels = true
      const frames = replayed.flatMap((row) => replayFrame(this.version, topic, channel.joinRef, row) ?? [])
      channel.open(message, { frames, ids: new Set(replayed.map(({ id }) => id)) })
    } catch (error) {
      if (!(error instanceof JoinRefused)) this.#logFault(topic, error)
      const reason = error instanceof JoinRefused ? error.message : 'Unknown Error on Channel'
      this.#reply({ ...message, joinRef: message.joinRef ?? message.ref }, 'error', { reason }, true)
      this.#channels.get(topic)?.abandon()
      if (reason === tooManyJoins) this.#leave(1001)
    } finally {
      this.#joining.delete(topic)
    }
  }

  #checkLimits(topic: string): void {
    const { limits, rates } = this.#project
    if (topic === 'realtime:') throw new JoinRefused('TopicNameRequired: You must provide a topic name')
    if (!rates.joins.add()) throw new JoinRefused(tooManyJoins)
    if (this.#channels.size + this.#joining.size > limits.channelsPerSocket) {
      throw new JoinRefused('ChannelRateLimitReached: Too many channels')
    }
  }

  /** What is committed while the stream is down reaches nobody: who joined then would miss it. */
  async #joinWhileLive(message: Message): Promise<Admitted> {
    for (;;) {
      await this.#untilLive()
      const gaps = this.#gaps
      const admitted = await join(this.#project, this, message)
      if (!this.#isOpen || (this.#project.replication.isLive() && gaps === this.#gaps)) return admitted
      admitted.channel.abandon()
    }
  }

  async #untilLive(): Promise<void> {
    const { replication, limits } = this.#project
    if (replication.isLive()) return
    const patience = new AbortController()
    const timeout = sleep(limits.patienceMs, undefined, { signal: patience.signal })
    // Both fail when they are no longer needed: the one aborted, the other closed.
    await Promise.race([replication.live(), timeout]).catch(() => {})
    patience.abort()
    await timeout.catch(() => {})
    if (!replication.isLive()) throw new JoinRefused(unavailable)
  }

  /** A fault of ours: the client may try again. */
  #fault(topic: string, error: unknown): void {
    this.#logFault(topic, error)
    this.#channels.get(topic)?.fail()
  }

  #logFault(topic: string, error: unknown): void {
    this.#project.log(`realtime: ${topic}: ${error instanceof Error ? error.stack : error}`)
  }

  #reply(to: Message, status: 'ok' | 'error', response: unknown, isOfChannel = false): void {
    const joinRef = isOfChannel ? to.joinRef : null
    const text = encodeText(this.version, { ...to, joinRef, event: 'phx_reply', payload: { status, response } })
    this.send({ bytes: Buffer.from(text), isBinary: false })
  }

  get #isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN
  }
}

const tooManyJoins = 'ClientJoinRateLimitReached: Too many joins per second'
