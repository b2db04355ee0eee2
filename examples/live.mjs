import { EventEmitter, once } from 'node:events'
import { listen, signUp } from './people.mjs'

const ana = await signUp('Ana')
const ben = await signUp('Ben')
const { data: room } = await ana.client.rpc('start_direct_chat', { p_user_id: ben.id }).throwOnError()

// Presence: at connect and every 25 seconds
const beat = () => ben.client.rpc('heartbeat').throwOnError()
await beat()
const heartbeat = setInterval(beat, 25_000)

// One channel for what concerns Ben alone, in all rooms; one for the room on the screen
const mine = new EventEmitter()
await listen(ben.client, `user:${ben.id}`, (event, payload) => mine.emit(event, payload))
const inRoom = new EventEmitter()
await listen(ben.client, room.topic, (event, payload) => inRoom.emit(event, payload))

// Somebody comes online
const status = once(mine, 'user-status')
await ana.client.rpc('heartbeat').throwOnError()
console.log('Ana is', (await status)[0].status)
const { data: online } = await ben.client.rpc('online_users').throwOnError()
console.log('Ben sees Ana online:', online.includes(ana.id))

// Typing: on a topic of its own, where clients may broadcast
const theirTyping = new EventEmitter()
await listen(ben.client, `${room.topic}:typing`, (event, payload) => theirTyping.emit(event, payload))
const typingChannel = await listen(ana.client, `${room.topic}:typing`, () => {})
const typing = once(theirTyping, 'typing')
await typingChannel.send({ type: 'broadcast', event: 'typing', payload: { user_id: ana.id, is_typing: true } })
console.log('Ana is typing:', (await typing)[0].is_typing)

// The badge: a message for me raises it, and my reading on another device lowers it
async function showBadge() {
  const { data } = await ben.client.rpc('unread_counts').throwOnError()
  console.log('Badge:', data.total_unread)
}
const arrived = once(mine, 'new-message')
await ana.client.rpc('send_message', { p_room_id: room.id, p_content: 'Are you there?' }).throwOnError()
await arrived
await showBadge()
const lowered = once(mine, 'unread-count-update')
await ben.client.rpc('mark_read', { p_room_id: room.id }).throwOnError()
console.log('Badge:', (await lowered)[0].total_unread)

// Catching up
const store = { cursors: {}, messages: new Map() }

async function catchUp(client) {
  for (;;) {
    const { data: page } = await client.rpc('sync_messages', { p_cursors: store.cursors }).throwOnError()
    for (const roomId of [...page.gone_rooms, ...page.reset]) {
      for (const [id, message] of store.messages) if (message.room_id === roomId) store.messages.delete(id)
    }
    const fresh = []
    for (const roomId of page.reset) {
      const { data } = await client.rpc('get_messages', { p_room_id: roomId }).throwOnError()
      fresh.push(...data)
    }
    for (const message of [...page.changed, ...page.messages, ...fresh]) store.messages.set(message.id, message)
    store.cursors = page.cursors
    if (!page.has_more) return
  }
}

await catchUp(ben.client)
await ben.client.removeAllChannels()
const missed = await ana.client.rpc('send_message', { p_room_id: room.id, p_content: 'Helo?' }).throwOnError()
const { message_id } = missed.data
await ana.client.rpc('edit_message', { p_message_id: message_id, p_content: 'Hello?' }).throwOnError()
await catchUp(ben.client)
console.log('Caught up:', store.messages.get(message_id).content)

// Leaving
clearInterval(heartbeat)
await ben.client.rpc('mark_offline').throwOnError()
await ana.client.removeAllChannels()
// supabase-js's own timers would last some seconds.
process.exit()
