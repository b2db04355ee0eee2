import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { afterEach, expect, inject, test, vi } from 'vitest'
import { localKeys } from '../../src/stack/keys.ts'
import { projectRoot } from '../../src/stack/supabase-cli.ts'
import { chatOf, groupOf } from '../support/chats.ts'
import { frontEndOf, Heard, openSocket } from '../support/compat.ts'
import { type Person, signUp } from '../support/people.ts'
import { call } from './http.ts'

/** What old front ends hear live, by their own interfaces; the documents' JavaScript as docs/compat.md has it. */

const closings: Array<() => unknown> = []

afterEach(async () => {
  await Promise.all(closings.splice(0).map((close) => close()))
})

async function opened(person: Person, path?: string) {
  const open = await openSocket(person, path)
  closings.push(() => open.socket.close())
  return open
}

const people = <Names extends string[]>(...names: Names) =>
  Promise.all(names.map((name) => signUp(name))) as Promise<{ [Name in keyof Names]: Person }>

async function send(from: Person, roomId: string, content: string): Promise<string> {
  const { data } = await from.client.rpc('send_message', { p_room_id: roomId, p_content: content }).throwOnError()
  return (data as { message_id: string }).message_id
}

/** The documents' JavaScript, piece by piece. */
const examples = [
  ...readFileSync(join(projectRoot, 'docs/compat.md'), 'utf8').matchAll(/```javascript\n([\s\S]*?)```/g),
].map(([, code]) => code as string)
const example = (start: string) => examples.find((code) => code.includes(start)) as string

/** Runs it with these names in scope. */
function run(code: string, scope: Record<string, unknown>): void {
  new Function(...Object.keys(scope), code)(...Object.values(scope))
}

test("the messaging document's WebSocket example runs as it stands", async () => {
  const [ana, ben] = await people('Ana', 'Ben')
  const conversation = await chatOf(ana, ben)
  const { WebSocket, token } = await frontEndOf(ben)
  const sockets: InstanceType<typeof WebSocket>[] = []
  class Kept extends WebSocket {
    constructor(url: string) {
      super(url)
      sockets.push(this)
    }
  }
  const lines = new Heard<unknown[]>()
  const log = (...line: unknown[]) => lines.push(line)
  run(example('const chatSocket').replace('YOUR_AUTH_TOKEN', token), {
    WebSocket: Kept,
    console: { log, error: log },
  })
  const said = async (what: string) => (await lines.next(([first]) => first === what))[1]

  await said('Chat socket connected successfully!')
  const id = await send(ana, conversation, 'Hello Ben')
  expect(await said('New message received:')).toMatchObject({ id, content: 'Hello Ben', sender: { id: ana.id } })
  await ana.client.rpc('edit_message', { p_message_id: id, p_content: 'Hello Ben!' }).throwOnError()
  expect(await said('Message edited:')).toMatchObject({ id, content: 'Hello Ben!', is_edited: true })
  await ana.client.rpc('toggle_reaction', { p_message_id: id, p_emoji: '👍' }).throwOnError()
  expect(await said('Reaction updated:')).toMatchObject({ message_id: id, user_id: ana.id, reaction_type: '👍' })
  const mine = await send(ben, conversation, 'Hello Ana')
  await ana.client.rpc('mark_read', { p_room_id: conversation }).throwOnError()
  expect(await said('Message read:')).toMatchObject({
    message_id: mine,
    user_id: ana.id,
    conversation_id: conversation,
  })
  await ana.client.rpc('delete_message', { p_message_id: id }).throwOnError()
  expect(await said('Message deleted:')).toBe(id)
  sockets[0]?.close()
  await said('Chat socket closed unexpectedly')
})

