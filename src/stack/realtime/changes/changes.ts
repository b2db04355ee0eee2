import type { Claims } from '../claims.ts'
import type { RowChange } from '../replication.ts'

/** One element of `config.postgres_changes`, as the client wrote it. */
export interface ChangeEntry {
  event: string
  schema?: string | null
  table?: string | null
  filter?: string | null
  select?: unknown
}

/** What a channel is told of one change: the entries that it matches, and the change as the subscriber may see it. */
export interface ChangePayload {
  ids: number[]
  data: Record<string, unknown>
}

export interface ChangesSubscription {
  /** One positive integer per entry, in order; known at once, for the join reply. */
  ids: number[]
  /** Resolves when all entries are active; rejects with an Error whose message is the text for the client. */
  ready: Promise<void>
  /** Replaces the claims on which rows and columns are judged; rejects as `ready` does. */
  setClaims(claims: Claims): Promise<void>
  close(): void
}

export interface Changes {
  subscribe(entries: ChangeEntry[], claims: Claims, deliver: (payload: ChangePayload) => void): ChangesSubscription
  /** From the replication stream, in commit order. */
  handle(change: RowChange): void
  close(): Promise<void>
}
