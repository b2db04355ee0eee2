import type pg from 'pg'
import { userBroadcast } from './fan-out.ts'
import { encodeJson, type Frame, type Ref, UserBroadcast, type Version } from './serializer.ts'

export interface ReplayOptions {
  /** Epoch milliseconds. */
  since: number
  limit: number
}

export interface Replayed {
  id: string
  event: string
  /** JSON text. */
  payload: string | null
  binaryPayload: Buffer | null
}

const most = 25

/** What a client asks for in its join, or undefined when it makes no sense. */
export function readReplayOptions(given: unknown): ReplayOptions | undefined {
  if (typeof given !== 'object' || given === null) return undefined
  const { since, limit = most } = given as Record<string, unknown>
  if (!Number.isInteger(since) || !Number.isInteger(limit)) return undefined
  return { since: since as number, limit: Math.min(Math.max(limit as number, 1), most) }
}

/** The newest private broadcasts on a topic since then, oldest first. Who may read the topic may read them all. */
export async function readReplay(pool: pg.Pool, topic: string, options: ReplayOptions): Promise<Replayed[]> {
  const { rows } = await pool.query<Replayed>(
    `select id, event, payload::text, binary_payload as "binaryPayload"
     from realtime.messages
     where topic = $1 and private and extension = 'broadcast' and event is not null
       and inserted_at >= to_timestamp($2::double precision / 1000) at time zone 'utc'
       and inserted_at < now() at time zone 'utc' + interval '1 minute'
     order by inserted_at desc
     limit $3`,
    [topic, options.since, options.limit],
  )
  return rows.reverse()
}

/**
 * One replayed broadcast for one channel; undefined where it cannot be told.
 * @param topic with its prefix `realtime:`
 */
export function replayFrame(version: Version, topic: string, joinRef: Ref, replayed: Replayed): Frame | undefined {
  const { id, event, payload, binaryPayload } = replayed
  const meta = { replayed: true, id }
  if (binaryPayload) {
    return userBroadcast(topic, new UserBroadcast(event, 'binary', binaryPayload), meta).frame(version)
  }
  if (payload === null) return undefined
  const text = `{"type":"broadcast","event":${JSON.stringify(event)},"payload":${payload},"meta":${JSON.stringify(meta)}}`
  const message = { joinRef, ref: null, topic, event: 'broadcast' }
  return { bytes: Buffer.from(encodeJson(version, message, text)), isBinary: false }
}
