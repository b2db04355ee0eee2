import { isObject } from './join-config.ts'

/** One message of a batch that came over HTTP. */
export interface BroadcastEntry {
  topic: string
  event: string
  payload: Record<string, unknown>
  isPrivate: boolean
  id: string | undefined
}

type Faults = Record<string, string[]>

const blank = "can't be blank"
const invalid = 'is invalid'

/** The messages of a batch; or, when one of them is no good, what is wrong with each. */
export function readEntries(
  body: unknown,
  payloadBytes: number,
): { messages: BroadcastEntry[] } | { errors: { messages: string[] | Faults[] } } {
  const given = isObject(body) ? body.messages : undefined
  if (given === undefined || given === null) return { errors: { messages: [blank] } }
  if (!Array.isArray(given) || !given.every(isObject)) return { errors: { messages: [invalid] } }
  if (given.length === 0) return { errors: { messages: [blank] } }

  const faults = given.map((message) => faultsOf(message, payloadBytes))
  if (faults.some((fault) => Object.keys(fault).length > 0)) return { errors: { messages: faults } }
  const messages = given.map(({ topic, event, payload, private: isPrivate, id }) => ({
    topic: topic as string,
    event: event as string,
    payload: payload as Record<string, unknown>,
    isPrivate: isPrivate === true || isPrivate === 'true',
    id: typeof id === 'string' ? id : undefined,
  }))
  return { messages }
}

function faultsOf(message: Record<string, unknown>, payloadBytes: number): Faults {
  const faults: Faults = {}
  const { payload, private: isPrivate, id } = message
  for (const field of ['topic', 'event']) {
    const fault = faultOfText(message[field])
    if (fault) faults[field] = [fault]
  }
  if (payload === undefined || payload === null) faults.payload = [blank]
  else if (!isObject(payload)) faults.payload = [invalid]
  else if (Buffer.byteLength(JSON.stringify(payload)) > payloadBytes) {
    faults.payload = ['Payload size exceeds tenant limit']
  }
  if (![undefined, null, true, false, 'true', 'false'].includes(isPrivate as null)) faults.private = [invalid]
  if (id !== undefined && id !== null && typeof id !== 'string') faults.id = [invalid]
  return faults
}

function faultOfText(value: unknown): string | undefined {
  if (value === undefined || value === null) return blank
  if (typeof value !== 'string') return invalid
  return value.trim() ? undefined : blank
}
