/** A row of `realtime.messages`, committed. Exactly one of the payloads is there. */
export interface DatabaseBroadcast {
  id: string
  topic: string
  event: string
  private: boolean
  /** JSON text of an object. */
  payload: string | null
  binaryPayload: Buffer | null
}

/** A committed change of a row in the publication `supabase_realtime`. */
export interface RowChange {
  schema: string
  table: string
  oid: number
  type: 'INSERT' | 'UPDATE' | 'DELETE'
  commitTime: Date
  columns: Array<{ name: string; typeOid: number; isIdentity: boolean }>
  /**
   * Postgres' text of each value, by column; null is SQL NULL. A column that is missing was not in the stream: an
   * unchanged large value, or, in an old row of which only the key is known, a column outside the key.
   */
  new: Map<string, string | null> | null
  old: Map<string, string | null> | null
}

export interface Replication {
  isLive(): boolean
  /** Resolves once streaming; at once when it is. */
  live(): Promise<void>
  close(): Promise<void>
}

export interface ReplicationOptions {
  /** A connection string, as supabase_realtime_admin. */
  url: string
  log(line: string): void
  onBroadcast(message: DatabaseBroadcast): void
  onChange(change: RowChange): void
  /** The stream broke, and what was committed until it is live again is not heard of: whoever follows must join again. */
  onLost(): void
}
