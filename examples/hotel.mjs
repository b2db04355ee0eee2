import { connect, signUp } from './people.mjs'

// A hotel and its staff
const ana = await signUp('Ana')
const ben = await signUp('Ben')
const slug = `grand-${crypto.randomUUID()}`
const { data: hotel } = await ana.client.rpc('create_organization', { p_name: 'Grand', p_slug: slug }).throwOnError()
await ana.client
  .rpc('add_organization_member', { p_organization_id: hotel.id, p_user_id: ben.id, p_role: 'staff' })
  .throwOnError()

// Check-in: the code is told this once
const { data: stay } = await ben.client
  .rpc('check_in_guest', { p_organization_id: hotel.id, p_room_number: '101', p_guest_name: 'Maria Lopez' })
  .throwOnError()

// The guest needs no account
const maria = connect()
await maria.auth.signInAnonymously()
const { data: room } = await maria
  .rpc('join_as_guest', { p_hotel_slug: slug, p_room_number: '101', p_code: stay.code })
  .throwOnError()
await maria.rpc('send_message', { p_room_id: room.id, p_content: 'Towels, please' }).throwOnError()

// All staff see the chat, also who never opened it
const { data: rooms } = await ana.client.rpc('get_rooms').throwOnError()
const { last_message, unread_count } = rooms.find(({ id }) => id === room.id)
console.log(`${last_message.sender.first_name}: ${last_message.content} (${unread_count} unread)`)

// Check-out: the guest is out at once, the hotel keeps the chat
await ben.client.rpc('check_out_guest', { p_stay_id: stay.stay_id }).throwOnError()
const { error } = await maria.rpc('send_message', { p_room_id: room.id, p_content: 'Wait!' })
const { data: kept } = await ana.client.rpc('get_messages', { p_room_id: room.id }).throwOnError()
console.log(`The guest: ${error.details}. The hotel keeps ${kept.length} message.`)
