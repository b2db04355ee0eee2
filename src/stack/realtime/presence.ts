import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'

type Meta = Record<string, unknown> & { phx_ref: string }

/** Who is there, by presence key; several trackers may share a key. */
export type PresenceState = Record<string, { metas: Meta[] }>

export interface PresenceDiff {
  joins: PresenceState
  leaves: PresenceState
}

interface Tracked {
  key: string
  payload: Record<string, unknown>
  meta: Meta
}

/** What the channels of one topic track of themselves: one payload a channel. */
export class Presence<Tracker> {
  readonly #tracked = new Map<Tracker, Tracked>()

  /** Returns what has changed; undefined when it is what the tracker tracks already. */
  track(tracker: Tracker, key: string, payload: Record<string, unknown>): PresenceDiff | undefined {
    const previous = this.#tracked.get(tracker)
    if (previous && isDeepStrictEqual(previous.payload, payload)) return undefined
    const meta: Meta = { ...payload, phx_ref: randomBytes(9).toString('base64url') }
    if (previous) meta.phx_ref_prev = previous.meta.phx_ref
    this.#tracked.set(tracker, { key, payload, meta })
    return { joins: stateOf([{ key, meta }]), leaves: stateOf(previous ? [previous] : []) }
  }

  /** Returns what has changed; undefined when the tracker tracked nothing. */
  untrack(tracker: Tracker): PresenceDiff | undefined {
    const previous = this.#tracked.get(tracker)
    if (!previous) return undefined
    this.#tracked.delete(tracker)
    return { joins: {}, leaves: stateOf([previous]) }
  }

  state(): PresenceState {
    return stateOf(this.#tracked.values())
  }
}

function stateOf(tracked: Iterable<Pick<Tracked, 'key' | 'meta'>>): PresenceState {
  const metasByKey = new Map<string, Meta[]>()
  for (const { key, meta } of tracked) {
    const metas = metasByKey.get(key)
    if (metas) metas.push(meta)
    else metasByKey.set(key, [meta])
  }
  // Not by assignment: a client may choose `__proto__` for its key.
  return Object.fromEntries([...metasByKey].map(([key, metas]) => [key, { metas }]))
}
