/** How a socket's frames are written: JSON objects (1), or JSON arrays and binary broadcasts (2). */
export type Version = 1 | 2

export type Ref = string | number | null

export interface Message {
  joinRef: Ref
  ref: Ref
  topic: string
  event: string
  /** A UserBroadcast, or what JSON says. */
  payload: unknown
}

/** One WebSocket frame. Text is bytes already, so that what goes to many sockets is encoded once. */
export interface Frame {
  bytes: Buffer
  isBinary: boolean
}

/** What a user broadcasts in a binary frame: bytes, or JSON text that nobody needs to parse on its way. */
export class UserBroadcast {
  readonly event: string
  readonly encoding: 'json' | 'binary'
  readonly bytes: Buffer

  constructor(event: string, encoding: 'json' | 'binary', bytes: Buffer) {
    this.event = event
    this.encoding = encoding
    this.bytes = bytes
  }
}

/** What a text frame says, or undefined when it is malformed. */
export function decodeText(version: Version, text: string): Message | undefined {
  const json = parse(text)
  if (version === 2) return Array.isArray(json) && json.length >= 5 ? toMessage(json) : undefined
  if (typeof json !== 'object' || json === null || !('payload' in json) || !('ref' in json)) return undefined
  const { join_ref: joinRef, ref, topic, event, payload } = json as Record<string, unknown>
  return toMessage([joinRef ?? null, ref, topic, event, payload])
}

function toMessage([joinRef, ref, topic, event, payload]: unknown[]): Message | undefined {
  if (!isRef(joinRef) || !isRef(ref) || typeof topic !== 'string' || typeof event !== 'string') return undefined
  return { joinRef, ref, topic, event, payload }
}

function isRef(value: unknown): value is Ref {
  return value === null || typeof value === 'string' || typeof value === 'number'
}

export function encodeText(version: Version, message: Message): string {
  return encodeJson(version, message, JSON.stringify(message.payload))
}

/**
 * As encodeText, for a payload that is JSON text already.
 * @param payload must be valid: it is written as it is
 */
export function encodeJson(version: Version, message: Omit<Message, 'payload'>, payload: string): string {
  const [topic, event, ref] = [message.topic, message.event, message.ref].map((part) => JSON.stringify(part))
  if (version === 2) return `[${JSON.stringify(message.joinRef)},${ref},${topic},${event},${payload}]`
  return `{"topic":${topic},"event":${event},"payload":${payload},"ref":${ref}}`
}

const userBroadcastPush = 3
const userBroadcast = 4

/** What a client's binary frame says: a broadcast (kind 3), or undefined when it is malformed. */
export function decodeBinary(frame: Buffer): (Message & { payload: UserBroadcast }) | undefined {
  if (frame.length < 7 || frame[0] !== userBroadcastPush) return undefined
  const sizes = [...frame.subarray(1, 6)]
  let end = 7
  const [joinRef, ref, topic, event, metadata] = sizes.map((size) => {
    end += size
    return frame.toString('utf8', end - size, end)
  }) as [string, string, string, string, string]
  if (end > frame.length || (metadata && parse(metadata) === undefined)) return undefined

  const bytes = frame.subarray(end)
  const encoding = frame[6] === 0 ? 'binary' : 'json'
  // Others would choke on it, and in a text frame it could pass for more than a payload.
  if (encoding === 'json' && parse(bytes.toString()) === undefined) return undefined
  const payload = new UserBroadcast(event, encoding, bytes)
  return { joinRef: joinRef || null, ref: ref || null, topic, event: 'broadcast', payload }
}

/**
 * A broadcast for version 2 (kind 4), or undefined when the topic, the event or the metadata is longer than the
 * 255 bytes that fit into such a frame.
 *
 * @param meta JSON text of an object, or empty
 */
export function encodeUserBroadcast(topic: string, broadcast: UserBroadcast, meta: string): Buffer | undefined {
  const fields = [topic, broadcast.event, meta].map((text) => Buffer.from(text))
  const sizes = fields.map((field) => field.length)
  if (sizes.some((size) => size > 255)) return undefined
  const head = Buffer.from([userBroadcast, ...sizes, broadcast.encoding === 'json' ? 1 : 0])
  return Buffer.concat([head, ...fields, broadcast.bytes])
}

/** undefined when it is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
