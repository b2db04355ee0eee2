import { describe, expect, test } from 'vitest'
import { type Listener, listen } from '../support/channels.ts'
import { chatOf, groupOf } from '../support/chats.ts'
import { withDatabase } from '../support/jobs.ts'
import { type Person, signUp } from '../support/people.ts'
import { call } from './http.ts'

/** The mobile app's testing checklist, but for its API part: what is live, the database, and both together. */

const signUpAll = (...names: string[]) => Promise.all(names.map(signUp))

interface Chat {
  a: Person
  b: Person
  room: string
}

/** User A and user B, and a chat of theirs. */
async function chat(): Promise<Chat> {
  const [a, b] = (await signUpAll('A', 'B')) as [Person, Person]
  return { a, b, room: await chatOf(a, b) }
}

/** As the app does when its socket connects. */
async function connect(person: Person): Promise<Listener> {
  const listener = await listen(person, `user:${person.id}`)
  await person.client.rpc('heartbeat').throwOnError()
  return listener
}

interface Message {
  id: string
  content: string
}

async function send(who: Person, room: string, content: string) {
  const { data } = await who.client.rpc('send_message', { p_room_id: room, p_content: content }).throwOnError()
  return data as unknown as { message_id: string; delivered_to_count: number; queued_for_count: number }
}

async function contentsFor(who: Person, room: string): Promise<string[]> {
  const { body } = await call(who, 'GET', `/api/chat/rooms/${room}/messages`)
  return body.data.messages.map(({ content }: Message) => content)
}

async function listedRoom(who: Person, room: string) {
  const { body } = await call(who, 'GET', '/api/chat/rooms')
  return body.data.rooms.find(({ id }: { id: string }) => id === room)
}

/** What somebody missed, by sync. */
async function missedBy(who: Person) {
  const { data } = await who.client.rpc('sync_messages').throwOnError()
  return data as unknown as { messages: Message[] }
}

const query = (text: string, values: unknown[] = []) =>
  withDatabase(async (client) => (await client.query(text, values)).rows)

describe('WebSocket Testing', () => {
  test('Connect event - Verify online status broadcast', async () => {
    const { a, b } = await chat()
    const hers = await connect(a)
    await connect(b)
    expect(await hers.next('user-status')).toEqual({ user_id: b.id, status: 'online', last_seen: expect.any(String) })
  })

  test('Disconnect event - Verify offline status after grace period', async () => {
    const { a, b } = await chat()
    const hers = await connect(a)
    await connect(b)
    await hers.next('user-status')
    const [lease] = await query(
      'select online_until - last_activity as grace from public.user_presence where user_id = $1',
      [b.id],
    )
    expect(lease.grace).toMatchObject({ seconds: 35 })
    // He is gone without a word, and it is 35 seconds later.
    await b.client.removeAllChannels()
    await query('update public.user_presence set online_until = now() where user_id = $1', [b.id])
    expect(await hers.next('user-status')).toMatchObject({ user_id: b.id, status: 'offline' })
  })

  test('Ping/Pong - Verify heartbeat working', async () => {
    const { a, b } = await chat()
    await connect(b)
    await query(
      `update public.user_presence set last_activity = now() - interval '25 s', online_until = now() + interval '10 s'
       where user_id = $1`,
      [b.id],
    )
    const { data } = await b.client.rpc('heartbeat').throwOnError()
    expect(data).toMatchObject({ status: 'online' })
    const { data: seen } = await a.client
      .from('user_presence')
      .select('last_activity, online_until')
      .eq('user_id', b.id)
      .single()
      .throwOnError()
    expect(Date.parse(seen.online_until) - Date.parse(seen.last_activity)).toBe(35_000)
    expect(Date.now() - Date.parse(seen.last_activity)).toBeLessThan(20_000)
  })

  test('send-message - Verify message delivered to all online members', async () => {
    const [a, b, c] = (await signUpAll('A', 'B', 'C')) as [Person, Person, Person]
    const room = await groupOf('Lunch', a, b, c)
    const listeners = await Promise.all([connect(b), connect(c)])
    const sent = await send(a, room, 'Hello!')
    expect(sent).toMatchObject({ delivered_to_count: 2, queued_for_count: 0 })
    for (const listener of listeners) {
      expect(await listener.next('new-message')).toMatchObject({
        room_id: room,
        message: { id: sent.message_id, content: 'Hello!', sender: { id: a.id, first_name: 'A' } },
      })
    }
  })

  test('send-message - Verify message queued for offline members', async () => {
    const { a, b, room } = await chat()
    const sent = await send(a, room, 'Hello!')
    expect(sent).toMatchObject({ delivered_to_count: 0, queued_for_count: 1 })
    const { messages } = await missedBy(b)
    expect(messages).toMatchObject([{ id: sent.message_id, content: 'Hello!' }])
  })

  test('mark-messages-seen - Verify seen receipts broadcast to senders', async () => {
    const { a, b, room } = await chat()
    const [hers, himself] = [await listen(a, `room:${room}`), await connect(b)]
    const ids = [(await send(a, room, 'one')).message_id, (await send(a, room, 'two')).message_id]
    await b.client.rpc('mark_messages_seen', { p_room_id: room, p_message_ids: ids }).throwOnError()
    expect(await hers.next('messages-seen')).toEqual({
      room_id: room,
      message_ids: ids,
      seen_by: { user_id: b.id, user_name: 'B', seen_at: expect.any(String) },
    })
    expect(await himself.next('unread-count-update')).toEqual({ room_id: room, unread_count: 0, total_unread: 0 })
  })

  test('Connection recovery - Verify pending messages delivered on reconnect', async () => {
    const { a, b, room } = await chat()
    const first = await connect(b)
    await send(a, room, 'one')
    await first.next('new-message')
    const { data } = await b.client.rpc('sync_messages').throwOnError()
    const { cursors } = data as unknown as { cursors: Record<string, number> }

    await b.client.removeAllChannels()
    await b.client.rpc('mark_offline').throwOnError()
    for (const content of ['two', 'three']) await send(a, room, content)
    const again = await connect(b)
    const missed = await b.client.rpc('sync_messages', { p_cursors: cursors }).throwOnError()
    const { messages } = missed.data as unknown as { messages: Message[] }
    expect(messages.map(({ content }) => content)).toEqual(['two', 'three'])
    await send(a, room, 'four')
    expect(await again.next('new-message')).toMatchObject({ message: { content: 'four' } })
    expect(again.heard.filter(({ event }) => event === 'new-message')).toHaveLength(1)
  })
})