test("the staff document's Pusher example runs as it stands, and a guest hears of their hotel room", async () => {
  const [staff, guest] = await people('Staff', 'Guest')
  const hotelSlug = `hotel-${crypto.randomUUID()}`
  const { data: hotel } = await staff.client
    .rpc('create_organization', { p_name: 'Hotel', p_slug: hotelSlug })
    .throwOnError()
  const { id: p_organization_id } = hotel as { id: string }
  const { data: stay } = await staff.client
    .rpc('check_in_guest', { p_organization_id, p_room_number: '204', p_guest_name: 'Maria' })
    .throwOnError()
  const { room_id: conversationId, code } = stay as { room_id: string; code: string }
  await guest.client
    .rpc('join_as_guest', { p_hotel_slug: hotelSlug, p_room_number: '204', p_code: code })
    .throwOnError()

  const heard = new Heard<{ event: string; data: { [field: string]: unknown } }>()
  const handler = (event: string) => (data: { [field: string]: unknown }) => heard.push({ event, data })
  const said = async (event: string) => (await heard.next((one) => one.event === event)).data
  const { Pusher } = await frontEndOf(staff)
  run(
    `${example('new Pusher(')} ${example("channel.bind('new-message'")}
     channel.bind('pusher:subscription_succeeded', subscribed);
     closings.push(() => pusher.disconnect());`,
    {
      ...{ Pusher, PUSHER_KEY: 'key', PUSHER_CLUSTER: 'eu', hotelSlug, conversationId, closings },
      handleNewMessage: handler('new'),
      handleMessageEdited: handler('edited'),
      handleMessageDeleted: handler('deleted'),
      handleReaction: handler('reaction'),
      subscribed: handler('subscribed'),
    },
  )
  await said('subscribed')

  const theirs = new (await frontEndOf(guest)).Pusher()
  closings.push(() => theirs.disconnect())
  const channel = theirs.subscribe(`${hotelSlug}-room-204-chat`)
  const [wrongRoom, wrongHotel] = [
    theirs.subscribe(`${hotelSlug}-room-205-chat`),
    theirs.subscribe('other-room-204-chat'),
  ]
  for (const wrong of [wrongRoom, wrongHotel]) wrong.bind('pusher:subscription_error', handler('refused') as never)
  await new Promise((resolve) => channel.bind('pusher:subscription_succeeded', resolve))
  await Promise.all([said('refused'), said('refused')])
  channel.bind('message-deleted', handler('guest: deleted') as never)

  const message_id = await send(guest, conversationId, 'Towels, please')
  expect(await said('new')).toMatchObject({ message: { id: message_id, message: 'Towels, please' } })
  await guest.client.rpc('edit_message', { p_message_id: message_id, p_content: 'Two towels' }).throwOnError()
  expect(await said('edited')).toMatchObject({ message: { message: 'Two towels', is_edited: true } })
  await staff.client.rpc('add_reaction', { p_message_id: message_id, p_emoji: '✅' }).throwOnError()
  expect(await said('reaction')).toMatchObject({ message_id, emoji: '✅', action: 'added' })
  await guest.client.rpc('delete_message', { p_message_id: message_id }).throwOnError()
  const deleted = {
    message_id,
    hard_delete: false,
    message: { id: message_id, message: '[Message deleted]', is_deleted: true },
  }
  expect(await said('deleted')).toMatchObject(deleted)
  expect(await said('guest: deleted')).toMatchObject(deleted)
})

test('rooms.live: a socket of one room hears its messages, typing, reading and who is online, and nothing of others', async () => {
  const [john, jane] = await people('John', 'Jane')
  const [room, other] = [await chatOf(john, jane), await groupOf('Group', john, jane)]
  const hers = await opened(jane, `/ws/chat/${room}/`)
  await send(john, other, 'elsewhere')
  const his = await opened(john, `/ws/chat/${room}/`)
  expect(await hers.next('user_status')).toMatchObject({ data: { user_id: john.id, status: 'online' } })
  his.socket.send(JSON.stringify({ type: 'typing', is_typing: true }))
  expect(await hers.next('typing')).toEqual({ type: 'typing', data: { room, user_id: john.id, is_typing: true } })
  his.socket.send(JSON.stringify({ message: 'Hello!' }))
  expect(await hers.next('new_message')).toEqual({
    type: 'new_message',
    data: {
      id: expect.any(String),
      room,
      sender: expect.objectContaining({ id: john.id, first_name: 'John' }),
      content: 'Hello!',
      created_at: expect.stringMatching(/Z$/),
      is_read: false,
    },
  })
  await jane.client.rpc('mark_read', { p_room_id: room }).throwOnError()
  expect(await his.next('message_read')).toMatchObject({ data: { room, user_id: jane.id } })
  expect(JSON.stringify(hers.all)).not.toContain('elsewhere')
})

