import { setTimeout } from 'node:timers/promises'
import { connect, signUp } from './people.mjs'

// The connection breaks once, after the server has written the message and before the phone hears of it.
let breaks = 1
const throughATunnel = async (...request) => {
  const response = await fetch(...request)
  if (String(request[0]).endsWith('/send_message') && breaks-- > 0) throw new TypeError('The connection is gone')
  return response
}

const ana = await signUp('Ana', connect(undefined, { global: { fetch: throughATunnel } }))
const ben = await signUp('Ben')

// Starting a chat
const { data: room } = await ana.client.rpc('start_direct_chat', { p_user_id: ben.id }).throwOnError()

// Sending, with retries
async function send(client, roomId, content) {
  // The id is chosen once for all attempts: a message that arrived, while its answer did not, is not written twice.
  const message = { p_room_id: roomId, p_content: content, p_client_id: crypto.randomUUID() }
  for (let attempt = 1; ; attempt++) {
    const { data, error, status } = await client.rpc('send_message', message)
    if (!error) return data.message
    const isWorthTrying = status === 0 || status === 429 || status >= 500
    if (!isWorthTrying || attempt === 5) throw error
    // Too many at once (429): the hint holds the seconds to wait.
    await setTimeout(Number(error.hint) * 1000 || 250 * 2 ** attempt)
  }
}

const hello = await send(ana.client, room.id, 'Good morning! The lift is repaired.')
await send(ana.client, room.id, 'Room 204 needs towels.')

// Reading: a page, newest first, and the page before it
const { data: page } = await ben.client.rpc('get_messages', { p_room_id: room.id, p_limit: 1 }).throwOnError()
const { data: older } = await ben.client
  .rpc('get_messages', { p_room_id: room.id, p_limit: 1, p_before_seq: page.at(-1).seq })
  .throwOnError()
console.log('Page:', page[0].content)
console.log('Page before it:', older[0].content)

// The same by tables. Two tables link messages and people, so say which link is meant.
const { data: rows } = await ben.client
  .from('chat_messages')
  .select('seq, content, sender:profiles!sender_id(first_name)')
  .eq('room_id', room.id)
  .order('seq')
  .throwOnError()
console.log('Rows:', rows.map(({ seq, sender }) => `${seq} by ${sender.first_name}`).join(', '))

// Unread
const { data: unread } = await ben.client.rpc('unread_counts').throwOnError()
console.log('Unread:', unread.total_unread)

// Receipts
await ben.client.rpc('mark_read', { p_room_id: room.id, p_message_id: hello.id }).throwOnError()
const { data: receipts } = await ana.client.rpc('message_receipts', { p_message_id: hello.id }).throwOnError()
console.log(
  'Read by Ben:',
  receipts.some(({ user_id, read_at }) => user_id === ben.id && read_at !== null),
)

// Reacting, editing, deleting, and taking it back
await ben.client.rpc('toggle_reaction', { p_message_id: hello.id, p_emoji: '👍' }).throwOnError()
await ana.client.rpc('edit_message', { p_message_id: hello.id, p_content: 'The lift works again.' }).throwOnError()
await ana.client.rpc('delete_message', { p_message_id: hello.id }).throwOnError()
const { data: restored } = await ana.client.rpc('undo_delete_message', { p_message_id: hello.id }).throwOnError()
console.log('Restored:', restored.content, restored.reactions[0].emoji)

// Searching
const { data: found } = await ben.client.rpc('search_messages', { p_query: 'towel' }).throwOnError()
console.log('Found:', found[0].content)

// What may I do here?
const { data: permissions } = await ben.client.rpc('room_permissions', { p_room_id: room.id }).throwOnError()
console.log('Ben may send:', permissions.can_send.allowed)

// Blocking
await ana.client.rpc('block_user', { p_user_id: ben.id }).throwOnError()
const { error, status } = await ben.client.rpc('send_message', { p_room_id: room.id, p_content: 'Why?' })
console.log('Refused:', status, error.details)
