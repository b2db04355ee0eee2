import pg from 'pg'
import { inject } from 'vitest'

/** The running stack's database, for what no client may do. */
export async function withDatabase<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: inject('stack').databaseUrl })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** What `GET /sandbox/<path>` shows. */
// biome-ignore lint/suspicious/noExplicitAny: tests read what they know is there, and fail when it is not
export async function sandbox(path: string): Promise<any> {
  return (await fetch(`${inject('stack').url}/sandbox/${path}`)).json()
}

/** Makes the next calls of a fake go wrong. */
export async function scriptFailure(fake: 'cloudinary' | 'fcm', script: object): Promise<void> {
  const response = await fetch(`${inject('stack').url}/sandbox/${fake}/failures`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(script),
  })
  if (!response.ok) throw new Error(await response.text())
}
