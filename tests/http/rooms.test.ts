import { beforeAll, describe, expect, test } from 'vitest'
import { listen } from '../support/channels.ts'
import { groupOf } from '../support/chats.ts'
import { announce, post } from '../support/files.ts'
import { withDatabase } from '../support/jobs.ts'
import { type Person, signUp } from '../support/people.ts'
import { call } from './http.ts'

/** The rooms document: its calls, its test scenarios and its implementation checklist. */

interface Message {
  id: string
  content: string
  is_read: boolean
}

let john: Person
let jane: Person
let eve: Person

beforeAll(async () => {
  ;[john, jane, eve] = await Promise.all([signUp('John'), signUp('Jane'), signUp('Eve')])
})

const userOf = ({ id }: Person, firstName: string, email: string | null = null) => ({
  id,
  username: expect.any(String),
  first_name: firstName,
  last_name: '',
  email: email?.toLowerCase() ?? null,
  avatar_url: null,
})
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
const nobody = '00000000-0000-4000-8000-000000000000'

/** A chat of John's and Jane's alone, and new. */
const newRoom = (members: Person[] = [jane]) => groupOf('Lunch', john, ...members)

async function send(who: Person, room: string, content: string): Promise<Message> {
  const { status, body } = await call(who, 'POST', '/api/chat/messages/', { room, content })
  expect({ status, body }).toMatchObject({ status: 201 })
  return body
}

async function listedRoom(who: Person, room: string) {
  const { body } = await call(who, 'GET', '/api/chat/rooms/')
  return body.results.find(({ id }: { id: string }) => id === room)
}

async function messagesOf(who: Person, room: string): Promise<Message[]> {
  return (await call(who, 'GET', `/api/chat/messages/?room_id=${room}`)).body.results
}

const contents = (messages: Message[]) => messages.map(({ content }) => content)
const refused = (status: number, error: string) => ({ status, body: { success: false, error } })

