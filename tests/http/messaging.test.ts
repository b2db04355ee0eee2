import { expect, inject, test } from 'vitest'
import { type Person, signUp } from '../support/people.ts'
import { call } from './http.ts'

/** The contract's rows, and the document's own curl examples. Its acceptance checks: messaging.checks.test.ts. */

const base = '/api/messaging'

async function conversationOf(from: Person, to: Person, message?: string): Promise<string> {
  const { body } = await call(from, 'POST', `${base}/start-conversation/`, { receiver_id: to.id, message })
  return body.conversation.id
}

async function send(from: Person, conversation: string, content: string): Promise<string> {
  const { body } = await call(from, 'POST', `${base}/conversations/${conversation}/messages/`, { content })
  return body.message.id
}

/** Uploads a file as the document says, and answers its key. */
async function upload(
  from: Person,
  bytes: Uint8Array<ArrayBuffer>,
  filename: string,
  filetype: string,
): Promise<string> {
  const { body } = await call(from, 'POST', `${base}/generate-upload-url/`, { filename, filetype })
  const response = await fetch(body.upload_url, { method: 'PUT', headers: { 'Content-Type': filetype }, body: bytes })
  expect(response.ok).toBe(true)
  return body.file_key
}

const photo = Uint8Array.from(
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
    'base64',
  ),
)

const nothing = { status: 404, body: { success: false, error: 'not_found' } }

test('messaging.auth: what is not mine is answered like what does not exist', async () => {
  const [ana, ben, eve] = await Promise.all([signUp('Ana'), signUp('Ben'), signUp('Eve')])
  const conversation = await conversationOf(ana, ben)
  const message = await send(ana, conversation, 'Hello')
  const calls = [
    ['GET', 'conversations/ID/', undefined, conversation],
    ['POST', 'conversations/ID/messages/', { content: 'Hello' }, conversation],
    ['POST', 'conversations/ID/read/', undefined, conversation],
    ['PUT', 'messages/ID/', { content: 'Bye' }, message],
    ['DELETE', 'messages/ID/', undefined, message],
    ['POST', 'messages/ID/react/', { reaction_type: '👍' }, message],
  ] as const
  for (const [method, path, body, id] of calls) {
    const ask = (one: string) => call(eve, method, `${base}/${path.replace('ID', one)}`, body)
    const [theirs, unknown, malformed] = await Promise.all([id, crypto.randomUUID(), '1'].map(ask))
    expect(theirs).toMatchObject(nothing)
    expect(theirs?.body).toEqual(unknown?.body)
    expect(malformed?.status).toBe(404)
  }
  // Ben may read it, and yet it is not his to change.
  expect(await call(ben, 'PUT', `${base}/messages/${message}/`, { content: 'Bye' })).toMatchObject(nothing)
  expect(await call(ben, 'DELETE', `${base}/messages/${message}/`)).toMatchObject(nothing)
  const { body } = await call(ben, 'GET', `${base}/conversations/${conversation}/`)
  expect(body.messages).toMatchObject([{ content: 'Hello', is_edited: false, reactions: [] }])
})

test('messaging.list: newest first, by the name of the other, with the last message and what is unread', async () => {
  const [ana, ben, eve] = await Promise.all([signUp('Ana'), signUp('Ben'), signUp('Eve')])
  const [withBen, withEve] = [await conversationOf(ana, ben, 'Hello'), await conversationOf(ana, eve)]
  expect(await call(ana, 'GET', `${base}/conversations/`)).toMatchObject({
    status: 200,
    body: { success: true, conversations: [{ id: withEve, title: 'Eve', last_message: null }, { id: withBen }] },
  })
  await send(ben, withBen, 'Hello again')
  const { body } = await call(ana, 'GET', `${base}/conversations/`)
  expect(body.conversations).toEqual([
    {
      id: withBen,
      title: 'Ben',
      participants: [
        expect.objectContaining({ id: ana.id }),
        expect.objectContaining({ id: ben.id, first_name: 'Ben' }),
      ],
      last_message: { content: 'Hello again', sender_id: ben.id, created_at: expect.stringMatching(/Z$/) },
      unread_count: 1,
    },
    expect.objectContaining({ id: withEve }),
  ])
})

