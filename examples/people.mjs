// What the other examples share: accounts, and a channel to listen to.
import { createClient } from '@supabase/supabase-js'
import ws from 'ws'

export const url = process.env.PARLEY_URL ?? 'http://127.0.0.1:54321'
export const key = process.env.PARLEY_KEY ?? 'sb_publishable_parley_local_0000000000'

// Browsers and Node 22 have a WebSocket of their own, and need no `ws`.
export function connect(apiKey = key, options = {}) {
  return createClient(url, apiKey, { auth: { persistSession: false }, realtime: { transport: ws }, ...options })
}

/** Makes an account and signs in. */
export async function signUp(name, client = connect()) {
  const email = `${name}-${crypto.randomUUID()}@example.com`
  const { data, error } = await client.auth.signUp({
    email,
    password: 'a-long-password',
    options: { data: { first_name: name } },
  })
  // Status 0: nobody answers.
  if (error?.status === 0) {
    console.error(`No stack answers at ${url}. Start one with npm start, or say where it is with PARLEY_URL.`)
    process.exit(1)
  }
  if (error) throw error
  return { client, id: data.user.id }
}

/** Joins a private channel. `hear` gets each event's name and payload. */
export function listen(client, topic, hear) {
  const channel = client.channel(topic, { config: { private: true } })
  channel.on('broadcast', { event: '*' }, ({ event, payload }) => hear(event, payload))
  return new Promise((resolve, reject) => {
    channel.subscribe((status, error) => {
      if (status === 'SUBSCRIBED') resolve(channel)
      else if (status !== 'CLOSED') reject(error ?? new Error(status))
    })
  })
}
