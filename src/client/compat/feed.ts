import { Channels } from './channels.ts'
import { type Message, type Reaction, shown } from './messages.ts'
import type { Client } from './project.ts'
import { Told } from './told.ts'

export interface FeedEvent {
  /** The database's name for it: see docs/live.md. */
  name: string
  payload: Payload
}

export interface Payload {
  room_id?: string
  message?: Message
  message_id?: string
  message_ids?: string[]
  up_to_seq?: number
  change_seq?: number
  user_id?: string | null
  emoji?: string | null
  action?: string | null
  reactions?: Reaction[]
  seen_by?: { user_id: string; user_name: string; seen_at: string }
  [field: string]: unknown
}

interface Options {
  /** Whose channels to join; all of the caller's when this is missing. */
  rooms?: string[]
  /** Also what was sent before the first connection and did not arrive on any device. */
  queued?: boolean
  /** Also who is typing. */
  typing?: boolean
  tell: (event: FeedEvent) => void | Promise<void>
  /** Whether events arrive at this moment. */
  online?: (isOnline: boolean, reason?: Error) => void
}

interface Room {
  id: string
  topic: string
}
interface Page {
  messages: Message[]
  changed: Message[]
  rooms: Room[]
  gone_rooms: string[]
  reset: string[]
  cursors: Record<string, Cursor>
  has_more: boolean
}
interface Cursor {
  seq: number
  change_seq: number
}

// A connection holds at most 100 channels: the rooms that were heard of last. Of others `user:` and syncing tell.
const maxRooms = 40
// Of a room that is this far behind the newest alone are told, as many as a page of them.
const newest = 100
// No cursor of a room is as far: syncing then says where the room is, and nothing else.
const future: Cursor = { seq: 0, change_seq: 1e17 }

/**
 * What happens in the caller's rooms, as one stream: each message once, in the order of its room. Live events are hints,
 * the tables are the truth: after each join, and whenever a message is missing, it reads what it has not told yet.
 */
export class Feed {
  readonly #client: Client
  readonly #userId: string
  readonly #options: Options
  readonly #channels: Channels
  readonly #told = new Told()
  readonly #rooms: Set<string> | undefined
  readonly #topics = new Map<string, string>()
  #cursors: Record<string, Cursor> = {}
  #catchingUp: Promise<void> | undefined
  #isBehind = false
  #telling = Promise.resolve()
  #delivered = new Map<string, number>()
  #timers: ReturnType<typeof setInterval>[] = []
  #isReady = false
  #isClosed = false

