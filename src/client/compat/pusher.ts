import { retrying } from './failures.ts'
import { Feed, type FeedEvent } from './feed.ts'
import { type Client, connect, type Project } from './project.ts'

type Handler = (data: unknown) => void

/** What `Pusher` was to the front ends of staff and guests. Its key and cluster say nothing any more. */
export class Pusher {
  readonly #channels = new Map<string, PusherChannel>()
  #isOver = false
  readonly #opened: Promise<{ client: Client; feed: Feed }>

  constructor(project: Project) {
    this.#opened = retrying(
      () => this.#open(project),
      () => !this.#isOver,
    )
    // Each subscription tells of it.
    this.#opened.catch(() => {})
  }

  subscribe(name: string): PusherChannel {
    const known = this.#channels.get(name)
    if (known) return known
    const channel = new PusherChannel(name)
    this.#channels.set(name, channel)
    this.#follow(channel).then(
      () => channel.emit('pusher:subscription_succeeded', {}),
      (error: Error) => channel.emit('pusher:subscription_error', { error: error.message }),
    )
    return channel
  }

  async unsubscribe(name: string): Promise<void> {
    const channel = this.#channels.get(name)
    this.#channels.delete(name)
    const isLast = ![...this.#channels.values()].some(({ roomId }) => roomId === channel?.roomId)
    if (channel?.roomId && isLast) (await this.#opened).feed.unfollow(channel.roomId)
  }

  async disconnect(): Promise<void> {
    this.#isOver = true
    this.#channels.clear()
    await (await this.#opened).feed.close()
  }

  async #open(project: Project) {
    if (!project.token) throw new Error('Say whose channels these are: there is no token.')
    const { client, userId } = await connect(project, project.token)
    const feed = new Feed(client, userId, { rooms: [], typing: true, tell: (event) => this.#tell(event) })
    await feed.open().catch(async (error) => {
      await feed.close()
      throw error
    })
    return { client, feed }
  }

  async #follow(channel: PusherChannel): Promise<void> {
    const { client, feed } = await this.#opened
    const roomId = await roomIdOf(client, channel.name)
    await feed.follow(roomId)
    channel.roomId = roomId
  }

  #tell({ name, payload }: FeedEvent): void {
    const { message } = payload
    // These front ends call the text of a message its message.
    const data = message ? { ...payload, message: { ...message, message: message.content } } : payload
    for (const channel of this.#channels.values()) {
      if (channel.roomId === payload.room_id) channel.emit(name, data)
    }
  }
}

export class PusherChannel {
  readonly name: string
  roomId: string | undefined
  readonly #handlers = new Map<string, Set<Handler>>()

  constructor(name: string) {
    this.name = name
  }

  bind(event: string, handler: Handler): this {
    this.#handlers.set(event, (this.#handlers.get(event) ?? new Set()).add(handler))
    return this
  }

  /** Without a handler, all of this event's. */
  unbind(event: string, handler?: Handler): this {
    if (handler) this.#handlers.get(event)?.delete(handler)
    else this.#handlers.delete(event)
    return this
  }

  emit(event: string, data: unknown): void {
    for (const handler of this.#handlers.get(event) ?? []) handler(data)
  }
}

/** @throws when the name is none of the documented ones, or the room is none of the caller's */
async function roomIdOf(client: Client, name: string): Promise<string> {
  const conversation = /-staff-conversation-([0-9a-f-]{36})$|-conversation-([0-9a-f-]{36})-chat$/.exec(name)
  if (conversation) return (conversation[1] ?? conversation[2]) as string
  const [, slug, number] = /^(.+)-room-([^-]+)-chat$/.exec(name) ?? []
  if (!slug || !number) throw new Error(`There is no channel ${name}.`)

  const { data: rooms } = await client
    .from('chat_rooms')
    .select('id')
    .match({ type: 'guest', room_number: number })
    .is('closed_at', null)
    .throwOnError()
  for (const { id } of rooms) {
    const { data } = await client.rpc('locate_room', { p_room_id: id })
    if ((data as { organization_slug?: string } | null)?.organization_slug === slug) return id
  }
  throw new Error(`There is no room ${number}.`)
}