test('messaging.start: once for a pair, also when both start at the same moment', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const start = (from: Person, to: Person, more: object = {}) =>
    call(from, 'POST', `${base}/start-conversation/`, { receiver_id: to.id, ...more })
  const [hers, his] = await Promise.all([start(ana, ben, { product_id: 123 }), start(ben, ana, { product_id: 123 })])
  expect(hers).toMatchObject({
    status: 200,
    body: { success: true, message: 'Conversation started successfully', conversation: { related_product: 123 } },
  })
  expect(his.body.conversation.id).toBe(hers.body.conversation.id)

  const again = await start(ana, ben, { message: 'Hi, is this product still available?' })
  expect(again.body.conversation).toMatchObject({
    id: hers.body.conversation.id,
    title: 'Ben',
    last_message: { content: 'Hi, is this product still available?', sender_id: ana.id },
  })
  expect(await start(ana, ana)).toMatchObject({ status: 400, body: { error: 'chat_with_oneself' } })
  expect(await start(ana, { ...ben, id: crypto.randomUUID() })).toMatchObject({
    status: 404,
    body: { error: 'user_not_found' },
  })
  const eve = await signUp('Eve')
  expect((await start(ana, eve, { product_id: 'chair-7', message: '' })).body.conversation).toMatchObject({
    related_product: 'chair-7',
    last_message: null,
  })
})

test('messaging.detail: pages by number; deleted messages are absent, and not counted', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const conversation = await conversationOf(ana, ben)
  const ids: string[] = []
  for (let n = 1; n <= 6; n++) ids.push(await send(ana, conversation, `message ${n}`))
  await call(ana, 'DELETE', `${base}/messages/${ids[2]}/`)

  const path = `${base}/conversations/${conversation}/`
  const first = await call(ben, 'GET', `${path}?page=1&page_size=2`)
  expect(first).toMatchObject({
    status: 200,
    body: { count: 5, previous: null, success: true, conversation: { id: conversation, title: 'Ana' } },
  })
  // What arrives during the walk shifts nothing.
  await send(ana, conversation, 'message 7')
  const contents: string[] = []
  const door = `${inject('stack').url}/functions/v1`
  for (let answer = first; ; ) {
    contents.push(...answer.body.messages.map(({ content }: { content: string }) => content))
    if (!answer.body.next) break
    expect(answer.body.next.startsWith(`${door}${path}?page=`)).toBe(true)
    answer = await call(ben, 'GET', answer.body.next.slice(door.length))
  }
  expect(contents).toEqual(['message 6', 'message 5', 'message 4', 'message 2', 'message 1'])
  const second = await call(ben, 'GET', first.body.next.slice(door.length))
  const back = await call(ben, 'GET', second.body.previous.slice(door.length))
  expect(back.body.messages).toEqual(first.body.messages)
  expect(await call(ben, 'GET', `${path}?page=0`)).toMatchObject({ status: 400, body: { error: 'invalid_input' } })
})

test('messaging.send: 201, once for a temp_id', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const path = `${base}/conversations/${await conversationOf(ana, ben)}/messages/`
  const first = await call(ana, 'POST', path, { content: 'Hello', temp_id: 'local-1' })
  expect(first).toMatchObject({
    status: 201,
    body: {
      success: true,
      message: { sender: { id: ana.id, first_name: 'Ana' }, content: 'Hello', message_type: 'text', is_edited: false },
    },
  })
  expect((await call(ana, 'POST', path, { content: 'Hello', temp_id: 'local-1' })).body).toEqual(first.body)
  expect(await call(ana, 'POST', path, { content: 'Other', temp_id: 'local-1' })).toMatchObject({ status: 409 })
  expect(await call(ana, 'POST', path, {})).toMatchObject({
    status: 400,
    body: { fields: { content: expect.any(String) } },
  })
  expect(await call(ana, 'POST', path, { content: '' })).toMatchObject({
    status: 400,
    body: { error: 'content_required' },
  })
  expect(await call(ana, 'POST', path, { content: 'Hi', message_type: 'hologram' })).toMatchObject({
    status: 400,
    body: { error: 'unknown_message_type' },
  })
})

test('messaging.edit, messaging.delete', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const conversation = await conversationOf(ana, ben)
  const message = await send(ana, conversation, 'Helo')
  expect(await call(ana, 'PUT', `${base}/messages/${message}/`, { content: 'Hello' })).toMatchObject({
    status: 200,
    body: { success: true, message: { id: message, content: 'Hello', is_edited: true } },
  })
  expect(await call(ana, 'DELETE', `${base}/messages/${message}/`)).toMatchObject({
    status: 200,
    body: { success: true, message: { id: message, is_deleted: true } },
  })
  const { body } = await call(ben, 'GET', `${base}/conversations/${conversation}/`)
  expect(body).toMatchObject({ count: 0, messages: [] })
})