  constructor(client: Client, userId: string, options: Options) {
    this.#client = client
    this.#userId = userId
    this.#options = options
    this.#rooms = options.rooms && new Set(options.rooms)
    this.#channels = new Channels(client, {
      hear: (topic, event, payload) => this.#hear(topic, event, payload),
      joined: (topic) => this.#joined(topic),
      lost: (topic, error) => this.#lost(topic, error),
    })
  }

  /** Ends when all that happens from then on is told. @throws when the token is no good. */
  async open(): Promise<void> {
    await this.beat()
    this.#timers.push(setInterval(() => this.beat().catch(() => {}), 25_000))
    await this.#channels.join(this.#ownTopic)
    const { data } = await this.#client.rpc('get_rooms', { p_archived: null as never, p_limit: 500 }).throwOnError()
    const rooms = data as unknown as Room[]
    const { queued = false } = this.#options
    if (!queued) this.#cursors = Object.fromEntries(rooms.map(({ id }) => [id, future]))
    await this.#sync(queued)
    this.#isReady = true
    await Promise.all(
      rooms
        .slice(0, maxRooms)
        .toReversed()
        .map((room) => this.#enter(room)),
    )
    await this.catchUp()
    await this.#telling
  }

  /** Keeps the caller online, and with that told of rooms that come, go and move. */
  async beat(): Promise<void> {
    await this.#client.rpc('heartbeat').throwOnError()
  }

  /** Joins one more room, or throws when it is none of the caller's. */
  async follow(roomId: string): Promise<void> {
    const { data } = await this.#client.rpc('get_rooms', { p_room_id: roomId }).throwOnError()
    this.#rooms?.add(roomId)
    await Promise.all((data as unknown as Room[]).map((room) => this.#enter(room)))
    await this.catchUp()
  }

  unfollow(roomId: string): void {
    this.#rooms?.delete(roomId)
    this.#leave(roomId)
  }

  async type(roomId: string, isTyping: boolean): Promise<void> {
    const topic = this.#topics.get(roomId)
    if (topic) {
      await this.#channels.send(`${topic}:typing`, 'typing', { user_id: this.#userId, is_typing: isTyping })
    }
  }

  /** Reads what was missed, until nothing is. */
  catchUp(): Promise<void> {
    this.#isBehind = true
    this.#catchingUp ??= this.#untilCaughtUp()
    return this.#catchingUp
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const timer of this.#timers) clearInterval(timer)
    await this.#markDelivered()
    await this.#channels.close()
  }

  get #ownTopic(): string {
    return `user:${this.#userId}`
  }

  #joined(topic: string): void {
    if (topic === this.#ownTopic) this.#options.online?.(true)
    this.#catchUpSoon()
    // What was committed while the channel was being joined may be seen a moment later.
    setTimeout(() => this.#catchUpSoon(), 2000)
  }

  #lost(topic: string, error: Error): void {
    if (topic === this.#ownTopic) this.#options.online?.(false, error)
    // The room may have moved.
    else this.#catchUpSoon()
  }

  #catchUpSoon(): void {
    // Whatever is wrong now, each join and each gap asks again.
    if (this.#isReady && !this.#isClosed) this.catchUp().catch(() => {})
  }

  async #untilCaughtUp(): Promise<void> {
    try {
      while (this.#isBehind && !this.#isClosed) {
        this.#isBehind = false
        await this.#sync(true)
      }
    } finally {
      this.#catchingUp = undefined
    }
  }

  async #sync(isToldOf: boolean): Promise<void> {
    for (let hasMore = true; hasMore && !this.#isClosed; ) {
      const { data } = await this.#client
        .rpc('sync_messages', { p_cursors: { ...this.#cursors } as never })
        .throwOnError()
      const page = data as unknown as Page
      hasMore = page.has_more
      for (const roomId of page.gone_rooms) this.#leave(roomId)
      // At first the newest ones are entered, by whoever called.
      if (this.#isReady) for (const room of page.rooms) this.#enter(room)
      if (isToldOf) {
        for (const message of page.changed) this.#tellChanged(message)
        for (const message of page.messages) this.#tellNew(message)
        for (const roomId of page.reset) await this.#tellNewest(roomId)
      }
      this.#advance(page)
    }
  }

  // What came live meanwhile is further than the page.
  #advance({ cursors, gone_rooms, reset }: Page): void {
    for (const [roomId, { seq, change_seq }] of Object.entries(cursors)) {
      const known = reset.includes(roomId) ? 0 : (this.#cursors[roomId]?.seq ?? 0)
      this.#cursors[roomId] = { seq: Math.max(seq, known), change_seq }
    }
    for (const roomId of gone_rooms) delete this.#cursors[roomId]
  }

  async #tellNewest(roomId: string): Promise<void> {
    // Of a room that is new here the front end has read nothing yet either.
    if (!this.#cursors[roomId]) return
    const { data } = await this.#client.rpc('get_messages', { p_room_id: roomId, p_limit: newest }).throwOnError()
    const messages = data as unknown as Message[]
    for (const message of messages.toReversed()) this.#tellNew(message)
  }

  async #enter({ id, topic }: Room): Promise<void> {
    if (this.#rooms && !this.#rooms.has(id)) return
    const known = this.#topics.get(id)
    if (known !== undefined && known !== topic) this.#leave(id)
    this.#topics.delete(id)
    this.#topics.set(id, topic)
    const [oldest] = this.#topics.keys()
    if (this.#topics.size > maxRooms && oldest) this.#leave(oldest)
    await Promise.all([
      this.#channels.join(topic),
      ...(this.#options.typing ? [this.#channels.join(`${topic}:typing`)] : []),
    ])
  }

  #leave(roomId: string): void {
    const topic = this.#topics.get(roomId)
    if (topic === undefined) return
    this.#topics.delete(roomId)
    this.#channels.leave(topic)
    this.#channels.leave(`${topic}:typing`)
  }

  #hear(topic: string, name: string, heard: Record<string, unknown>): void {
    const payload: Payload = heard
    const { message } = payload
    // What comes before is read at the end of opening.
    if (!this.#isReady) return
    if (name === 'room-topic') {
      this.#enter({ id: payload.room_id as string, topic: payload.topic as string })
    } else if (name === 'room-created' || name === 'member-joined' || name === 'member-left') {
      this.#catchUpSoon()
    } else if (name === 'message-reaction') {
      this.#hearReaction(payload)
    } else if (name === 'typing') {
      const roomId = [...this.#topics].find(([, its]) => topic === `${its}:typing`)?.[0]
      if (roomId && payload.user_id !== this.#userId) this.#tell(name, { ...payload, room_id: roomId })
    } else if (!message) {
      this.#tell(name, payload)
    } else {
      this.#hearMessage(name, payload, message)
    }
  }

  #hearMessage(name: string, payload: Payload, message: Message): void {
    const seq = this.#cursors[payload.room_id as string]?.seq
    const isNext = name === 'new-message' && message.seq === (seq ?? Number.NaN) + 1
    const isKnown = seq !== undefined && message.seq <= seq
    // Too large to be told whole, or something is missing before it, or its room is new.
    if (!('content' in message) || !(isNext || isKnown)) {
      this.#catchUpSoon()
      return
    }
    if (isNext) {
      this.#tellNew(message)
    } else if (name !== 'new-message' && this.#told.isNews(message.id, message.change_seq)) {
      this.#told.remember(message)
      this.#tell(name, payload)
    }
  }

  #hearReaction(payload: Payload): void {
    const { message_id = '', change_seq = 0, reactions = [] } = payload
    if (!this.#told.isNews(message_id, change_seq)) return
    this.#told.rememberReactions(message_id, change_seq, reactions)
    this.#tell('message-reaction', payload)
  }

  #tellNew(message: Message): void {
    const { room_id, seq } = message
    const cursor = this.#cursors[room_id]
    if (cursor && seq <= cursor.seq) return
    this.#cursors[room_id] = { seq, change_seq: cursor?.change_seq ?? 0 }
    this.#told.remember(message)
    if (!message.is_deleted) this.#tell('new-message', { room_id, message })
  }

  #tellChanged(message: Message): void {
    const { id, room_id, change_seq, reactions } = message
    if (!this.#told.isNews(id, change_seq)) return
    for (const name of this.#told.newsOf(message)) {
      const payloads: Record<string, Payload> = {
        'message-deleted': { room_id, message_id: id, hard_delete: false, message },
        'message-reaction': {
          room_id,
          message_id: id,
          change_seq,
          user_id: null,
          emoji: null,
          action: null,
          reactions,
        },
      }
      this.#tell(name, payloads[name] ?? { room_id, message })
    }
    this.#told.remember(message)
  }

  // One after the other, also when a message waits for the links of its files.
  #tell(name: string, payload: Payload): void {
    this.#telling = this.#telling.then(async () => {
      if (this.#isClosed) return
      const message = payload.message && (await shown(this.#client, payload.message).catch(() => payload.message))
      await this.#options.tell({ name, payload: { ...payload, ...(message && { message }) } })
      if (name === 'new-message' && message && this.#options.queued) this.#deliver(message.room_id, message.seq)
    })
    this.#telling = this.#telling.catch((error) => console.error(error))
  }

  #deliver(roomId: string, seq: number): void {
    if (this.#delivered.size === 0) setTimeout(() => this.#markDelivered(), 500)
    this.#delivered.set(roomId, seq)
  }

  // Once it is told; what cannot be said now is told again at the next start.
  async #markDelivered(): Promise<void> {
    await this.#telling
    const delivered = [...this.#delivered]
    this.#delivered.clear()
    for (const [roomId, seq] of delivered) {
      await this.#client.rpc('mark_delivered', { p_room_id: roomId, p_seq: seq })
    }
  }
}
