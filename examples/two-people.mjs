import { createClient } from '@supabase/supabase-js'
import ws from 'ws'

const url = process.env.PARLEY_URL ?? 'http://127.0.0.1:54321'
const key = process.env.PARLEY_KEY ?? 'sb_publishable_parley_local_0000000000'

async function signUp(name) {
  const client = createClient(url, key, { auth: { persistSession: false }, realtime: { transport: ws } })
  const account = { email: `${name}-${Date.now()}@example.com`, password: 'a-long-password' }
  const { data, error } = await client.auth.signUp({ ...account, options: { data: { first_name: name } } })
  if (error?.status === 0) {
    console.error(`No stack answers at ${url}. Start one with npm start, or say where it is with PARLEY_URL.`)
    process.exit(1)
  }
  if (error) throw error
  return { client, id: data.user.id }
}

const ana = await signUp('Ana')
const ben = await signUp('Ben')
const { data: room } = await ana.client.rpc('start_direct_chat', { p_user_id: ben.id }).throwOnError()

const channel = ben.client.channel(room.topic, { config: { private: true } })
const heard = new Promise((resolve) => {
  channel.on('broadcast', { event: 'new-message' }, ({ payload }) => resolve(payload.message))
})
channel.subscribe(async (status, error) => {
  if (error) throw error
  if (status !== 'SUBSCRIBED') return
  await ana.client.rpc('send_message', { p_room_id: room.id, p_content: 'Hello Ben!' }).throwOnError()
})
const { sender, content } = await heard
console.log(`${sender.first_name} wrote: ${content}`)

const { data: messages } = await ben.client.rpc('get_messages', { p_room_id: room.id }).throwOnError()
console.log(`Messages in the room: ${messages.length}`)
await ben.client.removeAllChannels()
// supabase-js's own timers would last some seconds.
process.exit()