describe('rows', () => {
  test('rooms.direct: one chat for two people, whoever asks and however often', async () => {
    const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
    const created = await call(ana, 'POST', '/api/chat/rooms/create_direct_chat/', { user_id: ben.id })
    expect(created).toMatchObject({ status: 200 })
    expect(created.body).toEqual({
      id: expect.any(String),
      type: 'direct',
      name: 'Ben',
      participants: [userOf(ana, 'Ana', ana.email), userOf(ben, 'Ben')],
      last_message: null,
      unread_count: 0,
      updated_at: time,
      created_at: time,
    })
    const again = await Promise.all(
      [ana, ben, ana].map((who) =>
        call(who, 'POST', '/api/chat/rooms/create_direct_chat/', { user_id: who === ana ? ben.id : ana.id }),
      ),
    )
    expect(again.map(({ body }) => body.id)).toEqual([created.body.id, created.body.id, created.body.id])

    const create = (user_id: string) => call(ana, 'POST', '/api/chat/rooms/create_direct_chat/', { user_id })
    expect(await create(ana.id)).toMatchObject(refused(400, 'chat_with_oneself'))
    expect(await create(nobody)).toMatchObject(refused(404, 'user_not_found'))
    expect(await create('2')).toMatchObject({ status: 400, body: { fields: { user_id: expect.any(String) } } })
  })

  test('rooms.list: each chat with its people, its last message and what is unread, the newest first', async () => {
    const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
    const { body: room } = await call(ana, 'POST', '/api/chat/rooms/create_direct_chat/', { user_id: ben.id })
    const groupId = await groupOf('Lunch', ana, ben)
    const ids = async () => (await call(ben, 'GET', '/api/chat/rooms/')).body.results.map(({ id }: Message) => id)
    expect(await ids()).toEqual([groupId, room.id])

    const last = await send(ana, room.id, 'Hey, how are you?')
    expect(await ids()).toEqual([room.id, groupId])
    expect(await listedRoom(ben, room.id)).toEqual({
      id: room.id,
      type: 'direct',
      name: 'Ana',
      participants: [userOf(ben, 'Ben', ben.email), userOf(ana, 'Ana', ana.email)],
      last_message: {
        id: last.id,
        content: 'Hey, how are you?',
        sender: userOf(ana, 'Ana', ana.email),
        created_at: time,
        is_read: false,
      },
      unread_count: 1,
      updated_at: time,
      created_at: time,
    })
    expect(await listedRoom(ana, room.id)).toMatchObject({ unread_count: 0, last_message: { is_read: false } })
    await call(ben, 'POST', `/api/chat/rooms/${room.id}/mark_read/`)
    expect(await listedRoom(ana, room.id)).toMatchObject({ unread_count: 0, last_message: { is_read: true } })
    expect(await listedRoom(ben, room.id)).toMatchObject({ unread_count: 0, last_message: { is_read: true } })
    expect((await call(eve, 'GET', '/api/chat/rooms/')).body).toEqual({ results: [] })
  })

  test('rooms.send, rooms.messages: what is sent is listed, the oldest first', async () => {
    const room = await newRoom()
    const sent = await call(john, 'POST', '/api/chat/messages/', { room, content: 'Hello there!', sender: jane.id })
    expect(sent).toMatchObject({ status: 201 })
    expect(sent.body).toEqual({
      id: expect.any(String),
      room,
      sender: userOf(john, 'John', john.email),
      content: 'Hello there!',
      attachments: [],
      reactions: [],
      created_at: time,
      is_read: false,
    })
    await send(john, room, 'How are you?')
    const { status, body } = await call(jane, 'GET', `/api/chat/messages/?room_id=${room}`)
    expect(status).toBe(200)
    expect(body.results[0]).toEqual(sent.body)
    expect(contents(body.results)).toEqual(['Hello there!', 'How are you?'])
  })

  test('rooms.send: the same temp_id again is the same message', async () => {
    const room = await newRoom()
    const sending = { room, content: 'once', temp_id: 'temp-1' }
    const first = await call(john, 'POST', '/api/chat/messages/', sending)
    expect((await call(john, 'POST', '/api/chat/messages/', sending)).body.id).toBe(first.body.id)
    const other = await call(john, 'POST', '/api/chat/messages/', { ...sending, content: 'twice' })
    expect(other).toMatchObject(refused(409, 'client_id_reused'))
    expect(contents(await messagesOf(jane, room))).toEqual(['once'])
  })

  test('rooms.messages: the newest 100, and those before and after a message', async () => {
    const room = await newRoom()
    // More than one may send in a minute.
    await withDatabase(async (client) => {
      const say = `insert into public.chat_messages (room_id, sender_id, content)
                   select $1, $2, $3 || n from generate_series(0, $4::int - 1) as n`
      await client.query(say, [room, john.id, 'a', 60])
      await client.query(say, [room, jane.id, 'b', 50])
    })
    const newest = await messagesOf(john, room)
    expect(newest).toHaveLength(100)
    expect([newest[0]?.content, newest.at(-1)?.content]).toEqual(['a10', 'b49'])
    const path = `/api/chat/messages/?room_id=${room}`
    const before = await call(john, 'GET', `${path}&before=${newest[0]?.id}`)
    expect(contents(before.body.results)).toEqual(Array.from({ length: 10 }, (_, n) => `a${n}`))
    const after = await call(john, 'GET', `${path}&after=${newest[97]?.id}&limit=1`)
    expect(contents(after.body.results)).toEqual(['b48'])
  })

  test('rooms.messages: without a room, of none, of others', async () => {
    const room = await newRoom()
    expect(await call(john, 'GET', '/api/chat/messages/')).toMatchObject({
      status: 400,
      body: { success: false, error: 'invalid_input', fields: { room_id: expect.any(String) } },
    })
    expect(await call(john, 'GET', '/api/chat/messages/?room_id=1')).toMatchObject({ status: 400 })
    expect(await call(john, 'GET', `/api/chat/messages/?room_id=${nobody}`)).toMatchObject(
      refused(404, 'room_not_found'),
    )
    expect(await call(eve, 'GET', `/api/chat/messages/?room_id=${room}`)).toMatchObject(refused(403, 'not_a_member'))
  })

  test("rooms.read: all of others' messages are read, and counted", async () => {
    const room = await newRoom()
    for (const content of ['one', 'two', 'three']) await send(john, room, content)
    await send(jane, room, 'mine')
    const read = await call(jane, 'POST', `/api/chat/rooms/${room}/mark_read/`)
    expect(read).toMatchObject({ status: 200 })
    expect(read.body).toEqual({ message: 'All messages marked as read', updated_count: 3 })
    expect(await listedRoom(jane, room)).toMatchObject({ unread_count: 0 })
    expect((await messagesOf(john, room)).map(({ is_read }) => is_read)).toEqual([true, true, true, false])
    expect((await call(jane, 'POST', `/api/chat/rooms/${room}/mark_read/`)).body.updated_count).toBe(0)
  })

  test('rooms.read1: a message is read with all before it, and not by its sender', async () => {
    const room = await newRoom()
    const [, second] = [await send(john, room, 'one'), await send(john, room, 'two'), await send(john, room, 'three')]
    const path = `/api/chat/messages/${second.id}/mark_read/`
    expect(await call(john, 'POST', path)).toMatchObject(refused(403, 'own_message'))
    expect(await call(eve, 'POST', path)).toMatchObject(refused(403, 'not_a_member'))
    expect(await listedRoom(jane, room)).toMatchObject({ unread_count: 3 })
    const read = await call(jane, 'POST', path)
    expect(read).toMatchObject({ status: 200 })
    expect(read.body).toEqual({ message: 'Message marked as read', id: second.id })
    expect(await listedRoom(jane, room)).toMatchObject({ unread_count: 1 })
    const seen = [true, true, false]
    for (const who of [john, jane]) expect((await messagesOf(who, room)).map(({ is_read }) => is_read)).toEqual(seen)
    expect(await call(jane, 'POST', `/api/chat/messages/${nobody}/mark_read/`)).toMatchObject(
      refused(404, 'message_not_found'),
    )
  })

  test('rooms.delete: a chat is gone for whoever deletes it, and comes back with what is written then', async () => {
    const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
    const { body: room } = await call(ana, 'POST', '/api/chat/rooms/create_direct_chat/', { user_id: ben.id })
    await send(ana, room.id, 'before')
    expect(await call(eve, 'DELETE', `/api/chat/rooms/${room.id}/`)).toMatchObject(refused(403, 'not_a_member'))
    expect(await call(ana, 'DELETE', `/api/chat/rooms/${nobody}/`)).toMatchObject(refused(404, 'room_not_found'))
    const deleted = await call(ana, 'DELETE', `/api/chat/rooms/${room.id}/`)
    expect(deleted).toMatchObject({ status: 200 })
    expect(deleted.body).toEqual({ message: 'Room deleted successfully' })
    expect(await listedRoom(ana, room.id)).toBeUndefined()
    expect(contents(await messagesOf(ben, room.id))).toEqual(['before'])
    await send(ben, room.id, 'after')
    expect(await listedRoom(ana, room.id)).toMatchObject({ unread_count: 1 })
    expect(contents(await messagesOf(ana, room.id))).toEqual(['after'])
  })

  test('rooms.heartbeat, rooms.online, rooms.offline: online for 5 minutes, or until one says otherwise', async () => {
    const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
    await call(ana, 'POST', '/api/chat/rooms/create_direct_chat/', { user_id: ben.id })
    const online = async (who: Person) => (await call(who, 'GET', '/api/chat/online-users/')).body
    expect(await online(ben)).toEqual({ online_users: [] })

    const beat = await call(ana, 'POST', '/api/chat/heartbeat/', { timestamp: '2024-01-15T10:30:00Z' })
    expect(beat).toMatchObject({ status: 200 })
    expect(beat.body).toEqual({ status: 'success', last_activity: time })
    // The server's clock counts.
    expect(Math.abs(Date.parse(beat.body.last_activity) - Date.now())).toBeLessThan(60_000)
    const { data: mine } = await ana.client
      .from('user_presence')
      .select('last_activity, online_until')
      .eq('user_id', ana.id)
      .single()
      .throwOnError()
    const leaseMs = Date.parse(mine.online_until) - Date.parse(mine.last_activity)
    expect(leaseMs).toBe(300_000)

    expect(await online(ana)).toEqual({ online_users: [ana.id] })
    expect(await online(ben)).toEqual({ online_users: [ana.id] })
    expect(await online(eve)).toEqual({ online_users: [] })
    await call(ben, 'POST', '/api/chat/heartbeat/')
    expect((await online(ana)).online_users.toSorted()).toEqual([ana.id, ben.id].toSorted())

    const offline = await call(ana, 'POST', '/api/chat/mark-offline/', { timestamp: '2024-01-15T10:30:00Z' })
    expect(offline).toMatchObject({ status: 200 })
    expect(offline.body).toEqual({ status: 'offline' })
    expect(await online(ben)).toEqual({ online_users: [ben.id] })
    await ben.client.rpc('block_user', { p_user_id: ana.id }).throwOnError()
    expect(await online(ana)).toEqual({ online_users: [] })
  })

  test("rooms.search: in one's own chats, or in one of them", async () => {
    const [room, other] = [await newRoom(), await newRoom([])]
    const word = `word${Date.now()}`
    const found = await send(jane, room, `the ${word} of Jane`)
    await send(john, other, `a ${word} of John`)
    const search = (who: Person, query: string) => call(who, 'GET', `/api/chat/search/?${query}`)
    const all = await search(john, `q=${word}`)
    expect(all).toMatchObject({ status: 200 })
    expect(contents(all.body.results)).toEqual([`a ${word} of John`, `the ${word} of Jane`])
    expect((await search(john, `q=${word}&room_id=${room}`)).body.results).toEqual([
      { ...found, content: `the ${word} of Jane`, is_read: false },
    ])
    await call(john, 'POST', `/api/chat/rooms/${room}/mark_read/`)
    for (const who of [john, jane]) {
      expect((await search(who, `q=${word}&room_id=${room}`)).body.results).toMatchObject([{ is_read: true }])
    }
    const { body: newest } = await search(john, `q=${word}&limit=1`)
    expect(contents(newest.results)).toEqual([`a ${word} of John`])
    const rest = await search(john, new URL(newest.next).search.slice(1))
    expect(contents(rest.body.results)).toEqual([`the ${word} of Jane`])
    expect((await search(eve, `q=${word}`)).body).toEqual({ next: null, results: [] })
    expect(await search(eve, `q=${word}&room_id=${room}`)).toMatchObject(refused(403, 'not_a_member'))
    expect(await search(john, '')).toMatchObject({ status: 400, body: { fields: { q: expect.any(String) } } })
  })

  test('the slash tells rooms from mobile; where only one of them has a call, both mean it', async () => {
    const room = await newRoom()
    expect((await call(john, 'GET', '/api/chat/rooms/')).body).toHaveProperty('results')
    expect((await call(john, 'GET', '/api/chat/rooms')).body).toHaveProperty('data.rooms')
    const { body: message } = await call(john, 'POST', '/api/chat/messages', { room, content: 'Hello!' })
    expect(message.content).toBe('Hello!')
    expect((await call(jane, 'GET', `/api/chat/messages?room_id=${room}`)).body.results).toHaveLength(1)
    expect((await call(jane, 'POST', `/api/chat/messages/${message.id}/mark_read`)).body.id).toBe(message.id)
    expect((await call(jane, 'POST', `/api/chat/rooms/${room}/mark_read`)).body.updated_count).toBe(0)
    expect((await call(jane, 'POST', '/api/chat/heartbeat')).body.status).toBe('success')
    expect((await call(jane, 'GET', '/api/chat/online-users')).body.online_users).toContain(jane.id)
    expect((await call(jane, 'POST', '/api/chat/mark-offline')).body.status).toBe('offline')
    expect((await call(jane, 'GET', '/api/chat/search?q=hello')).body.results).not.toEqual([])
    expect((await call(jane, 'DELETE', `/api/chat/rooms/${room}/`)).body).toEqual({
      message: 'Room deleted successfully',
    })
    expect((await call(john, 'DELETE', `/api/chat/rooms/${room}`)).body).toHaveProperty('data.room_id', room)
  })

  test('without a token, with a wrong method, at no address', async () => {
    expect(await call(undefined, 'GET', '/api/chat/rooms/')).toMatchObject(refused(401, 'not_signed_in'))
    const wrong = await call(john, 'PUT', '/api/chat/rooms/')
    expect(wrong).toMatchObject(refused(405, 'method_not_allowed'))
    expect(wrong.headers.get('allow')).toBe('GET')
    expect(await call(john, 'GET', '/api/chat/nothing/')).toMatchObject(refused(404, 'not_found'))
    expect(await call(john, 'POST', '/api/chat/rooms/1/mark_read/')).toMatchObject(refused(404, 'not_found'))
  })
})

