import { closeCodeOf } from './failures.ts'
import { Feed, type FeedEvent } from './feed.ts'
import { messagingEvent } from './messaging-events.ts'
import { type Client, connect, type Project } from './project.ts'
import { roomEvent } from './room-events.ts'

type Listener = ((event: Event & { data?: string; code?: number; reason?: string }) => void) | null

/**
 * What `WebSocket` was to the messaging front end (`/ws/messaging/?token=…`) and to that of the rooms
 * (`/ws/chat/{room_id}/?token=…`). It stays open while connections come and go: what happened meanwhile is told when it is
 * back.
 */
export class ChatSocket extends EventTarget {
  static readonly CONNECTING = 0
  static readonly OPEN = 1
  static readonly CLOSING = 2
  static readonly CLOSED = 3

  readonly url: string
  readyState: number = ChatSocket.CONNECTING
  onopen: Listener = null
  onmessage: Listener = null
  onerror: Listener = null
  onclose: Listener = null
  readonly #roomId: string | undefined
  #client: Client | undefined
  #feed: Feed | undefined

  constructor(project: Project, address: string | URL) {
    super()
    const url = new URL(address)
    this.url = url.href
    this.#roomId = /\/ws\/chat\/([^/]+)/.exec(url.pathname)?.[1]
    const given = url.searchParams.get('token')
    const token = given === null ? project.token : () => given
    this.#open(project, token ?? (() => '')).catch((error: Error) => this.#fail(error))
  }

  /** A message `{message, conversation_id}`, or that one is typing in this room: `{type: 'typing', is_typing}`. */
  send(text: string): void {
    if (this.readyState === ChatSocket.CONNECTING) throw new Error('Still in CONNECTING state.')
    this.#send(JSON.parse(text)).catch((error: Error) => this.#dispatch('error', { message: error.message }))
  }

  close(code = 1000, reason = ''): void {
    if (this.readyState >= ChatSocket.CLOSING) return
    this.readyState = ChatSocket.CLOSING
    Promise.resolve(this.#feed?.close()).finally(() => {
      this.readyState = ChatSocket.CLOSED
      this.#dispatch('close', { code, reason, wasClean: code === 1000 })
    })
  }

  async #open(project: Project, token: NonNullable<Project['token']>): Promise<void> {
    const { client, userId } = await connect(project, token)
    this.#client = client
    const tellOf = async (event: FeedEvent) => {
      const roomId = this.#roomId
      const told = roomId ? roomEvent(event, roomId) : await messagingEvent(client, event)
      if (told) this.#dispatch('message', { data: JSON.stringify(told) })
    }
    const feed = new Feed(client, userId, {
      ...(this.#roomId && { rooms: [this.#roomId], typing: true }),
      tell: tellOf,
      online: (isOnline, reason) => {
        // A token that is over is not good again: whoever has another opens another socket.
        if (!isOnline && reason && closeCodeOf(reason) === 4401) this.#fail(reason)
      },
    })
    this.#feed = feed
    await feed.open()
    if (this.#roomId) await feed.follow(this.#roomId)
    if (this.readyState !== ChatSocket.CONNECTING) return
    this.readyState = ChatSocket.OPEN
    this.#dispatch('open')
  }

  #fail(error: Error): void {
    if (this.readyState >= ChatSocket.CLOSING) return
    this.#dispatch('error', { message: error.message })
    this.close(closeCodeOf(error), error.message)
  }

  async #send(sent: { type?: string; message?: string; conversation_id?: string; is_typing?: boolean }): Promise<void> {
    const roomId = this.#roomId ?? sent.conversation_id ?? ''
    if (sent.type === 'typing') return this.#feed?.type(roomId, sent.is_typing ?? true)
    await this.#client?.rpc('send_message', { p_room_id: roomId, p_content: sent.message ?? '' }).throwOnError()
  }

  #dispatch(type: 'open' | 'message' | 'error' | 'close', fields: object = {}): void {
    const event = Object.assign(new Event(type), fields)
    this[`on${type}`]?.(event)
    this.dispatchEvent(event)
  }
}
