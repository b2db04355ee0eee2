import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { openSocket } from '../support/compat.ts'
import { type Person, signUp } from '../support/people.ts'
import { type Answer, call, expectDescribed, tokenOf } from './http.ts'

/** The messaging document itself: its curl examples, its upload in three steps, and its acceptance checks. */

const base = '/api/messaging'
const photo = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
)

describe('its examples', () => {
  let [userA, userB]: Person[] = []
  let conversation: string
  let token: string

  beforeAll(async () => {
    ;[userA, userB] = await Promise.all([signUp('UserA'), signUp('UserB')])
    token = await tokenOf(userA as Person)
    const { body } = await call(userB, 'POST', `${base}/start-conversation/`, { receiver_id: userA?.id })
    conversation = body.conversation.id
    const rows = Array.from({ length: 21 }, (_, n) => ({ room_id: conversation, content: `Hello ${n + 1}` }))
    await userB?.client.from('chat_messages').insert(rows).throwOnError()
  })

  /** Runs a line of shell as the document has it, but for its address, its token and its ids. */
  async function curl(command: string): Promise<Answer> {
    const line = command
      .replaceAll('http://localhost:8000', `${inject('stack').url}/functions/v1`)
      .replaceAll('YOUR_AUTH_TOKEN', token)
    const script = `${line.trimEnd()} -sS -w '\\n%{http_code}'`
    const { stdout } = await promisify(execFile)('sh', ['-c', script])
    const [, json = '', status] = /^([\s\S]*)\n(\d+)$/.exec(stdout) ?? []
    const answer = { status: Number(status), body: JSON.parse(json), headers: new Headers() }
    const [, method, path = ''] = /-X (\w+) "?http:\/\/localhost:8000([^\s"]+)/.exec(command) ?? []
    await expectDescribed(method as 'GET', path, answer)
    return answer
  }

  test('A. List User’s Conversations', async () => {
    const answer = await curl(String.raw`
    curl -X GET http://localhost:8000/api/messaging/conversations/ \
         -H "Authorization: Token YOUR_AUTH_TOKEN"
    `)
    expect(answer).toMatchObject({
      status: 200,
      body: {
        success: true,
        conversations: [
          {
            id: conversation,
            title: 'UserB',
            participants: [{ id: userA?.id }, { id: userB?.id }],
            last_message: { content: 'Hello 21', sender_id: userB?.id, created_at: expect.any(String) },
            unread_count: 21,
          },
        ],
      },
    })
  })

  test('B. Start a New Conversation', async () => {
    const receiver = await signUp('UserC')
    const answer = await curl(String.raw`
    curl -X POST http://localhost:8000/api/messaging/start-conversation/ \
         -H "Authorization: Token YOUR_AUTH_TOKEN" \
         -H "Content-Type: application/json" \
         -d '{"receiver_id": "${receiver.id}", "message": "Hi, is this product still available?", "product_id": 123}'
    `)
    expect(answer).toMatchObject({
      status: 200,
      body: {
        success: true,
        message: 'Conversation started successfully',
        conversation: {
          title: 'UserC',
          participants: [{ id: userA?.id }, { id: receiver.id }],
          related_product: 123,
          last_message: { content: 'Hi, is this product still available?' },
        },
      },
    })
  })

  test('C. Get Conversation Details & Messages', async () => {
    const path = `${base}/conversations/${conversation}/`
    const answer = await curl(String.raw`
    curl -X GET "http://localhost:8000/api/messaging/conversations/${conversation}/?page=1" \
         -H "Authorization: Token YOUR_AUTH_TOKEN"
    `)
    expect(answer).toMatchObject({
      status: 200,
      body: {
        count: 21,
        next: expect.stringContaining(`${inject('stack').url}/functions/v1${path}?page=2`),
        previous: null,
        success: true,
        conversation: { id: conversation, title: 'UserB' },
      },
    })
    expect(answer.body.messages).toHaveLength(20)
    expect(answer.body.messages[0]).toMatchObject({
      sender: { id: userB?.id, first_name: 'UserB' },
      content: 'Hello 21',
      is_edited: false,
      reactions: [],
    })
  })

  test('D. Send a Message', async () => {
    const answer = await curl(String.raw`
    curl -X POST http://localhost:8000/api/messaging/conversations/${conversation}/messages/ \
         -H "Authorization: Token YOUR_AUTH_TOKEN" \
         -H "Content-Type: application/json" \
         -d '{"content": "This is a new message"}'
    `)
    expect(answer).toMatchObject({
      status: 201,
      body: {
        success: true,
        message: { sender: { id: userA?.id }, content: 'This is a new message', message_type: 'text' },
      },
    })
  })

  test('E. Mark Messages as Read', async () => {
    const answer = await curl(String.raw`
    curl -X POST http://localhost:8000/api/messaging/conversations/${conversation}/read/ \
         -H "Authorization: Token YOUR_AUTH_TOKEN" \
         -H "Content-Type: application/json" \
         -d ''
    `)
    expect(answer).toMatchObject({ status: 200, body: { success: true, message: 'Marked 21 messages as read' } })
  })

  test('F. React to a Message', async () => {
    const { body } = await call(userA, 'GET', `${base}/conversations/${conversation}/`)
    const react = () =>
      curl(String.raw`
    curl -X POST http://localhost:8000/api/messaging/messages/${body.messages[0].id}/react/ \
         -H "Authorization: Token YOUR_AUTH_TOKEN" \
         -H "Content-Type: application/json" \
         -d '{"reaction_type": "👍"}'
    `)
    expect(await react()).toMatchObject({
      status: 200,
      body: { success: true, message: 'Reaction added', reacted: true, reaction_type: '👍' },
    })
    expect((await react()).body).toMatchObject({ message: 'Reaction removed', reacted: false })
  })

  test('4. Pre-signed URL File Flow', async () => {
    const asked = await curl(String.raw`
    curl -X POST http://localhost:8000/api/messaging/generate-upload-url/ \
         -H "Authorization: Token YOUR_AUTH_TOKEN" \
         -H "Content-Type: application/json" \
         -d '{"filename": "my-cool-photo.jpg", "filetype": "image/jpeg"}'
    `)
    expect(asked).toMatchObject({
      status: 200,
      body: { success: true, upload_url: expect.any(String), file_key: expect.stringContaining('my-cool-photo') },
    })
    const { upload_url, file_key } = asked.body
    const [filetype, file] = ['image/jpeg', new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 16, ...Buffer.from('JFIF\0')])]

    const response = await fetch(upload_url, {
      method: 'PUT',
      headers: {
        'Content-Type': filetype,
      },
      body: file,
    })
    expect(response.ok).toBe(true)

    const sent = await curl(String.raw`
    curl -X POST http://localhost:8000/api/messaging/conversations/${conversation}/messages/ \
         -H "Authorization: Token YOUR_AUTH_TOKEN" \
         -H "Content-Type: application/json" \
         -d '{"content": "${file_key}", "message_type": "image"}'
    `)
    expect(sent).toMatchObject({
      status: 201,
      body: { success: true, message: { sender: { id: userA?.id }, content: file_key, message_type: 'image' } },
    })
  })
})