test('mobile.queue, mobile.confirm: what was sent while away comes on connect, in order and once; a retry is one message', async () => {
  const [ana, ben] = await people('Ana', 'Ben')
  const room_id = await chatOf(ana, ben)
  for (const content of ['one', 'two']) await send(ana, room_id, content)
  const heard = new Heard<{ event: string; data: { [field: string]: unknown } }>()
  const said = async (event: string) => (await heard.next((one) => one.event === event)).data
  const contents = () =>
    heard.all.flatMap(({ event, data }) =>
      event === 'new-chat-message' ? (data.message as { content: string }).content : [],
    )
  const events = ['connect', 'new-chat-message', 'message-confirmed', 'error', 'unread-count-update', 'room-archived']
  const start = async () => {
    const { io } = await frontEndOf(ben)
    const socket = io('https://api.kcs-platform.com')
    closings.push(() => socket.disconnect())
    for (const event of [...events, 'pong']) socket.on(event, (data) => heard.push({ event, data: data as never }))
    return socket
  }
  const socket = await start()
  await said('connect')
  expect(contents()).toEqual(['one', 'two'])
  await vi.waitFor(async () => {
    const { data } = await ben.client.from('user_chat_preferences').select('last_delivered_seq').eq('room_id', room_id)
    expect(data).toEqual([{ last_delivered_seq: 2 }])
  })
  socket.disconnect()
  const again = await start()
  await said('connect')
  await send(ana, room_id, 'three')
  await vi.waitFor(() => expect(contents()).toEqual(['one', 'two', 'three']))

  for (const attempt of [1, 2]) {
    again.emit('send-message', { room_id, content: `mine`, temp_id: 'temp_1' })
    expect({ attempt, confirmed: await said('message-confirmed') }).toMatchObject({
      confirmed: { temp_id: 'temp_1', message_id: expect.any(String), delivered_to_count: 0, queued_for_count: 1 },
    })
  }
  const confirmed = heard.all.filter(({ event }) => event === 'message-confirmed').map(({ data }) => data.message_id)
  expect(new Set(confirmed).size).toBe(1)
  // Tried again by HTTP it is the same message.
  const path = `/api/messaging/conversations/${room_id}/messages/`
  const { body } = await call(ben, 'POST', path, { content: 'mine', temp_id: 'temp_1' })
  expect(body.message.id).toBe(confirmed[0])
  again.emit('send-message', { room_id: crypto.randomUUID(), content: 'nowhere', temp_id: 'temp_2' })
  expect(await said('error')).toMatchObject({ event: 'send-message', temp_id: 'temp_2', error: 'room_not_found' })

  again.emit('ping')
  await said('pong')
  const { data: last } = await ana.client.rpc('get_messages', { p_room_id: room_id, p_limit: 4 }).throwOnError()
  const ids = (last as { id: string; sender_id: string }[]).flatMap(({ id, sender_id }) =>
    sender_id === ana.id ? id : [],
  )
  again.emit('mark-messages-seen', { room_id, message_ids: ids })
  expect(await said('unread-count-update')).toMatchObject({ room_id, unread_count: 0 })
  again.emit('room-archive', { room_id, is_archived: true })
  expect(await said('room-archived')).toMatchObject({ room_id, is_archived: true, archived_at: expect.any(String) })
  // Nobody is told of what they have sent themselves.
  expect(contents()).toEqual(['one', 'two', 'three'])
})

