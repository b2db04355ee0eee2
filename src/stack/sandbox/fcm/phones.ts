import type { Message } from './message.ts'
import { type Platform, platformOf } from './self-describing-token.ts'

/** A message FCM accepted for a device. */
export interface Received {
  /** `projects/<project>/messages/<id>` */
  name: string
  token: string
  at: string
  message: Message
}

/** A notification as it stands on a device's screen. */
interface Shown {
  /** What a later notification must carry to replace this one; none: it stands alone. */
  tag?: string
  title?: string
  body?: string
  image?: string
  badge?: number
  /** Group on the screen (`thread-id`); iOS only. */
  thread?: string
  data: Record<string, string>
  /** Messages that led to what is shown, oldest first. */
  names: string[]
}

// What is older is forgotten, by the list and by the screens.
const keptMessages = 10_000
/** FCM keeps at most this many messages for a device that is offline. */
const maxPending = 100

/** All devices: what they got, and what their screens show. Devices are online until told otherwise. */
export class Phones {
  #received: Received[] = []
  readonly #pending = new Map<string, Received[]>()

  deliver(received: Received): void {
    const pending = this.#pending.get(received.token)
    if (!pending) {
      this.#received.push(received)
      if (this.#received.length > keptMessages) this.#received.shift()
      return
    }
    const key = collapseKey(received)
    const rest = pending.filter((waiting) => key === undefined || collapseKey(waiting) !== key)
    this.#pending.set(received.token, [...rest, received].slice(-maxPending))
  }

  /** Offline, a device's messages wait and those of one collapse key are one; online again, it gets them. */
  setOnline(token: string, online: boolean): void {
    const pending = this.#pending.get(token)
    if (!online) {
      if (!pending) this.#pending.set(token, [])
      return
    }
    this.#pending.delete(token)
    for (const received of pending ?? []) if (!outlived(received)) this.deliver(received)
  }

  received(): Received[] {
    return this.#received
  }

  inspect() {
    const tokens = new Set([...this.#received.map(({ token }) => token), ...this.#pending.keys()])
    const devices = [...tokens].map((token) => {
      const pending = this.#pending.get(token)
      const shown = screen(this.#received.filter((received) => received.token === token))
      return [token, { platform: platformOf(token), online: !pending, shown, pending: pending ?? [] }] as const
    })
    return Object.fromEntries(devices)
  }

  clear(): void {
    this.#received = []
    this.#pending.clear()
  }
}

/** What the screen shows after `messages` of one device came in this order. */
function screen(messages: Received[]): Shown[] {
  const shown: Shown[] = []
  for (const received of messages) {
    const next = notificationOf(received, platformOf(received.token))
    if (!next) continue
    const at = next.tag === undefined ? -1 : shown.findIndex(({ tag }) => tag === next.tag)
    const [replaced] = at < 0 ? [] : shown.splice(at, 1)
    shown.push({ ...next, names: [...(replaced?.names ?? []), received.name] })
  }
  return shown
}

// A message with data alone shows nothing: the app decides.
function notificationOf({ message }: Received, platform: Platform): Shown | undefined {
  const { notification, android, apns, webpush } = message
  const common = { ...message.data }
  if (platform === 'ios') {
    const { aps } = apns?.payload ?? {}
    const alert = typeof aps?.alert === 'string' ? { body: aps.alert } : aps?.alert
    if (!notification && !alert) return undefined
    return tidy({ ...notification, ...alert }, common, {
      tag: apns?.headers?.['apns-collapse-id'],
      badge: aps?.badge,
      thread: aps?.['thread-id'],
    })
  }
  if (platform === 'web') {
    if (!notification && !webpush?.notification) return undefined
    const { tag } = webpush?.notification ?? {}
    return tidy({ ...notification, ...webpush?.notification }, { ...common, ...webpush?.data }, { tag })
  }
  if (!notification && !android?.notification) return undefined
  const { tag, notification_count } = android?.notification ?? {}
  const data = { ...common, ...android?.data }
  return tidy({ ...notification, ...android?.notification }, data, { tag, badge: notification_count })
}

function tidy(
  { title, body, image }: { title?: string; body?: string; image?: string },
  data: Record<string, string>,
  marks: { tag?: string | undefined; badge?: number | undefined; thread?: string | undefined },
): Shown {
  const all = Object.entries({ ...marks, title, body, image })
  return { ...Object.fromEntries(all.filter(([, value]) => value !== undefined && value !== '')), data, names: [] }
}

function collapseKey({ token, message }: Received): string | undefined {
  switch (platformOf(token)) {
    case 'ios':
      return message.apns?.headers?.['apns-collapse-id']
    case 'web':
      return message.webpush?.headers?.Topic
    case 'android':
      return message.android?.collapse_key
  }
}

function outlived({ at, message }: Received): boolean {
  const { ttl } = message.android ?? {}
  return ttl !== undefined && Date.parse(at) + Number.parseFloat(ttl) * 1000 < Date.now()
}
