import { type Access, PrivateAccess, publicAccess } from './access.ts'
import { AuthorizationFailed } from './authorization.ts'
import type { ChangesSubscription } from './changes/changes.ts'
import { type Claims, expiryMessage, millisecondsLeft } from './claims.ts'
import { type FanOut, textBroadcast, userBroadcast } from './fan-out.ts'
import { isObject, type JoinConfig } from './join-config.ts'
import type { Project } from './project.ts'
import { Rate } from './rate.ts'
import { encodeText, type Frame, type Message, type Ref, UserBroadcast, type Version } from './serializer.ts'
import { InvalidToken, verifyToken } from './token.ts'
import type { Subscriber, Topic } from './topics.ts'

/** The socket, as its channels see it. */
export interface Connection {
  readonly version: Version
  /** The `x-…` headers of the handshake: policies may read them. */
  readonly headers: Record<string, string>
  send(frame: Frame): void
  /** The channel is no more. */
  forget(channel: Channel): void
}

export interface Joined {
  topic: string
  joinRef: Ref
  config: JoinConfig
  claims: Claims
  /** What the claims were read from; undefined for those of the connection. */
  token: string | undefined
}

const recheckMs = 300_000

/** One topic joined on one socket. */
export class Channel implements Subscriber {
  readonly topic: string
  readonly name: string
  readonly joinRef: Ref
  readonly config: JoinConfig
  readonly access: Access
  readonly #project: Project
  readonly #connection: Connection
  #claims: Claims
  #token: string | undefined
  #topic: Topic | undefined
  #changes: ChangesSubscription | undefined
  #expiry: NodeJS.Timeout | undefined
  #presenceCalls: Rate | undefined
  /** What arrived before the client knows that it has joined; undefined from then on. */
  #held: Array<() => void> | undefined = []
  #replayed: ReadonlySet<string> = new Set()
  #isClosed = false

  constructor(project: Project, connection: Connection, joined: Joined) {
    this.topic = joined.topic
    this.name = joined.topic.slice('realtime:'.length)
    this.joinRef = joined.joinRef
    this.config = joined.config
    this.#claims = joined.claims
    this.#token = joined.token
    this.#project = project
    this.#connection = connection
    const subject = { claims: joined.claims, topic: this.name, headers: connection.headers }
    this.access = joined.config.isPrivate
      ? new PrivateAccess(project.authorization, subject, joined.config.presence.isEnabled)
      : publicAccess
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** From here on what is broadcast is held for this channel, until it is opened. */
  subscribe(): void {
    this.#topic = this.#project.topics.join(this.name, this.config.isPrivate, this)
  }

  /**
   * Tells the client that it has joined, and everything that it is owed since.
   * @param replay what was broadcast before, with its ids: those are not told a second time
   */
  open(reply: Message, replay: { frames: Frame[]; ids: ReadonlySet<string> }): void {
    const entries = this.config.changes
    if (entries.length) {
      const deliver = (payload: unknown) => this.#whenOpen(() => this.#tell(null, 'postgres_changes', payload))
      this.#changes = this.#project.changes.subscribe(entries, this.#claims, deliver, (error) =>
        this.#announceChanges(error),
      )
    }
    const ids = this.#changes?.ids ?? []
    const response = { postgres_changes: entries.map((entry, i) => ({ ...entry, id: ids[i] })) }
    this.reply(reply, 'ok', response)

    for (const frame of replay.frames) this.#connection.send(frame)
    this.#replayed = replay.ids
    if (this.config.presence.isEnabled && this.access.readsPresence) {
      this.#push('presence_state', this.#topic?.presence.state() ?? {})
    }
    // Nobody joins while the stream is down, so it is live.
    if (this.config.broadcast.replicationReady) this.#system('system', 'ok', 'Replication connection established')
    if (this.#changes) this.#whenActive(this.#changes.ready)

    const held = this.#held ?? []
    this.#held = undefined
    for (const deliver of held) deliver()
    this.#watchExpiry()
  }

  handle(message: Message): void | Promise<void> {
    switch (message.event) {
      case 'broadcast':
        return this.#broadcast(message)
      case 'presence':
        return this.#presence(message)
      case 'access_token':
        return this.#refresh(isObject(message.payload) ? message.payload.access_token : undefined)
      case 'phx_leave':
        // One for the channel that this one has replaced.
        if (message.joinRef !== null && message.joinRef !== this.joinRef) return
        this.reply(message, 'ok', {})
        return this.close()
    }
  }

  onBroadcast(message: FanOut, id?: string): void {
    if (!this.access.readsBroadcast) return
    this.#whenOpen(() => {
      if (id !== undefined && this.#replayed.has(id)) return
      this.#deliver(message)
    })
  }