test('messaging.read: tells how many, and only of others', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const conversation = await conversationOf(ana, ben)
  for (const content of ['one', 'two', 'three']) await send(ana, conversation, content)
  const last = await send(ben, conversation, 'mine')
  const read = () => call(ben, 'POST', `${base}/conversations/${conversation}/read/`)
  expect(await read()).toMatchObject({ status: 200, body: { success: true, message: 'Marked 3 messages as read' } })
  expect((await read()).body.message).toBe('Marked 0 messages as read')
  const { data } = await ana.client.from('message_reads').select('message_id, user_id').eq('room_id', conversation)
  expect(data).toHaveLength(3)
  expect(data?.every(({ user_id, message_id }) => user_id === ben.id && message_id !== last)).toBe(true)
})

test('messaging.react: added, updated, removed; one a person', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const conversation = await conversationOf(ana, ben)
  const message = await send(ana, conversation, 'Hello')
  const react = (reaction_type: string) => call(ben, 'POST', `${base}/messages/${message}/react/`, { reaction_type })
  const shown = async () =>
    (await call(ana, 'GET', `${base}/conversations/${conversation}/`)).body.messages[0].reactions
  expect(await react('👍')).toMatchObject({
    status: 200,
    body: { success: true, message: 'Reaction added', reacted: true, reaction_type: '👍' },
  })
  expect((await react('❤️')).body).toMatchObject({ message: 'Reaction updated', reacted: true, reaction_type: '❤️' })
  expect(await shown()).toEqual([{ emoji: '❤️', count: 1, user_ids: [ben.id] }])
  expect((await react('❤️')).body).toMatchObject({ message: 'Reaction removed', reacted: false })
  expect(await shown()).toEqual([])
  expect(await react('like')).toMatchObject({ status: 400, body: { error: 'not_an_emoji' } })
})

test('messaging.upload: a plain PUT, once; the key is sent once, by its owner, and as what it is', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const conversation = await conversationOf(ana, ben)
  const path = `${base}/conversations/${conversation}/messages/`
  const asked = { filename: 'my-cool-photo.png', filetype: 'image/png' }
  const { status, body } = await call(ana, 'POST', `${base}/generate-upload-url/`, asked)
  expect({ status, body }).toMatchObject({
    status: 200,
    body: { success: true, file_key: expect.stringContaining('my-cool-photo') },
  })
  const put = () => fetch(body.upload_url, { method: 'PUT', headers: { 'Content-Type': 'image/png' }, body: photo })
  const image = { content: body.file_key, message_type: 'image' }
  expect(await call(ana, 'POST', path, image)).toMatchObject({
    status: 409,
    body: { error: 'attachment_not_verified' },
  })
  expect((await put()).ok).toBe(true)
  expect((await put()).ok).toBe(false)

  expect(await call(ben, 'POST', path, image)).toMatchObject({ status: 404, body: { error: 'attachment_not_found' } })
  const sent = await call(ana, 'POST', path, image)
  expect(sent).toMatchObject({
    status: 201,
    body: {
      message: { content: body.file_key, message_type: 'image', attachments: [{ file_name: 'my-cool-photo.png' }] },
    },
  })
  expect(await call(ana, 'POST', path, image)).toMatchObject({ status: 409, body: { error: 'attachment_used' } })
  expect(await call(ben, 'POST', path, image)).toMatchObject({ status: 404, body: { error: 'attachment_not_found' } })

  // Ben's own link leads to the same bytes.
  const shown = (await call(ben, 'GET', `${base}/conversations/${conversation}/`)).body.messages[0]
  expect(shown.content).toBe(body.file_key)
  expect(new Uint8Array(await (await fetch(shown.attachments[0].url)).arrayBuffer())).toEqual(photo)
  expect((await call(ben, 'GET', `${base}/conversations/`)).body.conversations[0].last_message.content).toBe(
    body.file_key,
  )

  const program = { filename: 'page.html', filetype: 'text/html' }
  expect(await call(ana, 'POST', `${base}/generate-upload-url/`, program)).toMatchObject({
    status: 400,
    body: { error: 'files_refused', refused: [{ file_name: 'page.html', error: 'file_type_not_allowed' }] },
  })
  // It is no picture, whatever was said.
  const disguised = await upload(ana, new TextEncoder().encode('<script></script>'), 'x.png', 'image/png')
  expect(await call(ana, 'POST', path, { content: disguised, message_type: 'image' })).toMatchObject({
    status: 400,
    body: { error: 'files_refused' },
  })
})
