import { badRequest, type FieldViolation, fcmError } from './errors.ts'
import { messageSchema } from './message-schema.ts'
import { parseAs } from './parse-message.ts'

/** A message as FCM understood it, names in snake_case. Only what the sandbox itself reads is typed. */
export interface Message {
  token?: string
  topic?: string
  condition?: string
  data?: Record<string, string>
  notification?: Notification
  android?: {
    collapse_key?: string
    ttl?: string
    data?: Record<string, string>
    notification?: Notification & { tag?: string; channel_id?: string; notification_count?: number }
  }
  apns?: { headers?: Record<string, string>; payload?: { aps?: Aps; [key: string]: unknown } }
  webpush?: {
    headers?: Record<string, string>
    data?: Record<string, string>
    notification?: Notification & { tag?: string; badge?: unknown }
  }
}

interface Notification {
  title?: string
  body?: string
  image?: string
}

interface Aps {
  alert?: string | { title?: string; body?: string }
  badge?: number
  'thread-id'?: string
}

/** Bytes of payload a device takes, and a topic. */
const maxPayload = { device: 4096, topic: 2048 }
/** Seconds: four weeks. */
const maxTtl = 2_419_200

/** Reads the `message` of a send request. Throws a 400 FcmError that says which fields are wrong. */
export function readMessage(input: unknown): Message {
  if (input === undefined) {
    throw badRequest([{ field: 'message', description: 'Request contains an invalid argument: message is missing.' }])
  }
  const violations: FieldViolation[] = []
  const message = parseAs(messageSchema, input, 'message', violations) as Message
  if (violations.length > 0) throw badRequest(violations)

  checkTarget(message)
  checkRules(message)
  checkSize(message)
  return message
}

function checkTarget(message: Message): void {
  const targets = (['token', 'topic', 'condition'] as const).filter((name) => message[name] !== undefined)
  const [first, second] = targets
  if (second) {
    const description = `Invalid value at 'message' (oneof), oneof field 'target' is already set. Cannot set '${second}'`
    throw badRequest([{ field: 'message', description }])
  }
  if (!first || message[first] === '') throw fcmError('INVALID_ARGUMENT', 'Recipient of the message is not set.')
  if (message.token !== undefined && !/^[\w:.-]{8,4096}$/.test(message.token)) throw fcmError('INVALID_ARGUMENT')
  if (message.topic !== undefined && !/^[\w.~%-]+$/.test(message.topic)) {
    throw fcmError('INVALID_ARGUMENT', 'Malformed topic name.')
  }
}

function checkRules({ data, android, apns, webpush }: Message): void {
  const violations: FieldViolation[] = []
  const reject = (field: string, description: string) => violations.push({ field, description })

  for (const [field, entries] of Object.entries({
    data,
    'android.data': android?.data,
    'webpush.data': webpush?.data,
  })) {
    for (const key of Object.keys(entries ?? {})) {
      const reserved = ['from', 'message_type'].includes(key) || /^(google\.|gcm\.notification\.)/.test(key)
      if (reserved) reject(`message.${field}`, `Invalid data payload key: ${key}`)
    }
  }
  const ttl = android?.ttl === undefined ? 0 : Number.parseFloat(android.ttl)
  if (ttl < 0 || ttl > maxTtl) reject('message.android.ttl', `Invalid ttl: must be between 0 and ${maxTtl} seconds`)
  const collapseId = apns?.headers?.['apns-collapse-id'] ?? ''
  // Apple's own limit; APNs answers BadCollapseId.
  if (Buffer.byteLength(collapseId) > 64) reject('message.apns.headers', 'apns-collapse-id is longer than 64 bytes')
  if (violations.length > 0) throw badRequest(violations)
}

function checkSize(message: Message): void {
  const { notification, data, android, apns, webpush, topic, condition } = message
  const limit = (topic ?? condition) === undefined ? maxPayload.device : maxPayload.topic
  // FCM measures what would go to the device's platform. A token does not tell the platform here, so each must fit.
  const payloads = {
    Android: { ...notification, ...android?.notification, ...data, ...android?.data },
    APNS: { ...notification, ...apns?.payload, ...data },
    'Web push': { ...notification, ...webpush?.notification, ...data, ...webpush?.data },
  }
  for (const [platform, payload] of Object.entries(payloads)) {
    const bytes = Object.entries(payload).reduce((sum, [key, value]) => sum + size(key) + size(value), 0)
    if (bytes > limit) throw fcmError('INVALID_ARGUMENT', `${platform} message is too big`)
  }
}

function size(value: unknown): number {
  return Buffer.byteLength(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
}