describe('Test Scenarios', () => {
  let room: string
  beforeAll(async () => {
    room = await newRoom()
  })

  test('Send Message', async () => {
    const sent = await call(john, 'POST', '/api/chat/messages/', { room, content: 'Test message' })
    expect(sent).toMatchObject({ status: 201, body: { room, content: 'Test message', is_read: false } })
  })

  test('Check Unread Count', async () => {
    expect(await listedRoom(jane, room)).toMatchObject({ unread_count: 1 })
  })

  test('Mark as Read', async () => {
    expect((await call(jane, 'POST', `/api/chat/rooms/${room}/mark_read/`)).body.updated_count).toBe(1)
    expect(await listedRoom(jane, room)).toMatchObject({ unread_count: 0 })
  })

  test('Online Status', async () => {
    await call(john, 'POST', '/api/chat/heartbeat/')
    expect((await call(john, 'GET', '/api/chat/online-users/')).body.online_users).toContain(john.id)
  })
})

describe('Implementation Checklist', () => {
  let room: string
  let message: Message
  beforeAll(async () => {
    room = await newRoom()
    message = await send(john, room, 'Hey, how are you?')
  })

  describe('Phase 1: Basic Chat (Essential)', () => {
    test('`GET /api/chat/rooms/` - List rooms with unread counts', async () => {
      const { status, body } = await call(jane, 'GET', '/api/chat/rooms/')
      expect(status).toBe(200)
      expect(body.results.map((each: object) => typeof (each as { unread_count: number }).unread_count)).not.toContain(
        'undefined',
      )
    })

    test('`POST /api/chat/rooms/create_direct_chat/` - Create new chat', async () => {
      const created = await call(john, 'POST', '/api/chat/rooms/create_direct_chat/', { user_id: eve.id })
      expect(await listedRoom(eve, created.body.id)).toMatchObject({ type: 'direct', name: 'John' })
    })

    test('`GET /api/chat/messages/?room_id=X` - Get messages', async () => {
      expect(await messagesOf(jane, room)).toMatchObject([{ id: message.id, content: 'Hey, how are you?' }])
    })

    test('`POST /api/chat/messages/` - Send message', async () => {
      const sent = await send(jane, room, 'Fine!')
      expect(contents(await messagesOf(john, room))).toEqual(['Hey, how are you?', 'Fine!'])
      expect(await listedRoom(john, room)).toMatchObject({ last_message: { id: sent.id } })
    })

    test('`POST /api/chat/rooms/{id}/mark_read/` - Mark room as read', async () => {
      const { body } = await call(john, 'POST', `/api/chat/rooms/${room}/mark_read/`)
      expect(body).toEqual({ message: 'All messages marked as read', updated_count: 1 })
    })

    test('Add `unread_count` calculation to room responses', async () => {
      expect(await listedRoom(john, room)).toMatchObject({ unread_count: 0 })
      expect(await listedRoom(jane, room)).toMatchObject({ unread_count: 1 })
    })

    test('Add `last_message` to room responses', async () => {
      expect(await listedRoom(john, room)).toMatchObject({
        last_message: { content: 'Fine!', sender: { id: jane.id, first_name: 'Jane' }, is_read: true },
      })
    })
  })

  describe('Phase 2: Online Presence (Important)', () => {
    test('Add `last_activity` field to User model', async () => {
      const { body } = await call(john, 'POST', '/api/chat/heartbeat/')
      const { data } = await jane.client.from('user_presence').select('last_activity').eq('user_id', john.id).single()
      expect(Date.parse(data?.last_activity as string)).toBe(Date.parse(body.last_activity))
    })

    test('`POST /api/chat/heartbeat/` - Update activity', async () => {
      await withDatabase((client) =>
        client.query(`update public.user_presence set last_activity = now() - interval '1 hour' where user_id = $1`, [
          john.id,
        ]),
      )
      const { body } = await call(john, 'POST', '/api/chat/heartbeat/')
      expect(Math.abs(Date.parse(body.last_activity) - Date.now())).toBeLessThan(60_000)
    })

    test('`GET /api/chat/online-users/` - Get online users', async () => {
      expect((await call(jane, 'GET', '/api/chat/online-users/')).body.online_users).toContain(john.id)
      await withDatabase((client) =>
        client.query(`update public.user_presence set last_activity = now() - interval '301 s' where user_id = $1`, [
          john.id,
        ]),
      )
      expect((await call(jane, 'GET', '/api/chat/online-users/')).body.online_users).not.toContain(john.id)
    })

    test('`POST /api/chat/mark-offline/` - Mark offline (optional)', async () => {
      await call(john, 'POST', '/api/chat/heartbeat/')
      expect((await call(john, 'POST', '/api/chat/mark-offline/')).body).toEqual({ status: 'offline' })
      expect((await call(john, 'GET', '/api/chat/online-users/')).body.online_users).not.toContain(john.id)
    })

    // Online users are found by their ids, among the people one knows. An index on the time itself would be written at
    // each heartbeat: what is indexed is who is online.
    test('Add database index on `last_activity` for performance', async () => {
      const plan = await withDatabase(async (client) => {
        await client.query('begin')
        await client.query('set local enable_seqscan = off')
        const { rows } = await client.query(
          `explain select user_id from public.user_presence
           where user_id = any (array[$1::uuid]) and last_activity > now() - interval '5 minutes'`,
          [john.id],
        )
        await client.query('rollback')
        return rows.map((row) => row['QUERY PLAN']).join('\n')
      })
      expect(plan).toMatch(/Index.* (using|on) user_presence_pkey/)
    })
  })

  describe('Phase 3: Additional Features (Nice to Have)', () => {
    test('`POST /api/chat/messages/{id}/mark_read/` - Mark single message', async () => {
      const next = await send(john, room, 'Lunch?')
      await send(john, room, 'At noon?')
      expect((await call(jane, 'POST', `/api/chat/messages/${next.id}/mark_read/`)).body.id).toBe(next.id)
      expect(await listedRoom(jane, room)).toMatchObject({ unread_count: 1 })
    })

    test('`DELETE /api/chat/rooms/{id}/` - Delete conversation', async () => {
      const deleted = await newRoom()
      expect((await call(jane, 'DELETE', `/api/chat/rooms/${deleted}/`)).status).toBe(200)
      expect(await listedRoom(jane, deleted)).toBeUndefined()
      expect(await listedRoom(john, deleted)).toBeDefined()
    })

    test('Typing indicators (requires WebSockets)', async () => {
      const [hers, his] = await Promise.all([listen(jane, `room:${room}:typing`), listen(john, `room:${room}:typing`)])
      const typing = { user_id: jane.id, is_typing: true }
      await hers.channel.send({ type: 'broadcast', event: 'typing', payload: typing })
      expect(await his.next('typing')).toEqual(typing)
    })

    test('Message attachments/images', async () => {
      const announced = await announce(john, room, 'dot.png', 'image/png', dot.length)
      expect((await post(announced, dot)).ok).toBe(true)
      const upload = announced.attachment_id
      const sent = await call(john, 'POST', '/api/chat/messages/', { room, content: '', attachment_ids: [upload] })
      expect(sent).toMatchObject({ status: 201, body: { content: '', attachments: [{ id: upload }] } })
      const [shown] = (await messagesOf(jane, room)).slice(-1) as unknown as [{ attachments: { url: string }[] }]
      const picture = await fetch(shown.attachments[0]?.url as string)
      expect(Buffer.from(await picture.arrayBuffer())).toEqual(dot)
    })

    test('Message reactions', async () => {
      await jane.client.rpc('add_reaction', { p_message_id: message.id, p_emoji: '🎉' }).throwOnError()
      const [shown] = await messagesOf(john, room)
      expect(shown).toMatchObject({ reactions: [{ emoji: '🎉', count: 1, user_ids: [jane.id] }] })
    })

    test('Search messages', async () => {
      const { body } = await call(jane, 'GET', `/api/chat/search/?q=how&room_id=${room}`)
      expect(body.results).toMatchObject([{ id: message.id }])
    })
  })

  describe('Phase 4: Real-time (Optimal)', () => {
    test('Setup Django Channels for WebSocket support', async () => {
      const { channel } = await listen(jane, `user:${jane.id}`)
      expect(channel.state).toBe('joined')
    })

    test('WebSocket consumer for chat rooms', async () => {
      await listen(jane, `room:${room}`)
      await expect(listen(eve, `room:${room}`)).rejects.toThrow('You do not have permissions')
    })

    test('Real-time message delivery', async () => {
      const hers = await listen(jane, `room:${room}`)
      const sent = await send(john, room, 'at once')
      expect(await hers.next('new-message')).toMatchObject({
        room_id: room,
        message: { id: sent.id, content: 'at once', sender: { id: john.id } },
      })
      await call(jane, 'POST', `/api/chat/rooms/${room}/mark_read/`)
      expect(await hers.next('messages-seen')).toMatchObject({ room_id: room, seen_by: { user_id: jane.id } })
    })

    test('Real-time typing indicators', async () => {
      const hers = await listen(jane, `room:${room}:typing`)
      const his = await listen(john, `room:${room}:typing`)
      for (const is_typing of [true, false]) {
        await his.channel.send({ type: 'broadcast', event: 'typing', payload: { user_id: john.id, is_typing } })
        expect(await hers.next('typing')).toEqual({ user_id: john.id, is_typing })
      }
    })

    test('Real-time online/offline status', async () => {
      const hers = await listen(jane, `user:${jane.id}`)
      await call(jane, 'POST', '/api/chat/heartbeat/')
      await call(john, 'POST', '/api/chat/heartbeat/')
      expect(await hers.next('user-status')).toMatchObject({
        user_id: john.id,
        status: 'online',
        last_seen: expect.any(String),
      })
      await call(john, 'POST', '/api/chat/mark-offline/')
      expect(await hers.next('user-status')).toMatchObject({ user_id: john.id, status: 'offline' })
    })
  })
})

const dot = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
