import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

/** What the database broadcasts: rows of `realtime.messages`. */
export const messagesPublication = 'supabase_realtime_messages_publication'
/** The tables whose changes clients may follow; a migration may drop it and make it anew. */
export const changesPublication = 'supabase_realtime'

/** Which of the two there are. */
export async function existingPublications(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url })
  // A query that is cut off rejects by itself.
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ pubname: string }>(
      'select pubname from pg_publication where pubname = any ($1)',
      [[messagesPublication, changesPublication]],
    )
    return rows.map((row) => row.pubname)
  } finally {
    await client.end()
  }
}

/** Looks every second whether the publication of changes has been made. @returns false when aborted before */
export async function changesPublished(url: string, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await sleep(1000, undefined, { signal })
      if ((await existingPublications(url)).includes(changesPublication)) return !signal.aborted
    } catch {
      // Aborted, or Postgres is away, which ends the stream and so this.
    }
  }
  return false
}
