import { randomUUID } from 'node:crypto'
import type { ChangeEntry } from './changes/changes.ts'

/** What a client asks for in its join. */
export interface JoinConfig {
  isPrivate: boolean
  broadcast: {
    /** Confirm each broadcast to its sender. */
    ack: boolean
    /** The sender hears its own broadcasts. */
    self: boolean
    /** Say when broadcasts from the database arrive. */
    replicationReady: boolean
    /** As the client wrote it; undefined when it asks for none. */
    replay: unknown
  }
  presence: { key: string; isEnabled: boolean }
  changes: ChangeEntry[]
  /** The caller's token, when the join names one. */
  token: string | undefined
}

/**
 * What is missing or of the wrong type is taken for its default, as Supabase does.
 * @throws TypeError when an entry of `postgres_changes` is no object
 */
export function readJoinConfig(payload: unknown): JoinConfig {
  const given = objectOf(payload)
  const config = objectOf(given.config)
  const broadcast = objectOf(config.broadcast)
  const presence = objectOf(config.presence)
  const key = ['string', 'number', 'boolean'].includes(typeof presence.key) ? String(presence.key) : ''
  const token = given.user_token ?? given.access_token
  return {
    isPrivate: isTrue(config.private),
    broadcast: {
      ack: isTrue(broadcast.ack),
      self: isTrue(broadcast.self),
      replicationReady: isTrue(broadcast.replication_ready),
      replay: broadcast.replay ?? undefined,
    },
    // Without a key of its own a channel is nobody else.
    presence: { key: key || randomUUID(), isEnabled: isTrue(presence.enabled) },
    changes: changesOf(config.postgres_changes),
    token: typeof token === 'string' ? token : undefined,
  }
}

function changesOf(given: unknown): ChangeEntry[] {
  if (!Array.isArray(given)) return []
  const entries = given.filter((entry) => entry !== null)
  if (!entries.every(isObject)) throw new TypeError('postgres_changes holds something that is no object')
  return entries as unknown as ChangeEntry[]
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function objectOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {}
}

function isTrue(value: unknown): boolean {
  return value === true || (typeof value === 'string' && value.toLowerCase() === 'true')
}