describe('Database Testing', () => {
  test('user_chat_preferences table created successfully', async () => {
    const columns = await query(
      `select column_name, data_type from information_schema.columns
       where table_schema = 'public' and table_name = 'user_chat_preferences'`,
    )
    const types = Object.fromEntries(columns.map(({ column_name, data_type }) => [column_name, data_type]))
    expect(types).toMatchObject({
      user_id: 'uuid',
      room_id: 'uuid',
      is_archived: 'boolean',
      archived_at: 'timestamp with time zone',
      messages_cleared_at: 'timestamp with time zone',
      is_deleted: 'boolean',
      deleted_at: 'timestamp with time zone',
      last_read_message_id: 'uuid',
      last_read_at: 'timestamp with time zone',
      manually_marked_unread: 'boolean',
      is_muted: 'boolean',
      muted_until: 'timestamp with time zone',
      created_at: 'timestamp with time zone',
      updated_at: 'timestamp with time zone',
    })
    const { a, room } = await chat()
    const again = query('insert into public.user_chat_preferences (user_id, room_id) values ($1, $2)', [a.id, room])
    await expect(again).rejects.toMatchObject({ code: '23505' })
  })

  test('calculate_unread_count() function works correctly', async () => {
    const { a, b, room } = await chat()
    const unread = async (who: Person) => {
      const { data } = await who.client
        .rpc('calculate_unread_count', { p_user_id: who.id, p_room_id: room })
        .throwOnError()
      return data
    }
    const [, second] = [await send(a, room, '1'), await send(a, room, '2'), await send(b, room, 'mine')]
    const last = await send(a, room, '3')
    expect([await unread(a), await unread(b)]).toEqual([1, 3])
    await b.client.rpc('mark_read', { p_room_id: room, p_message_id: second.message_id }).throwOnError()
    expect(await unread(b)).toBe(1)
    await a.client.rpc('delete_message', { p_message_id: last.message_id }).throwOnError()
    expect(await unread(b)).toBe(0)
    await b.client.rpc('mark_unread', { p_room_id: room }).throwOnError()
    expect(await unread(b)).toBe(1)
    await b.client.rpc('clear_chat', { p_room_id: room }).throwOnError()
    expect(await unread(b)).toBe(0)
  })

  // By what they begin with: a page goes by `seq` in place of the time, and nobody asks what was forwarded from where.
  test('Indexes created for performance', async () => {
    const indexes = await query(
      `select tablename || ' ' || indexdef as index from pg_indexes where schemaname = 'public'`,
    )
    const found = indexes.map(({ index }) => index)
    for (const wanted of [
      /^user_chat_preferences .*UNIQUE.*\(user_id, room_id\)/,
      /^chat_messages .*\(room_id, seq/,
      /^chat_messages .*\(sender_id/,
      /^chat_messages .*\(room_id, .*WHERE .*is_deleted/,
      /^user_encryption_keys .*\(user_id/,
      /^key_verifications .*\(verifier_user_id, verified_user_id/,
    ]) {
      expect(found).toContainEqual(expect.stringMatching(wanted))
    }
  })

  test('Foreign key constraints working', async () => {
    const { a, b } = await chat()
    const nowhere = query(
      'insert into public.user_chat_preferences (user_id, room_id) values ($1, gen_random_uuid())',
      [a.id],
    )
    await expect(nowhere).rejects.toMatchObject({ code: '23503' })
    const published = query(
      `insert into public.user_encryption_keys (user_id, device_id, key_id, public_key, fingerprint)
       values (gen_random_uuid(), 'phone', 'key', 'pem', $1)`,
      ['0'.repeat(64)],
    )
    await expect(published).rejects.toMatchObject({ code: '23503' })
    const verified = query(
      `insert into public.key_verifications (verifier_user_id, verified_user_id, key_id)
       values ($1, gen_random_uuid(), 'key')`,
      [b.id],
    )
    await expect(verified).rejects.toMatchObject({ code: '23503' })
  })

  test('Soft delete preserves data correctly', async () => {
    const { a, b, room } = await chat()
    const { message_id } = await send(a, room, 'Hello!')
    await a.client.rpc('delete_message', { p_message_id: message_id }).throwOnError()
    const [deleted] = await query('select is_deleted, sender_id, room_id from public.chat_messages where id = $1', [
      message_id,
    ])
    expect(deleted).toEqual({ is_deleted: true, sender_id: a.id, room_id: room })
    await a.client.rpc('undo_delete_message', { p_message_id: message_id }).throwOnError()
    expect(await contentsFor(b, room)).toEqual(['Hello!'])
    await call(a, 'DELETE', `/api/chat/rooms/${room}`)
    const [mine] = await query(
      'select is_deleted, deleted_at is not null as dated from public.user_chat_preferences where user_id = $1 and room_id = $2',
      [a.id, room],
    )
    expect(mine).toEqual({ is_deleted: true, dated: true })
    expect(await contentsFor(b, room)).toEqual(['Hello!'])
  })
})

describe('Integration Testing', () => {
  test('User A deletes chat → User B still sees it (personal chat)', async () => {
    const { a, b, room } = await chat()
    await send(a, room, 'Hello!')
    const [herself, himself] = [await connect(a), await connect(b)]
    await call(a, 'DELETE', `/api/chat/rooms/${room}`)
    expect(await herself.next('room-deleted')).toEqual({
      room_id: room,
      deleted_by: a.id,
      deleted_at: expect.any(String),
    })
    expect(await listedRoom(a, room)).toBeUndefined()
    expect(await listedRoom(b, room)).toMatchObject({ last_message: { content: 'Hello!' } })
    await send(a, room, 'again')
    await himself.next('new-message')
    expect(himself.heard.map(({ event }) => event)).not.toContain('room-deleted')
    expect(await contentsFor(b, room)).toEqual(['again', 'Hello!'])
  })

  test('User A clears messages → User B still sees them', async () => {
    const { a, b, room } = await chat()
    await send(a, room, 'Hello!')
    await call(a, 'DELETE', `/api/chat/rooms/${room}/messages`)
    expect([await contentsFor(a, room), await contentsFor(b, room)]).toEqual([[], ['Hello!']])

    const theirs = await listen(b, `room:${room}`)
    await call(a, 'DELETE', `/api/chat/rooms/${room}/messages?for_everyone=true`)
    expect(await theirs.next('room-messages-cleared')).toEqual({
      room_id: room,
      cleared_by: a.id,
      cleared_at: expect.any(String),
    })
    expect(await contentsFor(b, room)).toEqual([])
  })

  test('User A archives chat → Only hidden for User A', async () => {
    const { a, b, room } = await chat()
    const herself = await connect(a)
    await call(a, 'PUT', `/api/chat/rooms/${room}/archive`, { is_archived: true })
    expect(await herself.next('room-archived')).toEqual({
      room_id: room,
      is_archived: true,
      archived_at: expect.any(String),
    })
    expect([await listedRoom(a, room), await listedRoom(b, room)]).toMatchObject([undefined, { is_archived: false }])
  })

  test('User A sends message while User B offline → User B receives on reconnect', async () => {
    const { a, b, room } = await chat()
    await send(a, room, 'while you were away')
    await connect(b)
    expect(await missedBy(b)).toMatchObject({ messages: [{ content: 'while you were away' }] })
  })

  test('User A marks as seen → User B sees "seen" status update', async () => {
    const { a, b, room } = await chat()
    const { message_id } = await send(b, room, 'Hello!')
    const his = await listen(b, `room:${room}`)
    await call(a, 'PUT', `/api/chat/rooms/${room}/read-status`, { is_read: true, last_read_message_id: message_id })
    expect(await his.next('messages-seen')).toMatchObject({ room_id: room, seen_by: { user_id: a.id, user_name: 'A' } })
    const { body } = await call(b, 'GET', `/api/chat/rooms/${room}/messages`)
    expect(body.data.messages).toMatchObject([{ id: message_id, is_read: true }])
  })

  test('User A forwards message → Appears in target rooms correctly', async () => {
    const { a, b, room } = await chat()
    const [c] = (await signUpAll('C')) as [Person]
    const target = await chatOf(a, c)
    const { message_id } = await send(b, room, 'Hello!')
    const theirs = await connect(c)
    await call(a, 'POST', `/api/chat/messages/${message_id}/forward`, { target_room_ids: [target] })
    expect(await theirs.next('new-message')).toMatchObject({
      room_id: target,
      message: { content: 'Hello!', sender: { id: a.id }, forwarded_from: message_id },
    })
    expect(await contentsFor(c, target)).toEqual(['Hello!'])
  })
})
