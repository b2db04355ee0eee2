import { readFile } from 'node:fs/promises'
import pg from 'pg'

export interface Partitions {
  close(): Promise<void>
}

interface PartitionsOptions {
  /** A connection string, as supabase_realtime_admin, who is to own them. */
  url: string
  log(line: string): void
}

const everyMinute = 60_000

/**
 * Keeps the partitions of `realtime.messages`: a UTC day each, from yesterday to three days ahead. Without today's every
 * insert fails. Those older than three days are dropped.
 * @returns when today's is there
 * @throws when it cannot be made
 */
export async function keepPartitions({ url, log }: PartitionsOptions): Promise<Partitions> {
  await maintainPartitions(url)
  let day = today()
  let running: Promise<void> | undefined
  // Not by the day: a laptop may sleep through several, and wakes with none made ahead.
  const timer = setInterval(() => {
    if (day === today() || running) return
    running = maintainPartitions(url)
      .then(() => {
        day = today()
      })
      .catch((error: Error) => log(`realtime: the partitions of realtime.messages: ${error.message}`))
      .finally(() => {
        running = undefined
      })
  }, everyMinute)
  return {
    async close() {
      clearInterval(timer)
      await running
    },
  }
}

/** Makes the missing ones and drops the old ones. */
export async function maintainPartitions(url: string): Promise<void> {
  const sql = await readFile(new URL('../postgres/hosted/realtime-partitions.sql', import.meta.url), 'utf8')
  // Both need the table to themselves; while they wait for it, everybody else waits for them.
  const client = new pg.Client({ connectionString: url, lock_timeout: 5000 })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

function today(): string {
  return new Date().toISOString().slice(0, 10)
}
