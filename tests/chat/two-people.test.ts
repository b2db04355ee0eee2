import { randomUUID } from 'node:crypto'
import { expect, inject, test } from 'vitest'
import { connect, type Person, signUp } from '../support/people.ts'

interface Room {
  id: string
  participants: Array<{ id: string }>
  unread_count: number
}

interface Message {
  id: string
  seq: number
  content: string
  sender: { first_name: string }
}

async function startChat(from: Person, to: Person): Promise<Room> {
  const { data } = await from.client.rpc('start_direct_chat', { p_user_id: to.id }).throwOnError()
  return data as unknown as Room
}

async function send(from: Person, roomId: string, content: string, clientId = randomUUID()): Promise<Message> {
  const { data } = await from.client
    .rpc('send_message', { p_room_id: roomId, p_content: content, p_client_id: clientId })
    .throwOnError()
  return (data as unknown as { message: Message }).message
}

async function read(by: Person, roomId: string): Promise<Message[]> {
  const { data } = await by.client.rpc('get_messages', { p_room_id: roomId, p_limit: 100 }).throwOnError()
  return data as unknown as Message[]
}

test('one person writes, the other reads', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const room = await startChat(ana, ben)
  await send(ana, room.id, 'Hello Ben!')

  expect(await read(ben, room.id)).toMatchObject([{ content: 'Hello Ben!', seq: 1, sender: { first_name: 'Ana' } }])
  expect(await startChat(ben, ana)).toMatchObject({ id: room.id, unread_count: 1 })
})

test('a plain insert sends too, and a plain select reads', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const room = await startChat(ana, ben)
  await ana.client.from('chat_messages').insert({ room_id: room.id, content: 'plain' }).throwOnError()

  const { data } = await ben.client
    .from('chat_messages')
    .select('content, seq, sender:profiles!sender_id(first_name)')
    .throwOnError()
  expect(data).toEqual([{ content: 'plain', seq: 1, sender: { first_name: 'Ana' } }])
})

test('rooms.direct: never a duplicate, also when 20 calls race from both sides', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const rooms = await Promise.all(
    Array.from({ length: 20 }, (_, i) => (i % 2 ? startChat(ana, ben) : startChat(ben, ana))),
  )
  expect(new Set(rooms.map((room) => room.id)).size).toBe(1)
  const { count } = await ana.client.from('chat_rooms').select('*', { count: 'exact', head: true })
  expect(count).toBe(1)
})

test('concurrent sends are numbered without gaps, and retries that race make one message', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const room = await startChat(ana, ben)
  const clientIds = Array.from({ length: 10 }, () => randomUUID())
  // Each message three times at once, from both sides.
  const attempts = [...clientIds, ...clientIds, ...clientIds]
  const sent = await Promise.all(attempts.map((id, i) => send(i % 10 < 5 ? ana : ben, room.id, `message ${id}`, id)))

  expect(new Set(sent.map((message) => message.id)).size).toBe(10)
  const messages = await read(ana, room.id)
  expect(messages.map((message) => message.seq)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
})

test('a stranger is told no, with the machine code in details', async () => {
  const [ana, ben, eve] = await Promise.all([signUp('Ana'), signUp('Ben'), signUp('Eve')])
  const room = await startChat(ana, ben)
  await send(ana, room.id, 'a secret')

  const reading = await eve.client.rpc('get_messages', { p_room_id: room.id })
  expect(reading).toMatchObject({ status: 403, error: { code: 'PT403', details: 'not_a_member' } })
  const sending = await eve.client.rpc('send_message', { p_room_id: room.id, p_content: 'let me in' })
  expect(sending).toMatchObject({ status: 403, error: { details: 'not_a_member' } })
  const inserting = await eve.client.from('chat_messages').insert({ room_id: room.id, content: 'let me in' })
  expect(inserting).toMatchObject({ status: 403, error: { details: 'not_a_member' } })
  expect((await eve.client.from('chat_messages').select()).data).toEqual([])
  expect((await eve.client.from('chat_rooms').select()).data).toEqual([])
  expect(await read(ben, room.id)).toHaveLength(1)
})

test('nobody signed in is told 401', async () => {
  const ana = await signUp('Ana')
  const nobody = connect()
  expect(await nobody.rpc('start_direct_chat', { p_user_id: ana.id })).toMatchObject({
    status: 401,
    error: { code: '42501' },
  })
  expect(await nobody.from('chat_messages').select()).toMatchObject({ status: 401, error: { code: '42501' } })
})

test('an anonymous guest reads nothing of others and starts no chat', async () => {
  const ana = await signUp('Ana')
  const guest = connect()
  await guest.auth.signInAnonymously()
  const starting = await guest.rpc('start_direct_chat', { p_user_id: ana.id })
  expect(starting).toMatchObject({ status: 403, error: { details: 'anonymous_not_allowed' } })
  expect((await guest.from('profiles').select('id')).data).toHaveLength(1)
})

test('an error of the caller changes nothing', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const room = await startChat(ana, ben)
  await send(ana, room.id, 'first')
  for (const p_content of ['', 'x'.repeat(10_001)]) {
    expect(await ana.client.rpc('send_message', { p_room_id: room.id, p_content })).toMatchObject({ status: 422 })
  }
  expect(await ana.client.rpc('send_message', { p_room_id: 'no-uuid', p_content: 'x' })).toMatchObject({ status: 400 })
  expect(await ana.client.rpc('send_message', { p_room_id: randomUUID(), p_content: 'x' })).toMatchObject({
    status: 404,
  })

  await send(ana, room.id, 'second')
  expect((await read(ben, room.id)).map((message) => message.seq)).toEqual([2, 1])
})

test('an account can end while it writes: nothing deadlocks, and others keep what was said', async () => {
  const service = connect(inject('stack').secretKey)
  for (let round = 0; round < 5; round++) {
    const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
    const room = await startChat(ana, ben)
    await send(ana, room.id, 'before')
    const sending = Array.from({ length: 10 }, () =>
      ana.client.rpc('send_message', { p_room_id: room.id, p_content: 'meanwhile' }),
    )
    const [deleted] = await Promise.all([service.auth.admin.deleteUser(ana.id), ...sending])
    expect(deleted.error).toBeNull()

    const messages = await read(ben, room.id)
    expect(messages.at(-1)).toMatchObject({ content: 'before', seq: 1, sender: null })
    expect(messages.map((message) => message.seq)).toEqual(messages.map((_, i) => messages.length - i))
  }
})
