import { beforeAll, describe, expect, test } from 'vitest'
import { chatOf, groupOf } from '../support/chats.ts'
import { announce, post } from '../support/files.ts'
import { withDatabase } from '../support/jobs.ts'
import { type Person, signUp } from '../support/people.ts'
import { curl } from './curl.ts'
import { call } from './http.ts'

/** The mobile app's document: its calls, the API part of its testing checklist and its examples. */

interface Message {
  id: string
  content: string
  room_id: string
}

let ana: Person
let ben: Person
let eve: Person

beforeAll(async () => {
  ;[ana, ben, eve] = await Promise.all([signUp('Ana'), signUp('Ben'), signUp('Eve')])
})

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
const nobody = '00000000-0000-4000-8000-000000000000'
const refused = (status: number, error: string) => ({ status, body: { success: false, error } })

/** A group of Ana's with these people. */
const newGroup = (members: Person[] = [ben]) => groupOf('Lunch', ana, ...members)

async function send(who: Person, room: string, content: string): Promise<Message> {
  const { status, body } = await call(who, 'POST', `/api/chat/rooms/${room}/messages`, { content })
  expect({ status, body }).toMatchObject({ status: 201 })
  return body.data.message
}

async function messagesOf(who: Person, room: string, query = ''): Promise<string[]> {
  const { body } = await call(who, 'GET', `/api/chat/rooms/${room}/messages${query}`)
  return body.data.messages.map(({ content }: Message) => content)
}

async function listedRoom(who: Person, room: string, query = '') {
  const { body } = await call(who, 'GET', `/api/chat/rooms${query}`)
  return body.data.rooms.find(({ id }: { id: string }) => id === room)
}

async function unreadIn(who: Person, room: string): Promise<number> {
  return (await call(who, 'GET', `/api/chat/unread-count?room_id=${room}`)).body.data.unread_count
}