  onPresenceDiff(message: FanOut): void {
    if (this.access.readsPresence) this.#whenOpen(() => this.#deliver(message))
  }

  /** The client drops the channel for good. */
  close(): void {
    this.#end('phx_close')
  }

  /** The client joins again. */
  fail(): void {
    this.#end('phx_error')
  }

  /** Leaves without a word: the socket is gone, or the join was refused. */
  abandon(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#expiry)
    this.#changes?.close()
    this.#project.topics.leave(this.name, this.config.isPrivate, this)
    this.#connection.forget(this)
  }

  /** Says goodbye for the whole server. */
  disconnect(): void {
    this.#system('system', 'ok', 'Server requested disconnect')
  }

  reply(to: Message, status: 'ok' | 'error', response: unknown): void {
    this.#write({ ...to, joinRef: this.joinRef, event: 'phx_reply', payload: { status, response } })
  }

  #broadcast(message: Message): void | Promise<void> {
    const { payload } = message
    let size: number
    let relayed: FanOut
    if (payload instanceof UserBroadcast) {
      size = payload.bytes.length
      relayed = userBroadcast(this.topic, payload)
    } else if (isObject(payload)) {
      const text = JSON.stringify(payload)
      size = Buffer.byteLength(text)
      relayed = textBroadcast(this.topic, text)
    } else {
      return
    }
    return this.#ifAllowed(this.access.mayBroadcast(), (isAllowed) => {
      // Supabase leaves the sender without an answer here, whatever it asked for.
      if (!isAllowed) return
      this.#send(message, relayed, size)
    })
  }

  #send(message: Message, relayed: FanOut, size: number): void {
    const { ack, self } = this.config.broadcast
    if (size > this.#project.limits.payloadBytes) {
      if (ack) this.reply(message, 'error', 'payload_size_exceeded')
      return
    }
    if (!this.#project.rates.events.add(1 + (this.#topic?.subscribers.size ?? 0))) {
      this.#shutDown('Too many messages per second')
      return
    }
    this.#topic?.broadcast(relayed, self ? {} : { except: this })
    if (ack) this.reply(message, 'ok', {})
  }

  #presence(message: Message): void | Promise<void> {
    const call = isObject(message.payload) ? message.payload : {}
    if (!this.#project.rates.presence.add()) return this.#shutDown('Too many presence messages per second')
    this.#presenceCalls ??= new Rate(this.#project.limits.presenceCalls, 30_000)
    if (!this.#presenceCalls.add()) return this.#shutDown('Client presence rate limit exceeded')

    if (call.event === undefined) return this.reply(message, 'ok', {})
    switch (String(call.event).toLowerCase()) {
      case 'track':
        return this.#track(message, call.payload ?? {})
      case 'untrack':
        this.#topic?.untrack(this)
        return this.reply(message, 'ok', {})
      default:
        return this.reply(message, 'error', {})
    }
  }

  #track(message: Message, payload: unknown): void | Promise<void> {
    if (!isObject(payload)) return this.reply(message, 'error', { reason: 'Presence track payload must be a map' })
    if (Buffer.byteLength(JSON.stringify(payload)) > this.#project.limits.payloadBytes) {
      return this.#shutDown('Track message size exceeded')
    }
    return this.#ifAllowed(this.access.mayTrack(), (isAllowed) => {
      if (!isAllowed) return this.reply(message, 'error', {})
      this.#topic?.track(this, this.config.presence.key, payload)
      this.reply(message, 'ok', {})
    })
  }

  /** Goes on at once when the answer is known. A policy that fails is a refusal. */
  #ifAllowed(answer: boolean | Promise<boolean>, proceed: (isAllowed: boolean) => void): void | Promise<void> {
    if (typeof answer === 'boolean') return proceed(answer)
    return answer
      .catch((error: unknown) => {
        if (!(error instanceof AuthorizationFailed)) throw error
        this.#project.log(`realtime: ${this.topic}: ${error.message}`)
        return false
      })
      .then((isAllowed) => {
        if (!this.#isClosed) proceed(isAllowed)
      })
  }

  async #refresh(token: unknown): Promise<void> {
    if (typeof token !== 'string' || token.startsWith('sb_') || token === this.#token) return
    try {
      const claims = await verifyToken(token, this.#project.keys.jwtSecret)
      const reads = await this.access.refresh(claims)
      if (this.#isClosed) return
      if (reads === 'none') return this.#shutDown(noPermission(this.name))
      if (reads === 'lost')
        return this.#shutDown(`You no longer have permission to read from this Channel topic: ${this.name}`)
      this.#claims = claims
      this.#token = token
    } catch (error) {
      if (this.#isClosed) return
      if (error instanceof InvalidToken) return this.#shutDown(error.message)
      if (!(error instanceof AuthorizationFailed)) throw error
      this.#project.log(`realtime: ${this.topic}: ${error.message}`)
      const isDown = error.kind === 'unavailable'
      return this.#shutDown(isDown ? 'Realtime was unable to connect to the project database' : noPermission(this.name))
    }
    this.#watchExpiry()
    if (this.#changes) this.#whenActive(this.#changes.setClaims(this.#claims))
  }

  #whenActive(active: Promise<void>): void {
    active.then(
      () => this.#announceChanges(null),
      (error: Error) => this.#announceChanges(error),
    )
  }

  #announceChanges(error: Error | null): void {
    if (error) this.#system('postgres_changes', 'error', error.message)
    else this.#system('postgres_changes', 'ok', 'Subscribed to PostgreSQL')
  }

  #watchExpiry(): void {
    clearTimeout(this.#expiry)
    const left = millisecondsLeft(this.#claims)
    if (left <= 0) this.#shutDown(expiryMessage(this.#claims))
    else this.#expiry = setTimeout(() => this.#watchExpiry(), Math.min(left, recheckMs)).unref()
  }

  #shutDown(message: string): void {
    this.#system('system', 'error', message)
    this.close()
  }

  #end(event: 'phx_close' | 'phx_error'): void {
    if (this.#isClosed) return
    // The client takes it for this channel's by its ref.
    this.#write({ joinRef: this.joinRef, ref: this.joinRef, topic: this.topic, event, payload: {} })
    this.abandon()
  }

  #system(extension: 'system' | 'postgres_changes', status: 'ok' | 'error', message: string): void {
    this.#push('system', { extension, status, message, channel: this.name })
  }

  #push(event: string, payload: unknown): void {
    this.#tell(this.joinRef, event, payload)
  }

  #tell(joinRef: Ref, event: string, payload: unknown): void {
    this.#write({ joinRef, ref: null, topic: this.topic, event, payload })
  }

  #write(message: Message): void {
    if (this.#isClosed) return
    this.#connection.send({ bytes: Buffer.from(encodeText(this.#connection.version, message)), isBinary: false })
  }

  #deliver(message: FanOut): void {
    const frame = message.frame(this.#connection.version)
    if (frame) this.#connection.send(frame)
  }

  #whenOpen(deliver: () => void): void {
    if (this.#isClosed) return
    if (this.#held) this.#held.push(deliver)
    else deliver()
  }
}

export function noPermission(name: string): string {
  return `You do not have permissions to read from this Channel topic: ${name}`
}
