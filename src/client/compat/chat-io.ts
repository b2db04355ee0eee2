import { retrying } from './failures.ts'
import { Feed, type FeedEvent } from './feed.ts'
import type { Message } from './messages.ts'
import { type Client, connect, type Project } from './project.ts'
import { clientIdOf } from './temp-id.ts'

type Handler = (data: unknown) => void

/** What the mobile app sends. */
interface Sent {
  room_id?: string
  content?: string
  temp_id?: string
  message_type?: string
  reply_to_message_id?: string
  attachment_ids?: string[]
  message_ids?: string[]
  is_archived?: boolean
}

const sameName = ['unread-count-update', 'room-archived', 'room-deleted', 'room-messages-cleared']

/** What a socket of `io()` was to the mobile app, as far as its document goes. */
export class ChatIo {
  connected = false
  #isOver = false
  readonly #handlers = new Map<string, Set<Handler>>()
  readonly #sentIds = new Set<string>()
  #client: Client | undefined
  #userId = ''
  #feed: Feed | undefined
  readonly #opened: Promise<void>

  constructor(project: Project, token: Project['token']) {
    this.#opened = retrying(
      () => this.#open(project, token ?? (() => '')),
      (error) => {
        this.#dispatch('connect_error', error)
        return !this.#isOver
      },
    )
    this.#opened.catch(() => {})
  }

  on(event: string, handler: Handler): this {
    this.#handlers.set(event, (this.#handlers.get(event) ?? new Set()).add(handler))
    return this
  }

  off(event: string, handler?: Handler): this {
    if (handler) this.#handlers.get(event)?.delete(handler)
    else this.#handlers.delete(event)
    return this
  }

  /** What is sent before the connection stands waits for it. */
  emit(event: string, data: Sent = {}): this {
    this.#opened
      .then(() => this.#handle(event, data))
      .catch((error: { message: string; details?: string }) =>
        this.#dispatch('error', { event, temp_id: data.temp_id, error: error.details, message: error.message }),
      )
    return this
  }

  disconnect(): this {
    this.#isOver = true
    this.#opened.finally(() => this.#feed?.close()).catch(() => {})
    this.#setConnected(false)
    return this
  }

  async #open(project: Project, token: NonNullable<Project['token']>): Promise<void> {
    const { client, userId } = await connect(project, token)
    this.#client = client
    this.#userId = userId
    let isOpen = false
    this.#feed = new Feed(client, userId, {
      queued: true,
      tell: (event) => this.#tell(client, event),
      online: (isOnline) => isOpen && this.#setConnected(isOnline),
    })
    await this.#feed.open().catch(async (error) => {
      await this.#feed?.close()
      throw error
    })
    isOpen = true
    this.#setConnected(true)
  }

  #setConnected(isConnected: boolean): void {
    if (this.connected === isConnected) return
    this.connected = isConnected
    this.#dispatch(isConnected ? 'connect' : 'disconnect', undefined)
  }

  async #handle(event: string, data: Sent): Promise<void> {
    const client = this.#client as Client
    const p_room_id = data.room_id as string
    switch (event) {
      case 'send-message':
        return this.#send(client, p_room_id, data)
      case 'mark-messages-seen': {
        const { message_ids: p_message_ids = [] } = data
        if (p_message_ids.length > 0)
          await client.rpc('mark_messages_seen', { p_room_id, p_message_ids }).throwOnError()
        return
      }
      case 'room-archive':
        await client.rpc('archive_chat', { p_room_id, p_archived: data.is_archived ?? true }).throwOnError()
        return
      case 'ping':
        await this.#feed?.beat()
        return this.#dispatch('pong', undefined)
      default:
        throw new Error(`There is no event ${event}.`)
    }
  }

  async #send(client: Client, p_room_id: string, data: Sent): Promise<void> {
    const { temp_id = crypto.randomUUID(), content, message_type, reply_to_message_id, attachment_ids } = data
    const p_client_id = await clientIdOf(this.#userId, temp_id)
    this.#sentIds.add(p_client_id)
    const { data: answer } = await client
      .rpc('send_message', {
        p_room_id,
        p_client_id,
        ...(content !== undefined && { p_content: content }),
        ...(message_type !== undefined && { p_message_type: message_type }),
        ...(reply_to_message_id !== undefined && { p_reply_to_id: reply_to_message_id }),
        ...(attachment_ids !== undefined && { p_attachment_ids: attachment_ids }),
      })
      .throwOnError()
    const { message, ...confirmation } = answer as { message: unknown }
    this.#dispatch('message-confirmed', { ...confirmation, temp_id })
  }

  async #tell(client: Client, { name, payload }: FeedEvent): Promise<void> {
    if (name === 'new-message') {
      // The app shows what it sends at once, and waits for the confirmation alone.
      const { client_id } = payload.message as Message
      if (!client_id || !this.#sentIds.has(client_id)) this.#dispatch('new-chat-message', { message: payload.message })
    } else if (name === 'messages-seen') {
      if (payload.seen_by?.user_id === this.#userId) return
      const { room_id, message_ids = await this.#mineUpTo(client, room_id, payload.up_to_seq), seen_by } = payload
      this.#dispatch(name, { room_id, message_ids, seen_by })
    } else if (name === 'user-status') {
      this.#dispatch('chat-user-status-update', payload)
    } else if (sameName.includes(name)) {
      this.#dispatch(name, payload)
    }
  }

  // Somebody has read a whole room: of my messages there the app knows the newest by their ids.
  async #mineUpTo(client: Client, roomId = '', seq = 0): Promise<string[]> {
    const { data } = await client
      .from('chat_messages')
      .select('id')
      .match({ room_id: roomId, sender_id: this.#userId })
      .lte('seq', seq)
      .order('seq', { ascending: false })
      .limit(100)
    return (data ?? []).map(({ id }) => id).reverse()
  }

  #dispatch(event: string, data: unknown): void {
    for (const handler of this.#handlers.get(event) ?? []) handler(data)
  }
}