describe('rows', () => {
  test('mobile.rooms: each with what is unread, archived, last written, and who is in it', async () => {
    const room = await newGroup()
    const last = await send(ana, room, 'Hello!')
    const { status, body } = await call(ben, 'GET', '/api/chat/rooms')
    expect({ status, success: body.success }).toEqual({ status: 200, success: true })
    expect(body.data.rooms[0]).toMatchObject({
      id: room,
      type: 'group',
      title: 'Lunch',
      is_archived: false,
      archived_at: null,
      unread_count: 1,
      last_message: { id: last.id, content: 'Hello!', sender: { id: ana.id }, created_at: time },
      member_count: 2,
      members: [ben.id, ana.id],
      participants: [{ id: ben.id }, { id: ana.id, first_name: 'Ana', role: 'owner' }],
      created_at: time,
      updated_at: time,
    })
    expect((await call(ben, 'GET', '/api/chat/rooms?limit=1')).body.data.rooms).toHaveLength(1)
    expect(await call(ben, 'GET', '/api/chat/rooms?archived=perhaps')).toMatchObject({
      status: 400,
      body: { fields: { archived: expect.any(String) } },
    })
  })

  test('mobile.delete: a personal chat is hidden for me alone, and comes back with what is newer', async () => {
    const [me, friend] = await Promise.all([signUp('Mia'), signUp('Finn')])
    const room = await chatOf(me, friend)
    await send(me, room, 'before')
    const deleted = await call(me, 'DELETE', `/api/chat/rooms/${room}`)
    expect(deleted).toMatchObject({ status: 200 })
    expect(deleted.body).toEqual({
      success: true,
      message: 'Chat deleted successfully',
      data: { room_id: room, deleted_at: time },
    })
    expect(await listedRoom(me, room)).toBeUndefined()
    expect(await messagesOf(friend, room)).toEqual(['before'])
    await send(friend, room, 'after')
    expect(await listedRoom(me, room)).toMatchObject({ unread_count: 1 })
    expect(await messagesOf(me, room)).toEqual(['after'])
    expect(await messagesOf(friend, room)).toEqual(['after', 'before'])
  })

  test('mobile.delete: no such chat, and not mine', async () => {
    const room = await newGroup()
    expect(await call(ana, 'DELETE', `/api/chat/rooms/${nobody}`)).toMatchObject(refused(404, 'room_not_found'))
    expect(await call(ana, 'DELETE', '/api/chat/rooms/room_123')).toMatchObject(refused(404, 'not_found'))
    expect(await call(eve, 'DELETE', `/api/chat/rooms/${room}`)).toMatchObject(refused(403, 'not_a_member'))
    expect(await listedRoom(ana, room)).toBeDefined()
  })

  test('mobile.delete: who leaves a group leaves an admin behind, and the last one out takes it along', async () => {
    const room = await newGroup([ben, eve])
    await send(ana, room, 'Hello!')
    const roles = () =>
      withDatabase(async (client) => {
        const { rows } = await client.query(
          'select user_id, role from public.chat_room_members where room_id = $1 order by joined_at, user_id',
          [room],
        )
        return rows.map(({ role }) => role)
      })
    expect((await call(ana, 'DELETE', `/api/chat/rooms/${room}`)).status).toBe(200)
    expect((await roles()).toSorted()).toEqual(['admin', 'member'])
    expect(await call(ana, 'GET', `/api/chat/rooms/${room}/messages`)).toMatchObject(refused(403, 'not_a_member'))
    for (const who of [ben, eve]) expect((await call(who, 'DELETE', `/api/chat/rooms/${room}`)).status).toBe(200)
    const left = await withDatabase((client) =>
      client.query('select from public.chat_messages where room_id = $1', [room]),
    )
    expect(left.rowCount).toBe(0)
    expect(await call(ben, 'GET', `/api/chat/rooms/${room}/messages`)).toMatchObject(refused(404, 'room_not_found'))
  })

  test('mobile.clear: what I clear is gone for me everywhere, and for nobody else', async () => {
    const room = await newGroup()
    await send(ana, room, 'zebra')
    const cleared = await call(ben, 'DELETE', `/api/chat/rooms/${room}/messages`)
    expect(cleared).toMatchObject({ status: 200 })
    expect(cleared.body).toEqual({
      success: true,
      message: 'Chat cleared successfully',
      data: { room_id: room, cleared_at: time, for_everyone: false },
    })
    expect(await messagesOf(ben, room)).toEqual([])
    expect(await unreadIn(ben, room)).toBe(0)
    expect((await call(ben, 'GET', `/api/chat/search?q=zebra&room_id=${room}`)).body.results).toEqual([])
    expect(await listedRoom(ben, room)).toMatchObject({ last_message: null })
    expect(await messagesOf(ana, room)).toEqual(['zebra'])
    await send(ana, room, 'newer')
    expect(await messagesOf(ben, room)).toEqual(['newer'])
  })

  test('mobile.clear: for everyone, which admins may', async () => {
    const room = await newGroup()
    await send(ben, room, 'Hello!')
    const path = `/api/chat/rooms/${room}/messages?for_everyone=true`
    expect(await call(ben, 'DELETE', path)).toMatchObject(refused(403, 'not_an_admin'))
    expect(await call(eve, 'DELETE', path)).toMatchObject(refused(403, 'not_a_member'))
    expect(await messagesOf(ana, room)).toEqual(['Hello!'])
    const cleared = await call(ana, 'DELETE', path)
    expect(cleared).toMatchObject({ status: 200, body: { data: { room_id: room, for_everyone: true } } })
    expect(await messagesOf(ana, room)).toEqual([])
    expect(await messagesOf(ben, room)).toEqual([])
  })

  test('mobile.archive: an archived chat is in the other list, mine alone, until I take it back', async () => {
    const room = await newGroup()
    const archived = await call(ana, 'PUT', `/api/chat/rooms/${room}/archive`, { is_archived: true })
    expect(archived).toMatchObject({ status: 200 })
    expect(archived.body).toEqual({
      success: true,
      message: 'Chat archived successfully',
      data: { room_id: room, is_archived: true, archived_at: time },
    })
    expect(await listedRoom(ana, room)).toBeUndefined()
    expect(await listedRoom(ana, room, '?archived=false')).toBeUndefined()
    expect(await listedRoom(ana, room, '?archived=true')).toMatchObject({ is_archived: true, archived_at: time })
    expect(await listedRoom(ben, room)).toMatchObject({ is_archived: false })
    const back = await call(ana, 'PUT', `/api/chat/rooms/${room}/archive`, { is_archived: false })
    expect(back.body).toEqual({
      success: true,
      message: 'Chat unarchived successfully',
      data: { room_id: room, is_archived: false, archived_at: null },
    })
    expect(await listedRoom(ana, room)).toMatchObject({ is_archived: false })
    expect(await call(ana, 'PUT', `/api/chat/rooms/${room}/archive`, {})).toMatchObject({
      status: 400,
      body: { fields: { is_archived: expect.any(String) } },
    })
    expect(await call(eve, 'PUT', `/api/chat/rooms/${room}/archive`, { is_archived: true })).toMatchObject(
      refused(403, 'not_a_member'),
    )
  })

  test('mobile.messages: newest first, page by page, without those that are deleted', async () => {
    const room = await newGroup()
    const sent: Message[] = []
    for (const content of ['1', '2', '3', '4', '5']) sent.push(await send(ana, room, content))
    await ana.client.rpc('delete_message', { p_message_id: sent[2]?.id as string }).throwOnError()
    expect(await messagesOf(ben, room)).toEqual(['5', '4', '2', '1'])
    expect(await messagesOf(ben, room, '?limit=2')).toEqual(['5', '4'])
    expect(await messagesOf(ben, room, '?limit=2&offset=2')).toEqual(['2', '1'])
    expect(await messagesOf(ben, room, '?limit=2&offset=4')).toEqual([])
    const { body } = await call(ben, 'GET', `/api/chat/rooms/${room}/messages?limit=3`)
    expect(body.data).toMatchObject({ total: 4, has_more: true })
    expect(await messagesOf(ben, room, `?before=${sent[3]?.id}`)).toEqual(['2', '1'])
    expect(await messagesOf(ben, room, `?after=${sent[0]?.id}&limit=2`)).toEqual(['2', '4'])
    expect(await call(ben, 'GET', `/api/chat/rooms/${room}/messages?limit=0`)).toMatchObject({ status: 400 })
    expect(await call(ben, 'GET', `/api/chat/rooms/${room}/messages?offset=-1`)).toMatchObject({ status: 400 })
    expect(await call(eve, 'GET', `/api/chat/rooms/${room}/messages`)).toMatchObject(refused(403, 'not_a_member'))
    expect(await call(ben, 'GET', `/api/chat/rooms/${nobody}/messages`)).toMatchObject(refused(404, 'room_not_found'))
  })

  test('mobile.unread: of all chats, and of one', async () => {
    const [me, friend] = await Promise.all([signUp('Mia'), signUp('Finn')])
    const room = await chatOf(friend, me)
    expect((await call(me, 'GET', '/api/chat/unread-count')).body).toEqual({
      success: true,
      data: {
        total_unread: 0,
        rooms: [{ room_id: room, unread_count: 0, last_read_message_id: null, last_message_timestamp: null }],
      },
    })
    const first = await send(friend, room, 'one')
    await call(me, 'PUT', `/api/chat/rooms/${room}/read-status`, { is_read: true })
    await send(friend, room, 'two')
    await send(friend, room, 'three')
    const unread = { room_id: room, unread_count: 2, last_read_message_id: first.id }
    expect((await call(me, 'GET', '/api/chat/unread-count')).body).toEqual({
      success: true,
      data: { total_unread: 2, rooms: [{ ...unread, last_message_timestamp: time }] },
    })
    const one = await call(me, 'GET', `/api/chat/unread-count?room_id=${room}`)
    expect(one.body).toEqual({ success: true, data: unread })
    expect(await call(eve, 'GET', `/api/chat/unread-count?room_id=${room}`)).toMatchObject(refused(403, 'not_a_member'))
    expect(await call(me, 'GET', '/api/chat/unread-count?room_id=room_123')).toMatchObject({
      status: 400,
      body: { fields: { room_id: expect.any(String) } },
    })
  })

  test('mobile.status: read, read up to a message, and unread by hand', async () => {
    const room = await newGroup()
    const [, second, third] = [await send(ana, room, '1'), await send(ana, room, '2'), await send(ana, room, '3')]
    const put = async (body: object, who = ben) => call(who, 'PUT', `/api/chat/rooms/${room}/read-status`, body)
    const upTo = await put({ is_read: true, last_read_message_id: second.id })
    expect(upTo).toMatchObject({ status: 200 })
    expect(upTo.body).toEqual({
      success: true,
      data: { room_id: room, unread_count: 1, last_read_message_id: second.id, read_at: time },
    })
    expect((await put({ is_read: true })).body.data).toEqual({
      room_id: room,
      unread_count: 0,
      last_read_message_id: third.id,
      read_at: time,
    })
    expect((await put({ is_read: false })).body.data).toEqual({
      room_id: room,
      unread_count: 1,
      last_read_message_id: third.id,
      read_at: time,
    })
    expect(await unreadIn(ben, room)).toBe(1)
    expect(await listedRoom(ben, room)).toMatchObject({ unread_count: 1 })
    expect((await put({ is_read: true })).body.data.unread_count).toBe(0)
    expect(await put({})).toMatchObject({ status: 400, body: { fields: { is_read: expect.any(String) } } })
    expect(await put({ is_read: true, last_read_message_id: nobody })).toMatchObject(refused(404, 'message_not_found'))
    expect(await put({ is_read: true }, eve)).toMatchObject(refused(403, 'not_a_member'))
  })

  test('mobile.readall: several chats at once', async () => {
    const rooms = [await newGroup(), await newGroup(), await newGroup()]
    for (const room of rooms) await send(ana, room, 'Hello!')
    const read = await call(ben, 'POST', '/api/chat/rooms/read-status', { room_ids: [rooms[0], rooms[1], nobody] })
    expect(read).toMatchObject({ status: 200 })
    expect(read.body).toEqual({ success: true, rooms_updated: 2 })
    expect(await Promise.all(rooms.map((room) => unreadIn(ben, room)))).toEqual([0, 0, 1])
    expect(await call(ben, 'POST', '/api/chat/rooms/read-status', { room_ids: Array(501).fill(nobody) })).toMatchObject(
      refused(400, 'room_count_out_of_range'),
    )
    expect(
      await call(ben, 'POST', '/api/chat/rooms/read-status', { room_ids: Array(2000).fill(nobody) }),
    ).toMatchObject(refused(400, 'invalid_input'))
  })

  test('mobile.forward: a message is written again in other chats, as mine, with its file', async () => {
    const [from, to, further] = [await newGroup(), await newGroup([eve]), await newGroup([])]
    const announced = await announce(ben, from, 'dot.png', 'image/png', dot.length)
    await post(announced, dot)
    const { body: sent } = await call(ben, 'POST', `/api/chat/rooms/${from}/messages`, {
      content: 'Look!',
      message_type: 'image',
      attachment_ids: [announced.attachment_id],
    })
    const original = sent.data.message
    const forwarded = await call(ana, 'POST', `/api/chat/messages/${original.id}/forward`, {
      target_room_ids: [to, further],
    })
    expect(forwarded).toMatchObject({ status: 200 })
    const copy = { content: 'Look!', forwarded_from: original.id, created_at: time, sender_id: ana.id }
    expect(forwarded.body).toEqual({
      success: true,
      message: 'Message forwarded successfully',
      data: {
        original_message_id: original.id,
        forwarded_to: [to, further],
        forwarded_messages: [
          expect.objectContaining({ id: expect.any(String), room_id: to, ...copy }),
          expect.objectContaining({ id: expect.any(String), room_id: further, ...copy }),
        ],
      },
    })
    const { body } = await call(eve, 'GET', `/api/chat/rooms/${to}/messages`)
    const [shown] = body.data.messages
    expect(shown).toMatchObject({ message_type: 'image', attachments: [{ file_name: 'dot.png' }] })
    const file = await fetch(shown.attachments[0].url)
    expect(Buffer.from(await file.arrayBuffer())).toEqual(dot)
    const again = await call(ben, 'GET', `/api/chat/rooms/${from}/messages`)
    expect(again.body.data.messages).toMatchObject([{ id: original.id, forwarded_count: 2 }])
  })

  test('mobile.forward: at most 10 chats, all mine, or none', async () => {
    const [from, to] = [await newGroup(), await newGroup([])]
    const original = await send(ana, from, 'a secret')
    const forward = (who: Person, target_room_ids: string[]) =>
      call(who, 'POST', `/api/chat/messages/${original.id}/forward`, { target_room_ids })
    expect(await forward(ben, [from, to])).toMatchObject(refused(403, 'not_a_member'))
    expect(await forward(eve, [from])).toMatchObject(refused(403, 'not_a_member'))
    expect(await forward(ana, [from, nobody])).toMatchObject(refused(404, 'room_not_found'))
    expect(await forward(ana, [])).toMatchObject(refused(400, 'room_count_out_of_range'))
    expect(await forward(ana, Array(11).fill(to))).toMatchObject(refused(400, 'room_count_out_of_range'))
    const none = await call(ana, 'POST', `/api/chat/messages/${nobody}/forward`, { target_room_ids: [to] })
    expect(none).toMatchObject(refused(404, 'message_not_found'))
    expect(await messagesOf(ana, from)).toEqual(['a secret'])
    expect(await messagesOf(ana, to)).toEqual([])
  })

  test('mobile.confirm: a send tells its sender how far it got; the same temp_id is the same message', async () => {
    const room = await newGroup([ben, eve])
    await ben.client.rpc('heartbeat').throwOnError()
    const sending = { content: 'Hello!', temp_id: 'temp-1' }
    const sent = await call(ana, 'POST', `/api/chat/rooms/${room}/messages`, sending)
    expect(sent).toMatchObject({ status: 201 })
    expect(sent.body).toEqual({
      success: true,
      data: {
        message: expect.objectContaining({ content: 'Hello!', room_id: room, sender_id: ana.id }),
        temp_id: 'temp-1',
        message_id: sent.body.data.message.id,
        delivered_to_count: 1,
        queued_for_count: 1,
        timestamp: sent.body.data.message.created_at,
      },
    })
    const again = await call(ana, 'POST', `/api/chat/rooms/${room}/messages`, sending)
    expect(again.body.data.message_id).toBe(sent.body.data.message_id)
    expect(await messagesOf(ben, room)).toEqual(['Hello!'])
    expect(await call(ana, 'POST', `/api/chat/rooms/${room}/messages`, {})).toMatchObject(
      refused(400, 'content_required'),
    )
    const reply = { content: 'Hi!', reply_to_message_id: sent.body.data.message_id }
    const answer = await call(ben, 'POST', `/api/chat/rooms/${room}/messages`, reply)
    expect(answer.body.data.message.reply_to).toEqual({
      id: reply.reply_to_message_id,
      sender_id: ana.id,
      content: 'Hello!',
    })
  })

  test('mobile.keys, mobile.verify: public keys are published, fetched and compared', async () => {
    const [me, friend] = await Promise.all([signUp('Mia'), signUp('Finn')])
    await chatOf(me, friend)
    const { pem, privatePem, fingerprint } = await keyPair()
    const upload = (body: object) => call(me, 'POST', '/api/chat/encryption/keys', body)
    const key = { public_key: pem, device_id: 'device_123', key_id: 'key_001' }
    const uploaded = await upload(key)
    expect(uploaded).toMatchObject({ status: 200 })
    expect(uploaded.body).toEqual({ success: true, data: { key_id: 'key_001', fingerprint, uploaded_at: time } })
    expect(await upload({ ...key, key_id: 'key_002', public_key: privatePem })).toMatchObject(
      refused(400, 'not_a_public_key'),
    )
    expect(await upload({ ...key, public_key: (await keyPair()).pem })).toMatchObject(refused(409, 'key_id_taken'))
    expect(await upload({ device_id: 'device_123' })).toMatchObject({
      status: 400,
      body: { fields: { public_key: expect.any(String), key_id: expect.any(String) } },
    })

    const path = `/api/chat/encryption/keys/${me.id}`
    const published = { ...key, fingerprint, created_at: time, is_active: true }
    expect((await call(friend, 'GET', path)).body).toEqual({
      success: true,
      data: { user_id: me.id, keys: [{ ...published, verified: false }] },
    })
    expect(await call(eve, 'GET', path)).toMatchObject(refused(403, 'not_a_room_mate'))
    expect(await call(me, 'GET', `/api/chat/encryption/keys/${nobody}`)).toMatchObject(refused(404, 'user_not_found'))

    const verify = (who: Person, body: object) =>
      call(who, 'POST', '/api/chat/encryption/verify', { user_id: me.id, key_id: 'key_001', ...body })
    expect(await verify(friend, { fingerprint: fingerprint.slice(0, 11) })).toMatchObject(
      refused(400, 'fingerprint_too_short'),
    )
    const wrong = fingerprint.startsWith('0') ? `1${fingerprint.slice(1)}` : `0${fingerprint.slice(1)}`
    expect(await verify(friend, { fingerprint: wrong })).toMatchObject(refused(409, 'fingerprint_mismatch'))
    expect(await verify(friend, { fingerprint, key_id: 'key_9' })).toMatchObject(refused(404, 'key_not_found'))
    expect(await verify(eve, { fingerprint })).toMatchObject(refused(403, 'not_a_room_mate'))
    expect((await call(friend, 'GET', path)).body.data.keys).toMatchObject([{ verified: false }])
    const verified = await verify(friend, { fingerprint: fingerprint.slice(0, 12) })
    expect(verified).toMatchObject({ status: 200 })
    expect(verified.body).toEqual({ success: true, message: 'Key verified successfully' })
    expect((await call(friend, 'GET', path)).body.data.keys).toEqual([{ ...published, verified: true }])
  })

  test('mobile.encrypted: an envelope is sent with its key and without clear text', async () => {
    const room = await newGroup()
    const { pem, fingerprint } = await keyPair()
    await call(ana, 'POST', '/api/chat/encryption/keys', { public_key: pem, device_id: 'phone', key_id: 'key_1' })
    const encrypted_content = JSON.stringify({ v: 1, keys: { [fingerprint]: 'wrapped' }, body: 'cipher' })
    const post = (body: object) =>
      call(ana, 'POST', `/api/chat/rooms/${room}/messages`, { encryption_key_id: 'key_1', ...body })
    const sent = await post({ is_encrypted: true, encrypted_content })
    expect(sent).toMatchObject({
      status: 201,
      body: {
        data: { message: { content: null, is_encrypted: true, encryption_key_id: 'key_1', encrypted_content } },
      },
    })
    expect(await post({ is_encrypted: true, encrypted_content, content: 'clear' })).toMatchObject(
      refused(400, 'encrypted_with_clear_text'),
    )
    // Whoever says that it is encrypted, and forgot to, sends nothing in the clear.
    expect(await post({ is_encrypted: true, content: 'clear' })).toMatchObject(
      refused(400, 'encrypted_with_clear_text'),
    )
    expect(await post({ is_encrypted: true })).toMatchObject(refused(400, 'encrypted_content_invalid'))
    expect(await post({ encrypted_content, encryption_key_id: undefined })).toMatchObject(
      refused(400, 'encryption_key_required'),
    )
    expect(await post({ encrypted_content, encryption_key_id: 'key_2' })).toMatchObject(
      refused(400, 'unknown_encryption_key'),
    )
    const { body } = await call(ben, 'GET', `/api/chat/rooms/${room}/messages`)
    expect(body.data.messages).toMatchObject([{ encrypted_content }])
    const forward = `/api/chat/messages/${sent.body.data.message_id}/forward`
    expect(await call(ana, 'POST', forward, { target_room_ids: [room] })).toMatchObject(
      refused(409, 'encrypted_message'),
    )
  })

  test('mobile.limits: who sends too much waits, and reads on meanwhile', async () => {
    const me = await signUp('Mia')
    const room = await chatOf(me, ana)
    await send(me, room, 'one')
    await withDatabase((client) =>
      client.query(`update private.rate_buckets set tokens = -60 where user_id = $1 and action = 'send'`, [me.id]),
    )
    const sent = await call(me, 'POST', `/api/chat/rooms/${room}/messages`, { content: 'two' })
    expect(sent).toMatchObject(refused(429, 'too_many_requests'))
    expect(Number(sent.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await messagesOf(me, room)).toEqual(['one'])
  })

  test('each call answers with its last slash as well, where rooms has no such call', async () => {
    const room = await newGroup()
    const { id } = await send(ana, room, 'Hello!')
    expect((await call(ben, 'GET', `/api/chat/rooms/${room}/messages/`)).body.data.messages).toHaveLength(1)
    expect((await call(ben, 'GET', `/api/chat/unread-count/?room_id=${room}`)).body.data.unread_count).toBe(1)
    const put = (what: string, body: object) => call(ben, 'PUT', `/api/chat/rooms/${room}/${what}/`, body)
    expect((await put('read-status', { is_read: true })).body.data.unread_count).toBe(0)
    expect((await put('archive', { is_archived: true })).body.data.is_archived).toBe(true)
    expect((await call(ben, 'POST', '/api/chat/rooms/read-status/', { room_ids: [room] })).body.rooms_updated).toBe(0)
    const forwarded = await call(ben, 'POST', `/api/chat/messages/${id}/forward/`, { target_room_ids: [room] })
    expect(forwarded.status).toBe(200)
    expect((await call(ben, 'GET', `/api/chat/encryption/keys/${ben.id}/`)).body.data.keys).toEqual([])
    expect((await call(ben, 'POST', '/api/chat/encryption/keys/', {})).status).toBe(400)
    expect((await call(ben, 'POST', '/api/chat/encryption/verify/', {})).status).toBe(400)
    expect((await call(ben, 'DELETE', `/api/chat/rooms/${room}/messages/`)).body.data.for_everyone).toBe(false)
  })
})

describe('API Endpoints Testing', () => {
  test('DELETE /api/chat/rooms/:id - Test personal chat deletion', async () => {
    const [me, friend] = await Promise.all([signUp('Mia'), signUp('Finn')])
    const room = await chatOf(me, friend)
    await send(me, room, 'Hello!')
    expect((await call(me, 'DELETE', `/api/chat/rooms/${room}`)).status).toBe(200)
    expect(await listedRoom(me, room)).toBeUndefined()
    expect(await listedRoom(friend, room)).toMatchObject({ last_message: { content: 'Hello!' } })
    // It waits for me, empty, should I write again.
    expect(await chatOf(me, friend)).toBe(room)
    expect(await messagesOf(me, room)).toEqual([])
  })

  test('DELETE /api/chat/rooms/:id - Test group chat deletion', async () => {
    const room = await newGroup([ben, eve])
    expect((await call(ben, 'DELETE', `/api/chat/rooms/${room}`)).status).toBe(200)
    expect(await listedRoom(ben, room)).toBeUndefined()
    expect((await listedRoom(ana, room)).members.toSorted()).toEqual([ana.id, eve.id].toSorted())
    expect(await call(ben, 'DELETE', `/api/chat/rooms/${room}`)).toMatchObject(refused(403, 'not_a_member'))
  })

  test('DELETE /api/chat/rooms/:id/messages - Test clear for user', async () => {
    const room = await newGroup()
    await send(ana, room, 'Hello!')
    expect((await call(ana, 'DELETE', `/api/chat/rooms/${room}/messages`)).body.data.for_everyone).toBe(false)
    expect([await messagesOf(ana, room), await messagesOf(ben, room)]).toEqual([[], ['Hello!']])
  })

  test('DELETE /api/chat/rooms/:id/messages?for_everyone=true - Test clear for all', async () => {
    const room = await newGroup()
    await send(ana, room, 'Hello!')
    const cleared = await call(ana, 'DELETE', `/api/chat/rooms/${room}/messages?for_everyone=true`)
    expect(cleared.body.data.for_everyone).toBe(true)
    expect([await messagesOf(ana, room), await messagesOf(ben, room)]).toEqual([[], []])
  })

  test('PUT /api/chat/rooms/:id/archive - Test archive', async () => {
    const room = await newGroup()
    const { body } = await call(ana, 'PUT', `/api/chat/rooms/${room}/archive`, { is_archived: true })
    expect(body.data).toEqual({ room_id: room, is_archived: true, archived_at: time })
  })

  test('PUT /api/chat/rooms/:id/archive - Test unarchive', async () => {
    const room = await newGroup()
    await call(ana, 'PUT', `/api/chat/rooms/${room}/archive`, { is_archived: true })
    const { body } = await call(ana, 'PUT', `/api/chat/rooms/${room}/archive`, { is_archived: false })
    expect(body.data).toEqual({ room_id: room, is_archived: false, archived_at: null })
  })

  test('GET /api/chat/rooms?archived=true - Test archived rooms list', async () => {
    const [room, other] = [await newGroup(), await newGroup()]
    await call(ana, 'PUT', `/api/chat/rooms/${room}/archive`, { is_archived: true })
    expect(await listedRoom(ana, room, '?archived=true')).toMatchObject({ is_archived: true })
    expect(await listedRoom(ana, other, '?archived=true')).toBeUndefined()
  })

  test('GET /api/chat/unread-count - Test global unread count', async () => {
    const me = await signUp('Mia')
    const rooms = [await newGroup([me]), await newGroup([me])]
    for (const room of [...rooms, rooms[0] as string]) await send(ana, room, 'Hello!')
    const { body } = await call(me, 'GET', '/api/chat/unread-count')
    expect(body.data.total_unread).toBe(3)
    expect(
      Object.fromEntries(body.data.rooms.map((each: Record<string, unknown>) => [each.room_id, each.unread_count])),
    ).toEqual({ [rooms[0] as string]: 2, [rooms[1] as string]: 1 })
  })

  test('GET /api/chat/unread-count?room_id=x - Test single room unread', async () => {
    const room = await newGroup()
    await send(ana, room, 'Hello!')
    expect([await unreadIn(ben, room), await unreadIn(ana, room)]).toEqual([1, 0])
  })

  test('PUT /api/chat/rooms/:id/read-status - Test mark as read', async () => {
    const room = await newGroup()
    const { id } = await send(ana, room, 'Hello!')
    const { body } = await call(ben, 'PUT', `/api/chat/rooms/${room}/read-status`, { is_read: true })
    expect(body.data).toMatchObject({ unread_count: 0, last_read_message_id: id, read_at: time })
    expect(await unreadIn(ben, room)).toBe(0)
  })

  test('PUT /api/chat/rooms/:id/read-status - Test mark as unread', async () => {
    const room = await newGroup()
    const { body } = await call(ben, 'PUT', `/api/chat/rooms/${room}/read-status`, { is_read: false })
    expect(body.data).toEqual({ room_id: room, unread_count: 1, last_read_message_id: null, read_at: null })
    expect(await unreadIn(ben, room)).toBe(1)
  })

  test('POST /api/chat/messages/:id/forward - Test message forwarding', async () => {
    const [from, to] = [await newGroup(), await newGroup()]
    const { id } = await send(ana, from, 'Hello!')
    const { body } = await call(ben, 'POST', `/api/chat/messages/${id}/forward`, { target_room_ids: [to] })
    expect(body.data).toMatchObject({ original_message_id: id, forwarded_to: [to] })
    expect(await messagesOf(ana, to)).toEqual(['Hello!'])
  })
})

describe('Using cURL', () => {
  let names: Record<string, string>

  beforeAll(async () => {
    const [room, second, third] = [await newGroup(), await newGroup(), await newGroup()]
    const [first, last] = [await send(ben, room, 'Hello!'), await send(ben, room, 'Are you there?')]
    names = { room_123: room, room_456: second, room_789: third, msg_123: first.id, msg_456: last.id }
  })

  // In another order than the document's, which deletes what it goes on with.
  test('Get unread count', async () => {
    const { status, body } = await curl(
      ana,
      `curl -X GET "https://api.kcs-platform.com/api/chat/unread-count" \\
  -H "Authorization: Bearer YOUR_JWT_TOKEN"`,
    )
    expect({ status, unread: body.data.rooms }).toMatchObject({ status: 200 })
    expect(body.data.rooms).toContainEqual(expect.objectContaining({ room_id: names.room_123, unread_count: 2 }))
  })

  test('Mark as read', async () => {
    const { status, body } = await curl(
      ana,
      `curl -X PUT "https://api.kcs-platform.com/api/chat/rooms/room_123/read-status" \\
  -H "Authorization: Bearer YOUR_JWT_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"is_read": true, "last_read_message_id": "msg_456"}'`,
      names,
    )
    expect(status).toBe(200)
    expect(body.data).toEqual({
      room_id: names.room_123,
      unread_count: 0,
      last_read_message_id: names.msg_456,
      read_at: time,
    })
  })

  test('Forward message', async () => {
    const { status, body } = await curl(
      ana,
      `curl -X POST "https://api.kcs-platform.com/api/chat/messages/msg_123/forward" \\
  -H "Authorization: Bearer YOUR_JWT_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"target_room_ids": ["room_456", "room_789"]}'`,
      names,
    )
    expect(status).toBe(200)
    expect(body.data).toMatchObject({
      original_message_id: names.msg_123,
      forwarded_to: [names.room_456, names.room_789],
    })
  })

  test('Archive chat', async () => {
    const { status, body } = await curl(
      ana,
      `curl -X PUT "https://api.kcs-platform.com/api/chat/rooms/room_123/archive" \\
  -H "Authorization: Bearer YOUR_JWT_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"is_archived": true}'`,
      names,
    )
    expect({ status, body }).toMatchObject({ status: 200, body: { success: true, data: { is_archived: true } } })
  })

  test('Clear chat', async () => {
    const { status, body } = await curl(
      ana,
      `curl -X DELETE "https://api.kcs-platform.com/api/chat/rooms/room_123/messages" \\
  -H "Authorization: Bearer YOUR_JWT_TOKEN"`,
      names,
    )
    expect({ status, body }).toMatchObject({ status: 200, body: { message: 'Chat cleared successfully' } })
    expect(await messagesOf(ana, names.room_123 as string)).toEqual([])
  })

  test('Delete chat', async () => {
    const { status, body } = await curl(
      ana,
      `curl -X DELETE "https://api.kcs-platform.com/api/chat/rooms/room_123" \\
  -H "Authorization: Bearer YOUR_JWT_TOKEN"`,
      names,
    )
    expect({ status, body }).toMatchObject({ status: 200, body: { data: { room_id: names.room_123 } } })
    const again = await curl(
      ana,
      `curl -X DELETE "https://api.kcs-platform.com/api/chat/rooms/room_123" \\
  -H "Authorization: Bearer YOUR_JWT_TOKEN"`,
      names,
    )
    expect(again).toMatchObject(refused(403, 'not_a_member'))
  })
})

const dot = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** A pair of keys as the app makes one, and the fingerprint by which people compare it. */
async function keyPair(): Promise<{ pem: string; privatePem: string; fingerprint: string }> {
  const { publicKey, privateKey } = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, [
    'deriveBits',
  ])
  const der = await crypto.subtle.exportKey('spki', publicKey)
  const pem = (label: string, bytes: ArrayBuffer) =>
    `-----BEGIN ${label}-----\n${Buffer.from(bytes).toString('base64')}\n-----END ${label}-----\n`
  return {
    pem: pem('PUBLIC KEY', der),
    privatePem: pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', privateKey)),
    fingerprint: Buffer.from(await crypto.subtle.digest('SHA-256', der))
      .toString('hex')
      .toUpperCase(),
  }
}
