// The whole life of a guest stay: check-in, a chat, a file, deleting in time and too late, check-out.
import { connect, listen, signUp } from './people.mjs'

/** Listens to others in a room. Answers a function that waits for the next event of a name. */
async function hear(client, myId, topic) {
  const waiting = new Map()
  await listen(client, topic, (event, payload) => {
    if (payload.message?.sender_id !== myId) waiting.get(event)?.(payload)
  })
  return (event) => new Promise((resolve) => waiting.set(event, resolve))
}

async function send(client, roomId, content, attachmentIds) {
  const { data } = await client
    .rpc('send_message', { p_room_id: roomId, p_content: content, p_attachment_ids: attachmentIds })
    .throwOnError()
  return data.message_id
}

// The hotel
const ana = await signUp('Ana')
const ben = await signUp('Ben')
const slug = `grand-${crypto.randomUUID()}`
const { data: hotel } = await ana.client.rpc('create_organization', { p_name: 'Grand', p_slug: slug }).throwOnError()
await ana.client
  .rpc('add_organization_member', { p_organization_id: hotel.id, p_user_id: ben.id, p_role: 'staff' })
  .throwOnError()

// Check-in: Ben hands the code over. Maria has no account, and joins with it.
const { data: stay } = await ben.client
  .rpc('check_in_guest', { p_organization_id: hotel.id, p_room_number: '204', p_guest_name: 'Maria Lopez' })
  .throwOnError()
const maria = connect()
const { data: guest } = await maria.auth.signInAnonymously()
const door = { p_hotel_slug: slug, p_room_number: '204', p_code: stay.code }
const { data: room } = await maria.rpc('join_as_guest', door).throwOnError()

// Both hear each other
const benHears = await hear(ben.client, ben.id, room.topic)
const mariaHears = await hear(maria, guest.user.id, room.topic)
const asked = benHears('new-message')
await send(maria, room.id, 'Can I have my shirt cleaned?')
const { message: question } = await asked
console.log(`${question.sender.first_name}: ${question.content}`)
const answered = mariaHears('new-message')
await send(ben.client, room.id, 'Of course. Which one?')
const { message: answer } = await answered
console.log(`${answer.sender.first_name}: ${answer.content}`)

// A file, in a form: larger ones are uploaded as in files.mjs
const form = new FormData()
form.append('files', new Blob(['A white one with blue stripes.'], { type: 'text/plain' }), 'shirt.txt')
const { data: upload, error: refused } = await maria.functions.invoke(`attachments?room_id=${room.id}`, { body: form })
if (refused) throw refused
const shown = benHears('new-message')
await send(
  maria,
  room.id,
  'This one',
  upload.attachments.map(({ id }) => id),
)
const [file] = (await shown).message.attachments
const { data: links } = await ben.client.functions.invoke('attachments/sign', { body: { attachment_ids: [file.id] } })
console.log(`${file.file_name}: ${await (await fetch(links.urls[0].url)).text()}`)

// She deletes what she wrote, which a guest may for a while; then the hotel gives guests no time at all
const slip = await send(maria, room.id, 'My safe opens with 1234')
const tooLate = await send(maria, room.id, 'I mean the blue one')
const deleted = benHears('message-deleted')
await maria.rpc('delete_message', { p_message_id: slip }).throwOnError()
console.log(`Ben sees: ${(await deleted).message.content}`)
await ana.client.from('organizations').update({ guest_delete_window: '0' }).eq('id', hotel.id).throwOnError()
const { error: late } = await maria.rpc('delete_message', { p_message_id: tooLate })
console.log(`Too late: ${late.details}`)

// Check-out: Maria is out at once, and her code is good for nothing any more
await ben.client.rpc('check_out_guest', { p_stay_id: stay.stay_id }).throwOnError()
const { error: reading } = await maria.rpc('get_messages', { p_room_id: room.id })
const { error: writing } = await maria.rpc('send_message', { p_room_id: room.id, p_content: 'Wait!' })
const { error: joining } = await maria.rpc('join_as_guest', door)
console.log(`Maria is out: ${[reading, writing, joining].map(({ details }) => details).join(', ')}`)

// The hotel keeps the chat, and what was done in it
const { data: kept } = await ana.client.rpc('get_messages', { p_room_id: room.id }).throwOnError()
const { data: audit } = await ana.client.from('message_audit').select('action').eq('room_id', room.id).throwOnError()
console.log(`The hotel keeps ${kept.length} messages, and reads: ${audit.map(({ action }) => action).join(', ')}`)

// The channels would keep this script for a while
process.exit()
