import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import type { Database } from '../database.types.ts'

/** The Supabase project that an old front end now talks to. */
export interface Project {
  /** As of the dashboard: `https://<project>.supabase.co`. */
  url: string
  /** The publishable key. */
  key: string
  /** The user's access token, asked for whenever one is needed. A WebSocket has its own in its address. */
  token?: () => string | Promise<string>
  /** A WebSocket class where there is none of its own: `ws` on Node 20. */
  transport?: unknown
}

export type Client = SupabaseClient<Database>

/** supabase-js with these tokens, and whose they are. */
export async function connect(
  project: Project,
  token: NonNullable<Project['token']>,
): Promise<{ client: Client; userId: string }> {
  const userId = userIdOf(await token())
  const client = createClient<Database>(project.url, project.key, {
    accessToken: async () => token(),
    realtime: { ...(project.transport !== undefined && { transport: project.transport as never }) },
  })
  // Else the first channel is joined as nobody.
  await client.realtime.setAuth()
  return { client, userId }
}

function userIdOf(token: string): string {
  try {
    const [, claims = ''] = token.split('.')
    const { sub } = JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/')))
    if (typeof sub === 'string') return sub
  } catch {
    // No JWT at all.
  }
  throw new Error('This is no access token.')
}