test('mobile.seen, mobile.connect: senders learn what was seen; others who comes and goes, what is cleared and deleted', async () => {
  const [ana, ben] = await people('Ana', 'Ben')
  const room_id = await groupOf('Group', ana, ben)
  const heard = new Heard<{ event: string; data: { [field: string]: unknown } }>()
  const said = async (event: string) => (await heard.next((one) => one.event === event)).data
  const socket = (await frontEndOf(ana)).io()
  closings.push(() => socket.disconnect())
  const events = ['connect', 'messages-seen', 'chat-user-status-update', 'room-messages-cleared', 'room-deleted']
  for (const event of events) socket.on(event, (data) => heard.push({ event, data: data as never }))
  await said('connect')
  const id = await send(ana, room_id, 'Hello')
  await ben.client.rpc('heartbeat').throwOnError()
  expect(await said('chat-user-status-update')).toMatchObject({ user_id: ben.id, status: 'online' })
  await ben.client.rpc('mark_read', { p_room_id: room_id }).throwOnError()
  expect(await said('messages-seen')).toMatchObject({
    room_id,
    message_ids: [id],
    seen_by: { user_id: ben.id, user_name: 'Ben' },
  })
  await ben.client.rpc('mark_offline').throwOnError()
  expect(await said('chat-user-status-update')).toMatchObject({ user_id: ben.id, status: 'offline' })
  await ana.client.rpc('clear_chat', { p_room_id: room_id, p_for_everyone: true }).throwOnError()
  expect(await said('room-messages-cleared')).toMatchObject({ room_id, cleared_by: ana.id })
  await ana.client.rpc('delete_chat', { p_room_id: room_id }).throwOnError()
  expect(await said('room-deleted')).toMatchObject({ room_id, deleted_by: ana.id })
})

test('what happens while the connection is down is told when it is back: each message once and in order', async () => {
  const [ana, ben] = await people('Ana', 'Ben')
  const [room, quiet] = [await groupOf('Group', ana, ben), await chatOf(ana, ben)]
  const { setDown, cut, next, all } = await opened(ben)
  const edited = await send(ana, room, 'before')
  await next('new_message')
  setDown(true)
  cut()
  await send(ana, room, 'in between')
  await ana.client.rpc('edit_message', { p_message_id: edited, p_content: 'edited' }).throwOnError()
  const deleted = await send(ana, quiet, 'gone')
  await ana.client.rpc('delete_message', { p_message_id: deleted }).throwOnError()
  await send(ana, quiet, 'kept')
  setDown(false)
  expect(await next('message_edited')).toMatchObject({ message: { id: edited, content: 'edited' } })
  await vi.waitFor(() => expect(JSON.stringify(all)).toContain('kept'), { timeout: 20_000 })
  await send(ana, room, 'after')
  await vi.waitFor(() => expect(JSON.stringify(all)).toContain('after'), { timeout: 20_000 })
  const told = all.map(({ type, message }) => `${type} ${message.content}`)
  expect(told.toSorted()).toEqual(
    ['before', 'in between', 'kept', 'after']
      .map((content) => `new_message ${content}`)
      .concat('message_edited edited')
      .toSorted(),
  )
  const inRoom = all.flatMap(({ type, message }) => (type === 'new_message' ? message.content : []))
  expect(inRoom.filter((content) => content !== 'kept')).toEqual(['before', 'in between', 'after'])
})

test('two people write in two rooms while the connection is cut again and again: all is told, once and in order', async () => {
  const [ana, eve, ben] = await people('Ana', 'Eve', 'Ben')
  const rooms = [await groupOf('Group', ana, ben, eve), await groupOf('Group', eve, ben, ana)]
  const { cut, all } = await opened(ben)
  const write = async (from: Person) => {
    for (let n = 0; n < 16; n++) {
      await send(from, rooms[n % 2] as string, `${from.id} ${n}`)
      if (n % 4 === 3) cut()
    }
  }
  await Promise.all([write(ana), write(eve)])
  const told = () => all.flatMap(({ type, message }) => (type === 'new_message' ? message : []))
  await vi.waitFor(() => expect(told().length).toBeGreaterThanOrEqual(32), { timeout: 20_000 })
  for (const p_room_id of rooms) {
    const { data } = await ben.client.rpc('get_messages', { p_room_id, p_limit: 100 }).throwOnError()
    const written = (data as { id: string }[]).map(({ id }) => id).reverse()
    expect(told().flatMap(({ id, conversation_id }) => (conversation_id === p_room_id ? id : []))).toEqual(written)
  }
})

