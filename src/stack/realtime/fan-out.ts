import {
  encodeJson,
  encodeText,
  encodeUserBroadcast,
  type Frame,
  type Message,
  type UserBroadcast,
  type Version,
} from './serializer.ts'

/** A message for many sockets: serialised once for each version in use, not once for each socket. */
export class FanOut {
  readonly #encode: (version: Version) => Frame | undefined
  readonly #frames = new Map<Version, Frame | undefined>()

  constructor(encode: (version: Version) => Frame | undefined) {
    this.#encode = encode
  }

  /** The frame for sockets of this version; undefined when the message cannot be put into one. */
  frame(version: Version): Frame | undefined {
    if (!this.#frames.has(version)) this.#frames.set(version, this.#encode(version))
    return this.#frames.get(version)
  }
}

/** Anything but a broadcast. */
export function fanOut(message: Message): FanOut {
  return new FanOut((version) => textFrame(encodeText(version, message)))
}

/**
 * A broadcast whose payload is relayed as it came.
 * @param topic with its prefix `realtime:`
 * @param payload JSON text: `{"type":"broadcast","event":…,"payload":…}`
 */
export function textBroadcast(topic: string, payload: string): FanOut {
  return new FanOut((version) => textFrame(encodeJson(version, broadcastOn(topic), payload)))
}

/**
 * A broadcast of a user's event: a binary frame where there are such, and otherwise text; bytes cannot be told as text.
 * @param topic with its prefix `realtime:`
 * @param meta told beside the payload, when given
 */
export function userBroadcast(topic: string, broadcast: UserBroadcast, meta?: Record<string, unknown>): FanOut {
  const metaText = meta ? JSON.stringify(meta) : ''
  return new FanOut((version) => {
    if (version === 2) {
      const bytes = encodeUserBroadcast(topic, broadcast, metaText)
      return bytes && { bytes, isBinary: true }
    }
    if (broadcast.encoding === 'binary') return undefined
    const parts = [
      `"event":${JSON.stringify(broadcast.event)}`,
      ...(meta ? [`"meta":${metaText}`] : []),
      `"payload":${broadcast.bytes}`,
      '"type":"broadcast"',
    ]
    return textFrame(encodeJson(version, broadcastOn(topic), `{${parts.join(',')}}`))
  })
}

function broadcastOn(topic: string): Omit<Message, 'payload'> {
  return { joinRef: null, ref: null, topic, event: 'broadcast' }
}

function textFrame(text: string): Frame {
  return { bytes: Buffer.from(text), isBinary: false }
}
