import { randomUUID } from 'node:crypto'
import { createClient } from '@supabase/supabase-js'
import { inject } from 'vitest'
import WebSocket from 'ws'
import type { Database } from '../../src/client/database.types.ts'

type Client = ReturnType<typeof createClient<Database>>

/** Somebody with an account of their own, signed in with supabase-js. */
export interface Person {
  id: string
  email: string
  client: Client
}

/** A client of the running stack, with nobody signed in. */
export function connect(key: string = inject('stack').publishableKey): Client {
  return createClient<Database>(inject('stack').url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    // Node 20 has no WebSocket of its own.
    realtime: { transport: WebSocket as never },
  })
}

const password = 'a-long-password'

export async function signUp(name: string): Promise<Person> {
  const client = connect()
  const email = `${name}-${randomUUID()}@example.com`
  const { data, error } = await client.auth.signUp({ email, password, options: { data: { first_name: name } } })
  if (error || !data.user) throw error ?? new Error('Nobody was signed up.')
  return { id: data.user.id, email, client }
}