test('rooms that are new, and rooms that have moved because somebody left, are heard; those that were left are not', async () => {
  const [ana, ben, eve] = await people('Ana', 'Ben', 'Eve')
  const [hers, his] = [await opened(ana), await opened(ben)]
  const room = await groupOf('Group', ana, ben, eve)
  await send(eve, room, 'from Eve')
  expect(await hers.next('new_message')).toMatchObject({ message: { content: 'from Eve' } })
  expect(await his.next('new_message')).toMatchObject({ message: { content: 'from Eve' } })
  await eve.client.rpc('delete_chat', { p_room_id: room }).throwOnError()
  const id = await send(ben, room, 'without Eve')
  expect(await hers.next('new_message')).toMatchObject({ message: { content: 'without Eve' } })
  // Told on the room's channel alone, the new one.
  await vi.waitFor(
    async () => {
      await ben.client.rpc('toggle_reaction', { p_message_id: id, p_emoji: '👍' }).throwOnError()
      expect(hers.all.filter(({ type }) => type === 'reaction_updated')).not.toEqual([])
    },
    { timeout: 10_000 },
  )
  await ana.client.rpc('remove_room_member', { p_room_id: room, p_user_id: ben.id }).throwOnError()
  await send(ana, room, 'without Ben')
  expect(await hers.next('new_message')).toMatchObject({ message: { content: 'without Ben' } })
  const direct = await chatOf(ana, ben)
  await send(ana, direct, 'last')
  await vi.waitFor(() => expect(JSON.stringify(his.all)).toContain('last'))
  expect(JSON.stringify(his.all)).not.toContain('without Ben')
})

test('a socket without a good token closes; a room that is not mine closes its socket', async () => {
  const [ana, ben, eve] = await people('Ana', 'Ben', 'Eve')
  const room = await chatOf(ana, ben)
  const { WebSocket, token } = await frontEndOf(eve)
  const { url } = inject('stack')
  const addresses = [
    [4401, `${url}/ws/messaging/?token=nonsense`],
    [4401, `${url}/ws/messaging/?token=${token.slice(0, -5)}AAAAA`],
    [4404, `${url}/ws/chat/${room}/?token=${token}`],
    [4404, `${url}/ws/chat/1/?token=${token}`],
  ] as const
  for (const [code, address] of addresses) {
    const socket = new WebSocket(address)
    const closed = await new Promise<{ code?: number }>((resolve, reject) => {
      socket.onopen = () => reject(new Error(`Opened: ${address}`))
      socket.onclose = resolve
    })
    expect({ address, code: closed.code }).toEqual({ address, code })
  }
})

test('a token that ends closes its WebSocket; where there is a new one, listening goes on', async () => {
  const [ana, ben] = await people('Ana', 'Ben')
  const room_id = await chatOf(ana, ben)
  const short = await new SignJWT({ role: 'authenticated' })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(ben.id)
    .setAudience('authenticated')
    .setIssuer(`${inject('stack').url}/auth/v1`)
    .setIssuedAt()
    .setExpirationTime('6s')
    .sign(new TextEncoder().encode(localKeys.jwtSecret))
  let token = short
  const { WebSocket, io, token: long } = await frontEndOf(ben, () => token)
  const socket = new WebSocket(`ws://localhost:8000/ws/messaging/?token=${short}`)
  const closed = new Promise<{ code?: number }>((resolve) => {
    socket.onclose = resolve
  })
  const app = io()
  closings.push(() => app.disconnect())
  const connected = () => new Promise<unknown>((resolve) => app.on('connect', resolve))
  const arrived = new Promise<unknown>((resolve) => app.on('new-chat-message', resolve))
  await connected()
  token = long
  await new Promise<unknown>((resolve) => app.on('disconnect', resolve))
  await send(ana, room_id, 'meanwhile')
  await connected()
  expect(await arrived).toMatchObject({ message: { content: 'meanwhile' } })
  expect(await closed).toMatchObject({ code: 4401 })
})