describe('5. QA Acceptance Checks', () => {
  let me: Person
  let other: Person
  let stranger: Person
  let conversation: string
  let hers: Awaited<ReturnType<typeof openSocket>>
  let theirs: Awaited<ReturnType<typeof openSocket>>

  beforeAll(async () => {
    ;[me, other, stranger] = await Promise.all([signUp('Me'), signUp('Other'), signUp('Stranger')])
    const { body } = await call(me, 'POST', `${base}/start-conversation/`, { receiver_id: other.id })
    conversation = body.conversation.id
    ;[hers, theirs] = await Promise.all([openSocket(me), openSocket(other)])
  })
  afterAll(() => {
    for (const { socket } of [hers, theirs]) socket.close()
  })

  const send = async (content: string, from = me): Promise<string> =>
    (await call(from, 'POST', `${base}/conversations/${conversation}/messages/`, { content })).body.message.id
  const shown = async () => (await call(me, 'GET', `${base}/conversations/${conversation}/`)).body.messages
  const react = (message: string, reaction_type: string) =>
    call(me, 'POST', `${base}/messages/${message}/react/`, { reaction_type })
  const upload = async () => {
    const asked = { filename: 'photo.png', filetype: 'image/png' }
    const { status, body } = await call(me, 'POST', `${base}/generate-upload-url/`, asked)
    const put = () => fetch(body.upload_url, { method: 'PUT', headers: { 'Content-Type': 'image/png' }, body: photo })
    return { status, put, file_key: body.file_key as string, upload_url: body.upload_url as string }
  }

  describe('Authentication & Authorization', () => {
    test('User **cannot** access any messaging endpoint without a valid `Authorization` header (expect 401 Unauthorized).', async () => {
      const message = await send('secret')
      const endpoints = [
        ['GET', 'conversations/'],
        ['POST', 'start-conversation/', { receiver_id: other.id }],
        ['GET', `conversations/${conversation}/`],
        ['POST', `conversations/${conversation}/messages/`, { content: 'Hello' }],
        ['POST', `conversations/${conversation}/read/`],
        ['PUT', `messages/${message}/`, { content: 'Hello' }],
        ['DELETE', `messages/${message}/`],
        ['POST', `messages/${message}/react/`, { reaction_type: '👍' }],
        ['POST', 'generate-upload-url/', { filename: 'a.png', filetype: 'image/png' }],
      ] as const
      const token = await tokenOf(me)
      const headers = [token, `Token ${token.slice(0, -4)}AAAA`, `Basic ${token}`].map((authorization) => ({
        authorization,
      }))
      for (const [method, path, body] of endpoints) {
        const ask = (header: Record<string, string>) => call(undefined, method, `${base}/${path}`, body, header)
        for (const answer of await Promise.all([{}, ...headers].map(ask))) {
          expect(answer).toMatchObject({ status: 401, body: { success: false, error: 'not_signed_in' } })
        }
      }
      expect(await shown()).toMatchObject([{ id: message, content: 'secret', reactions: [] }])
      expect((await call(me, 'GET', `${base}/conversations/`)).status).toBe(200)
    })

    test('User **cannot** get messages for a conversation they are not a participant in (expect 404 Not Found).', async () => {
      const path = `${base}/conversations/${conversation}/`
      expect((await call(stranger, 'GET', path)).status).toBe(404)
      expect((await call(other, 'GET', path)).status).toBe(200)
    })

    test('User **cannot** send messages to a conversation they are not a participant in (expect 404 Not Found).', async () => {
      const path = `${base}/conversations/${conversation}/messages/`
      expect((await call(stranger, 'POST', path, { content: 'let me in' })).status).toBe(404)
      expect((await call(other, 'POST', path, { content: 'here' })).status).toBe(201)
      expect(JSON.stringify(await shown())).not.toContain('let me in')
    })

    test('User **cannot** edit or delete a message sent by *another* user (expect 404 Not Found).', async () => {
      const path = `${base}/messages/${await send('mine')}/`
      for (const person of [other, stranger]) {
        expect((await call(person, 'PUT', path, { content: 'theirs' })).status).toBe(404)
        expect((await call(person, 'DELETE', path)).status).toBe(404)
      }
      expect((await shown())[0]).toMatchObject({ content: 'mine', is_edited: false })
      expect((await call(me, 'DELETE', path)).status).toBe(200)
    })
  })

  describe('Conversation Management', () => {
    test('`GET /conversations/` correctly lists all conversations for the logged-in user.', async () => {
      const [seller, buyer] = await Promise.all([signUp('Seller'), signUp('Buyer')])
      const ids: string[] = []
      for (const person of [buyer, me]) {
        const { body } = await call(person, 'POST', `${base}/start-conversation/`, { receiver_id: seller.id })
        ids.unshift(body.conversation.id)
      }
      const list = async (person: Person) => {
        const { body } = await call(person, 'GET', `${base}/conversations/`)
        return body.conversations.map(({ id }: { id: string }) => id)
      }
      expect(await list(seller)).toEqual(ids)
      expect(await list(buyer)).toEqual([ids[1]])
      // This front end has no archive, and so nothing may vanish into one.
      await seller.client.rpc('archive_chat', { p_room_id: ids[0] as string }).throwOnError()
      expect((await list(seller)).toSorted()).toEqual(ids.toSorted())
    })

    test('`POST /start-conversation/` (with a new `receiver_id`) successfully creates a new conversation and adds both users as participants.', async () => {
      const receiver = await signUp('Receiver')
      const { body } = await call(me, 'POST', `${base}/start-conversation/`, { receiver_id: receiver.id })
      const participants = body.conversation.participants.map(({ id }: { id: string }) => id)
      expect(participants.toSorted()).toEqual([me.id, receiver.id].toSorted())
      expect((await call(receiver, 'GET', `${base}/conversations/${body.conversation.id}/`)).status).toBe(200)
    })

    test('`POST /start-conversation/` (with an *existing* `receiver_id`) does *not* create a new conversation, but returns the existing one.', async () => {
      const start = (from: Person, to: Person) =>
        call(from, 'POST', `${base}/start-conversation/`, { receiver_id: to.id })
      expect((await start(me, other)).body.conversation.id).toBe(conversation)
      expect((await start(other, me)).body.conversation.id).toBe(conversation)
      expect((await call(other, 'GET', `${base}/conversations/`)).body.conversations).toHaveLength(1)
    })

    test('`GET /conversations/<id>/` successfully returns paginated messages.', async () => {
      for (const content of ['one', 'two', 'three']) await send(content)
      const path = `${base}/conversations/${conversation}/?page_size=2`
      const { body } = await call(other, 'GET', path)
      expect(body.messages).toMatchObject([{ content: 'three' }, { content: 'two' }])
      const next = await call(other, 'GET', body.next.slice(body.next.indexOf('/api/')))
      expect(next.body.messages[0]).toMatchObject({ content: 'one' })
      expect(next.body.count).toBe(body.count)
    })
  })

  describe('Message Operations', () => {
    test('`POST /conversations/<id>/messages/` (text) successfully creates a message.', async () => {
      const id = await send('Hello')
      expect((await shown())[0]).toMatchObject({ id, content: 'Hello', message_type: 'text', sender: { id: me.id } })
    })

    test('The other participant(s) receive the new message via the WebSocket connection in real-time.', async () => {
      const id = await send('live')
      let told = await theirs.next('new_message')
      while (told.message.id !== id) told = await theirs.next('new_message')
      // What the socket shows is what the list shows.
      const { body } = await call(other, 'GET', `${base}/conversations/${conversation}/`)
      expect(told.message).toEqual(body.messages[0])
    })

    test('`PUT /messages/<id>/` (with `content`) updates the message text. The message object should now have `is_edited: true`.', async () => {
      const id = await send('Helo')
      const { body } = await call(me, 'PUT', `${base}/messages/${id}/`, { content: 'Hello' })
      expect(body.message).toMatchObject({ id, content: 'Hello', is_edited: true })
      expect((await shown())[0]).toEqual(body.message)
    })

    test('Other participants receive the `message_edited` WebSocket event.', async () => {
      expect(await theirs.next('message_edited')).toMatchObject({ message: { content: 'Hello', is_edited: true } })
    })

    test('`DELETE /messages/<id>/` soft-deletes the message (`is_deleted: true`). It should no longer appear in the main message list.', async () => {
      const id = await send('oops')
      const { body } = await call(me, 'DELETE', `${base}/messages/${id}/`)
      expect(body.message).toMatchObject({ id, is_deleted: true })
      expect((await shown()).map((message: { id: string }) => message.id)).not.toContain(id)
      const { data } = await me.client.from('chat_messages').select('is_deleted').eq('id', id).throwOnError()
      expect(data).toEqual([{ is_deleted: true }])
    })

    test('Other participants receive the `message_deleted` WebSocket event.', async () => {
      const id = await send('oops again')
      await call(me, 'DELETE', `${base}/messages/${id}/`)
      let told = await theirs.next('message_deleted')
      while (told.message_id !== id) told = await theirs.next('message_deleted')
      expect(told.conversation_id).toBe(conversation)
    })
  })

  describe('Features', () => {
    let message: string
    beforeAll(async () => {
      message = await send('How do you like it?', other)
    })
    const reactions = async () => (await shown())[0].reactions

    test('`POST /messages/<id>/react/` (with `reaction_type`) adds a reaction.', async () => {
      expect((await react(message, '👍')).body).toMatchObject({ message: 'Reaction added', reacted: true })
      expect(await reactions()).toEqual([{ emoji: '👍', count: 1, user_ids: [me.id] }])
    })

    test('`POST /messages/<id>/react/` (with *same* `reaction_type`) removes the reaction.', async () => {
      expect((await react(message, '👍')).body).toMatchObject({ message: 'Reaction removed', reacted: false })
      expect(await reactions()).toEqual([])
    })

    test('`POST /messages/<id>/react/` (with *different* `reaction_type`) updates the existing reaction.', async () => {
      await react(message, '👍')
      expect((await react(message, '🎉')).body).toMatchObject({ message: 'Reaction updated', reaction_type: '🎉' })
      expect(await reactions()).toEqual([{ emoji: '🎉', count: 1, user_ids: [me.id] }])
    })

    test('All participants receive the `reaction_updated` WebSocket event.', async () => {
      for (const { next } of [hers, theirs]) {
        const states: string[] = []
        while (states.at(-1) !== '🎉') {
          const { reaction } = await next('reaction_updated')
          expect(reaction).toMatchObject({ message_id: message, conversation_id: conversation, user_id: me.id })
          states.push(reaction.reactions.map(({ emoji }: { emoji: string }) => emoji).join())
        }
        expect(states).toEqual(['👍', '', '👍', '', '🎉'])
      }
    })

    test('`POST /conversations/<id>/read/` successfully creates `MessageRead` objects in the database for unread messages.', async () => {
      const ids = [await send('one', other), await send('two', other)]
      const { body } = await call(me, 'POST', `${base}/conversations/${conversation}/read/`)
      expect(body.message).toMatch(/^Marked [1-9]\d* messages as read$/)
      const { data } = await other.client.from('message_reads').select('message_id, user_id').in('message_id', ids)
      expect(data?.toSorted((a, b) => ids.indexOf(a.message_id ?? '') - ids.indexOf(b.message_id ?? ''))).toEqual(
        ids.map((message_id) => ({ message_id, user_id: me.id })),
      )
      expect(await theirs.next('read_receipt')).toMatchObject({
        read_receipt: { conversation_id: conversation, message_id: ids[1], user_id: me.id, user_name: 'Me' },
      })
    })
  })

  describe('File Flow', () => {
    test('`POST /generate-upload-url/` successfully returns a valid S3 `upload_url` and a `file_key`.', async () => {
      const { status, upload_url, file_key } = await upload()
      expect({ status, isUrl: URL.canParse(upload_url), file_key }).toEqual({
        status: 200,
        isUrl: true,
        file_key: expect.stringMatching(/photo\.png$/),
      })
    })

    test('(Manual Test) A file can be successfully `PUT` to the `upload_url`.', async () => {
      const { put } = await upload()
      expect((await put()).status).toBe(200)
      expect((await put()).ok).toBe(false)
    })

    test("`POST /conversations/<id>/messages/` (with `message_type: 'image'` and `content: file_key`) successfully creates the file message.", async () => {
      const { put, file_key } = await upload()
      await put()
      const path = `${base}/conversations/${conversation}/messages/`
      const { status, body } = await call(me, 'POST', path, { content: file_key, message_type: 'image' })
      expect(status).toBe(201)
      expect(body.message).toMatchObject({ content: file_key, message_type: 'image' })
      expect((await shown())[0]).toMatchObject({ id: body.message.id, attachments: [{ mime_type: 'image/png' }] })
    })

    test('Other participants receive the new file message via the WebSocket.', async () => {
      let told = await theirs.next('new_message')
      while (told.message.message_type !== 'image') told = await theirs.next('new_message')
      const { content, attachments } = told.message
      expect(content).toMatch(/photo\.png$/)
      const bytes = await (await fetch(attachments[0].url)).arrayBuffer()
      expect(Buffer.from(bytes).equals(photo)).toBe(true)
    })
  })
})
