import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { listen } from '../support/channels.ts'
import { sandbox } from '../support/jobs.ts'
import { type Person, signUp } from '../support/people.ts'
import { bytesOf, checkIn, employ, formOf, type Hotel, openHotel, refused, upload } from './hotels.ts'
import { type Answer, call } from './http.ts'

/** The contract's rows. */

let hotel: Hotel
/** Where Ben works too. */
let other: Hotel
let base: string
let eve: Person

beforeAll(async () => {
  hotel = await openHotel()
  other = await openHotel()
  await employ(other, hotel.ben)
  base = `/api/staff-chat/${hotel.slug}`
  eve = await signUp('Eve')
})

/** A group of Ben's with Carla. */
async function group(title = 'Reception', ...others: Person[]): Promise<string> {
  const participant_ids = [hotel.carla, ...others].map(({ id }) => id)
  const { status, body } = await call(hotel.ben, 'POST', `${base}/conversations/`, { participant_ids, title })
  expect(status).toBe(201)
  return body.id
}

const at = (id: string, rest: string) => `${base}/conversations/${id}/${rest}`
const of = (id: string, rest: string) => `${base}/messages/${id}/${rest}`

async function send(from: Person, id: string, message: string, more: object = {}): Promise<string> {
  const { status, body } = await call(from, 'POST', at(id, 'send-message/'), { message, ...more })
  expect(status).toBe(201)
  return body.id
}

async function textsOf(who: Person, id: string): Promise<string[]> {
  const { body } = await call(who, 'GET', at(id, 'messages/'))
  return body.messages.map(({ message }: { message: string }) => message)
}

const titlesOf = ({ body }: Answer) =>
  body.conversations.map(({ title, type }: Record<string, string>) => title ?? type)

test('staff.conversations: one with a colleague, of which there is one, and groups', async () => {
  const start = (body: object, who = hotel.ben) => call(who, 'POST', `${base}/conversations/`, body)
  const direct = await start({ participant_ids: [hotel.carla.id], title: '' })
  expect(direct).toMatchObject({
    status: 201,
    body: { success: true, type: 'direct', is_group: false, name: 'Carla', last_message: null, unread_count: 0 },
  })
  expect((await start({ participant_ids: [hotel.ben.id] }, hotel.carla)).body.id).toBe(direct.body.id)

  const named = {
    participant_ids: [hotel.carla.id, hotel.manager.id],
    title: 'Reception',
    description: 'Keys and taxis',
    avatar_url: 'https://example.com/keys.png',
  }
  const made = await start(named)
  expect(made).toMatchObject({
    status: 201,
    body: {
      type: 'group',
      is_group: true,
      title: 'Reception',
      description: 'Keys and taxis',
      avatar_url: 'https://example.com/keys.png',
      organization_id: hotel.id,
      created_by: hotel.ben.id,
      member_count: 3,
      participants: [{ id: hotel.ben.id, role: 'owner' }, { role: 'member' }, { role: 'member' }],
    },
  })
  expect((await start(named)).body.id).not.toBe(made.body.id)
  expect((await start({ participant_ids: [hotel.carla.id], title: 'We two' })).body.type).toBe('group')

  expect(await start({ participant_ids: [eve.id] })).toMatchObject(refused(403, 'not_in_organization'))
  expect(await start({ participant_ids: [hotel.ben.id] })).toMatchObject(refused(400, 'chat_with_oneself'))
  expect(await start(named, eve)).toMatchObject(refused(403, 'not_in_organization'))
  expect(await start({ title: 'Nobody' })).toMatchObject({
    status: 400,
    body: { fields: { participant_ids: 'This is required.' } },
  })
  expect(await call(hotel.ben, 'POST', '/api/staff-chat/no-such-hotel/conversations/', named)).toMatchObject(
    refused(404, 'organization_not_found'),
  )
})

test('staff.conversations: the list, its filters and pages', async () => {
  const path = `/api/staff-chat/${other.slug}/conversations/`
  const start = async (title: string | undefined, ...others: Person[]) => {
    const body = { participant_ids: others.map(({ id }) => id), title }
    return (await call(other.ben, 'POST', path, body)).body.id as string
  }
  const list = (query = '', who = other.ben) => call(who, 'GET', path + query)
  await checkIn(other)
  const kitchen = await start('Kitchen', other.carla, other.manager)
  const reception = await start('Reception', other.carla)
  await start(undefined, other.manager)

  expect(await list()).toMatchObject({ status: 200, body: { success: true, count: 3, next: null, previous: null } })
  expect(titlesOf(await list())).toEqual(['direct', 'Reception', 'Kitchen'])
  await call(other.carla, 'POST', `${path}${kitchen}/send-message/`, { message: 'Dinner is served' })
  const newest = await list()
  expect(titlesOf(newest)).toEqual(['Kitchen', 'direct', 'Reception'])
  expect(newest.body.conversations[0]).toMatchObject({ unread_count: 1, last_message: { message: 'Dinner is served' } })

  expect(titlesOf(await list('?unread=true'))).toEqual(['Kitchen'])
  expect(titlesOf(await list('?type=direct'))).toEqual(['direct'])
  expect(titlesOf(await list('?type=group'))).toEqual(['Kitchen', 'Reception'])
  expect(titlesOf(await list('?search=recep'))).toEqual(['Reception'])
  expect(titlesOf(await list('?search=carla'))).toEqual(['Kitchen', 'Reception'])
  expect(titlesOf(await list('?search='))).toHaveLength(3)
  await call(other.ben, 'PATCH', `${path}${reception}/`, { is_archived: true })
  expect(titlesOf(await list())).toEqual(['Kitchen', 'direct'])
  expect(titlesOf(await list('?archived=true'))).toEqual(['Reception'])
  expect(titlesOf(await list('', other.carla))).toEqual(['Kitchen', 'Reception'])

  // A page begins where the one before it ended, whatever moves up meanwhile.
  const first = await list('?page_size=1')
  expect(titlesOf(first)).toEqual(['Kitchen'])
  const second = await call(other.ben, 'GET', pathOf(first.body.next))
  expect(titlesOf(second)).toEqual(['direct'])
  expect(second.body).toMatchObject({ count: 2, next: null })
  await start('New', other.carla)
  expect(titlesOf(await call(other.ben, 'GET', pathOf(first.body.next)))).toEqual(['direct'])
  const back = await call(other.ben, 'GET', pathOf(second.body.previous))
  expect(titlesOf(back)).toEqual(['Kitchen'])

  expect(await list('?type=guest')).toMatchObject({ status: 400, body: { fields: { type: expect.any(String) } } })
  expect(await list('?page_size=101')).toMatchObject({ status: 400 })
  expect(await list('?cursor=b1')).toMatchObject({ status: 400 })
  expect(await list('', eve)).toMatchObject(refused(403, 'not_in_organization'))
})

function pathOf(url: string): string {
  const { pathname, search } = new URL(url)
  return pathname.replace('/functions/v1', '') + search
}

test('staff.conversations: one of them, seen, changed, archived and left', async () => {
  const id = await group()
  const path = at(id, '')
  expect(await call(hotel.carla, 'GET', path)).toMatchObject({ status: 200, body: { success: true, id } })
  const changes = { title: 'Front desk', description: 'Keys', avatar_url: 'https://example.com/desk.png' }
  expect(await call(hotel.ben, 'PATCH', path, changes)).toMatchObject({ status: 200, body: changes })
  expect(await call(hotel.ben, 'PATCH', path, { description: '', avatar_url: '' })).toMatchObject({
    body: { title: 'Front desk', description: null, avatar_url: null },
  })
  expect(await call(hotel.ben, 'PATCH', path, { title: ' ' })).toMatchObject(refused(400, 'title_invalid'))
  expect(await call(hotel.carla, 'PATCH', path, { title: 'Mine' })).toMatchObject(refused(403, 'not_an_admin'))
  expect(await call(hotel.carla, 'PATCH', path, { is_archived: true })).toMatchObject({
    status: 200,
    body: { title: 'Front desk', is_archived: true, archived_at: expect.any(String) },
  })
  expect(await call(hotel.carla, 'PATCH', path, { is_archived: false })).toMatchObject({ body: { is_archived: false } })

  const left = await call(hotel.carla, 'DELETE', path)
  expect({ status: left.status, body: left.body }).toEqual({
    status: 200,
    body: { success: true, message: 'Conversation deleted successfully', deleted_conversation_id: id },
  })
  for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
    const body = method === 'PATCH' ? {} : undefined
    expect(await call(hotel.carla, method, path, body)).toMatchObject(refused(403, 'not_a_member'))
    expect(await call(hotel.ben, method, at(randomUUID(), ''), body)).toMatchObject(refused(404, 'room_not_found'))
    expect(await call(hotel.ben, method, at('7', ''), body)).toMatchObject({ status: 404 })
  }
  expect(await call(hotel.ben, 'GET', path)).toMatchObject({ body: { member_count: 1 } })
})

test('staff.conversations: of this hotel, and not with guests', async () => {
  const id = await group()
  const message = await send(hotel.ben, id, 'Hello')
  for (const [method, path] of [
    ['GET', `conversations/${id}/`],
    ['GET', `conversations/${id}/messages/`],
    ['DELETE', `messages/${message}/delete/`],
    ['GET', `messages/${message}/receipts/`],
  ] as const) {
    expect(await call(hotel.ben, method, `/api/staff-chat/${other.slug}/${path}`), path).toMatchObject({ status: 404 })
  }
  expect(await textsOf(hotel.ben, id)).toEqual(['Hello'])

  const stay = await checkIn(hotel)
  for (const who of [stay.guest, hotel.ben]) {
    expect(await call(who, 'GET', at(stay.id, 'messages/'))).toMatchObject(refused(404, 'room_not_found'))
  }
  expect(await call(stay.guest, 'GET', `${base}/conversations/`)).toMatchObject(refused(403, 'not_in_organization'))
})

test('staff.participants: admins of the group add and remove colleagues', async () => {
  const id = await group()
  const add = (who: Person, ...people: Person[]) =>
    call(who, 'POST', at(id, 'participants/'), { user_ids: people.map((each) => each.id) })
  expect(await add(hotel.carla, hotel.manager)).toMatchObject(refused(403, 'not_an_admin'))
  expect(await add(hotel.ben, eve)).toMatchObject(refused(403, 'not_in_organization'))
  expect(await add(hotel.ben, hotel.manager, hotel.admin)).toMatchObject({
    status: 200,
    body: { success: true, member_count: 4 },
  })
  const remove = (who: Person, gone: string) => call(who, 'DELETE', at(id, `participants/${gone}/`))
  expect(await remove(hotel.carla, hotel.manager.id)).toMatchObject(refused(403, 'not_an_admin'))
  expect(await remove(hotel.ben, eve.id)).toMatchObject(refused(404, 'user_not_found'))
  expect(await remove(hotel.ben, hotel.manager.id)).toMatchObject({ status: 200, body: { member_count: 3 } })
  expect(await call(hotel.manager, 'GET', at(id, ''))).toMatchObject(refused(403, 'not_a_member'))
  // Who goes by oneself needs no admin.
  expect(await remove(hotel.carla, hotel.carla.id)).toMatchObject({ status: 200 })
})

test('staff.send: text, reply, files and mentions; once', async () => {
  const id = await group()
  const files = await upload(hotel.ben, at(id, '').slice(0, -1), ['menu.pdf', 'application/pdf', bytesOf.pdf])
  const { data: carla } = await hotel.carla.client
    .from('profiles')
    .select('username')
    .eq('id', hotel.carla.id)
    .single()
    .throwOnError()
  const first = await send(hotel.carla, id, 'What is for dinner?')
  const body = {
    message: `@${carla.username} fish`,
    reply_to: first,
    attachment_ids: files,
    temp_id: 'tmp-7',
  }
  const sent = await call(hotel.ben, 'POST', at(id, 'send-message/'), body)
  expect(sent).toMatchObject({
    status: 201,
    body: {
      success: true,
      message: body.message,
      temp_id: 'tmp-7',
      sender: { id: hotel.ben.id },
      reply_to: { id: first, sender_id: hotel.carla.id, content: 'What is for dinner?' },
      mentions: [hotel.carla.id],
      attachments: [{ id: files[0], file_name: 'menu.pdf', url: expect.stringContaining('http') }],
    },
  })
  expect((await call(hotel.ben, 'POST', at(id, 'send-message'), body)).body.id).toBe(sent.body.id)
  expect(await call(hotel.ben, 'POST', at(id, 'send-message/'), { content: 'also so', reply_to: null })).toMatchObject({
    status: 201,
    body: { message: 'also so', content: 'also so' },
  })
  expect(await call(hotel.ben, 'POST', at(id, 'send-message/'), { attachment_ids: files })).toMatchObject(
    refused(409, 'attachment_used'),
  )
  expect(await call(eve, 'POST', at(id, 'send-message/'), body)).toMatchObject(refused(403, 'not_a_member'))
  expect(await call(hotel.ben, 'POST', at(id, 'send-message/'), { message: 7 })).toMatchObject({
    status: 400,
    body: { fields: { message: expect.any(String) } },
  })
})

test('staff.list: each with its sender, reactions, reply, files and readers; page by page', async () => {
  const id = await group()
  const first = await send(hotel.ben, id, 'first')
  await call(hotel.carla, 'POST', of(first, 'react/'), { emoji: '👍' })
  await send(hotel.ben, id, 'second', { reply_to: first })
  await call(hotel.carla, 'POST', at(id, 'mark-read/'))
  await send(hotel.ben, id, 'third')

  const { status, body } = await call(hotel.ben, 'GET', at(id, 'messages/'))
  expect({ status, ...body }).toMatchObject({ status: 200, success: true, count: 3, next: null, previous: null })
  expect(body.messages).toMatchObject([
    { message: 'third', is_read: false, read_by: [] },
    {
      message: 'second',
      sender: { id: hotel.ben.id },
      reply_to: { content: 'first' },
      is_read: true,
      read_by: [{ user_id: hotel.carla.id, read_at: expect.stringMatching(/Z$/) }],
    },
    { message: 'first', reactions: [{ emoji: '👍', count: 1, user_ids: [hotel.carla.id] }] },
  ])
  const page = await call(hotel.ben, 'GET', at(id, 'messages/?page_size=2'))
  const next = await call(hotel.ben, 'GET', pathOf(page.body.next))
  expect(next.body.messages).toMatchObject([{ message: 'first' }])
  const after = await call(hotel.ben, 'GET', at(id, `messages/?after=${first}&limit=1`))
  expect(after.body.messages).toMatchObject([{ message: 'second' }])
})

test('staff.edit: its author, and it shows', async () => {
  const id = await group()
  const message = await send(hotel.ben, id, 'teh keys')
  expect(await call(hotel.ben, 'PATCH', of(message, 'edit/'), { message: 'the keys' })).toMatchObject({
    status: 200,
    body: { success: true, id: message, message: 'the keys', is_edited: true, edited_at: expect.stringMatching(/Z$/) },
  })
  expect(await call(hotel.carla, 'PATCH', of(message, 'edit/'), { message: 'mine' })).toMatchObject(
    refused(403, 'not_the_author'),
  )
  expect(await call(hotel.ben, 'PATCH', of(randomUUID(), 'edit/'), { message: 'none' })).toMatchObject(
    refused(404, 'message_not_found'),
  )
  expect(await textsOf(hotel.carla, id)).toEqual(['the keys'])
})

test('staff.delete: soft by its author; for good by managers and admins', async () => {
  const id = await group('Reception', hotel.manager)
  const [soft, hard] = [await send(hotel.ben, id, 'soft'), await send(hotel.carla, id, 'hard')]
  const remove = (who: Person, message: string, query = '') => call(who, 'DELETE', of(message, `delete/${query}`))
  expect(await remove(hotel.carla, soft)).toMatchObject(refused(403, 'not_the_author'))
  // Nor Ben, whose group it is.
  for (const who of [hotel.carla, hotel.ben]) {
    expect(await remove(who, hard, '?hard_delete=true')).toMatchObject(refused(403, 'not_an_admin'))
  }
  const deleted = await remove(hotel.ben, soft)
  expect({ status: deleted.status, body: deleted.body }).toEqual({
    status: 200,
    body: { success: true, message: 'Message deleted successfully', deleted_message_id: soft, hard_delete: false },
  })
  expect(await remove(hotel.manager, hard, '?hard_delete=true')).toMatchObject({
    status: 200,
    body: { hard_delete: true },
  })
  expect(await textsOf(hotel.ben, id)).toEqual(['[Message deleted]', '[Message deleted]'])
  expect(await remove(hotel.manager, soft)).toMatchObject(refused(409, 'message_deleted'))
})

test('staff.react: the ten emojis, several a person, and taken back', async () => {
  const message = await send(hotel.ben, await group(), 'Well done')
  const emojis = ['👍', '❤️', '😊', '😂', '😮', '😢', '🎉', '🔥', '✅', '👏']
  for (const emoji of emojis) {
    expect(await call(hotel.carla, 'POST', of(message, 'react/'), { emoji })).toMatchObject({ status: 200 })
  }
  const again = await call(hotel.ben, 'POST', of(message, 'react/'), { emoji: '👍' })
  expect(again.body).toMatchObject({ success: true, message_id: message })
  expect(again.body.reactions.map((each: { emoji: string }) => each.emoji)).toEqual(emojis)
  expect(again.body.reactions[0]).toEqual({ emoji: '👍', count: 2, user_ids: [hotel.carla.id, hotel.ben.id] })

  // A heart is a heart, with the mark that makes it a picture or without.
  for (const emoji of ['👍', '❤']) {
    const path = of(message, `react/${encodeURIComponent(emoji)}/`)
    expect(await call(hotel.carla, 'DELETE', path)).toMatchObject({ status: 200, body: { success: true } })
  }
  const { body } = await call(hotel.carla, 'DELETE', of(message, `react/${encodeURIComponent('🔥')}`))
  expect(body.reactions.map((each: { emoji: string; count: number }) => [each.emoji, each.count])).toEqual([
    ['😊', 1],
    ['😂', 1],
    ['😮', 1],
    ['😢', 1],
    ['🎉', 1],
    ['✅', 1],
    ['👏', 1],
    ['👍', 1],
  ])
  for (const emoji of ['🦄', 'yes', '']) {
    const answer = await call(hotel.carla, 'POST', of(message, 'react/'), { emoji })
    expect(answer).toMatchObject({ status: 400, body: { fields: { emoji: expect.any(String) } } })
  }
  expect(await call(hotel.carla, 'DELETE', of(message, `react/${encodeURIComponent('🦄')}/`))).toMatchObject({
    status: 400,
    body: { fields: { emoji: expect.any(String) } },
  })
  expect(await call(eve, 'POST', of(message, 'react/'), { emoji: '👍' })).toMatchObject(refused(403, 'not_a_member'))
})

test('staff.upload: announced, uploaded directly, and sent', async () => {
  const id = await group()
  const files = [{ file_name: 'view.png', mime_type: 'image/png', size_bytes: bytesOf.png.length }]
  const { status, body } = await call(hotel.ben, 'POST', at(id, 'upload/'), { files })
  expect(status).toBe(200)
  const [{ attachment_id, upload_url, fields }] = body.uploads
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value as string)
  form.append('file', new Blob([bytesOf.png]))
  expect((await fetch(upload_url, { method: 'POST', body: form })).status).toBe(200)
  const sent = await call(hotel.ben, 'POST', at(id, 'send-message/'), { attachment_ids: [attachment_id] })
  expect(sent).toMatchObject({
    status: 201,
    body: {
      message: null,
      attachments: [{ id: attachment_id, thumbnail_url: expect.stringContaining('/image/authenticated/') }],
    },
  })

  const file = { file_name: 'a.txt', mime_type: 'text/plain', size_bytes: 1 }
  const announce = (...announced: object[]) => call(hotel.ben, 'POST', at(id, 'upload/'), { files: announced })
  expect(await announce(...Array(11).fill(file))).toMatchObject(refused(400, 'too_many_attachments'))
  const bad = await announce(
    file,
    { ...file, file_name: 'long.mp4', mime_type: 'video/mp4', size_bytes: 50 * 1024 * 1024 + 1 },
    { ...file, file_name: 'page.html', mime_type: 'text/html' },
  )
  expect(bad).toMatchObject({
    status: 400,
    body: {
      error: 'files_refused',
      refused: [
        { file_name: 'long.mp4', error: 'file_too_large' },
        { file_name: 'page.html', error: 'file_type_not_allowed' },
      ],
    },
  })
})

test('staff.upload: as a form with parts named files', async () => {
  const id = await group()
  const passed = await call(
    hotel.ben,
    'POST',
    at(id, 'upload/'),
    formOf(['view.png', 'image/png', bytesOf.png], ['menu.pdf', 'application/pdf', bytesOf.pdf]),
  )
  expect(passed).toMatchObject({
    status: 200,
    body: {
      success: true,
      attachments: [
        { file_name: 'view.png', mime_type: 'image/png', thumbnail_url: expect.any(String) },
        { file_name: 'menu.pdf', mime_type: 'application/pdf', thumbnail_url: null },
      ],
    },
  })
  const large = formOf(['large.txt', 'text/plain', Buffer.alloc(8 * 1024 * 1024 + 1, 'x')])
  expect(await call(hotel.ben, 'POST', at(id, 'upload/'), large)).toMatchObject(refused(413, 'use_direct_upload'))
  const wrong = formOf(['view.png', 'image/png', bytesOf.text])
  expect(await call(hotel.ben, 'POST', at(id, 'upload/'), wrong)).toMatchObject({
    status: 400,
    body: { error: 'files_refused', refused: [{ file_name: 'view.png' }] },
  })
  expect(await call(eve, 'POST', at(id, 'upload/'), formOf(['a.txt', 'text/plain', bytesOf.text]))).toMatchObject(
    refused(403, 'not_a_member'),
  )
})

test('staff.attachment: a link for five minutes; taken off by its uploader or a manager', async () => {
  const id = await group('Reception', hotel.manager)
  const files = await upload(
    hotel.ben,
    at(id, '').slice(0, -1),
    ['a.txt', 'text/plain', bytesOf.text],
    ['menu.pdf', 'application/pdf', bytesOf.pdf],
  )
  const [first, second] = files as [string, string]
  await send(hotel.ben, id, 'Two files', { attachment_ids: files })
  const path = (file: string, rest: string) => `${base}/attachments/${file}/${rest}/`

  const link = await call(hotel.carla, 'GET', path(first, 'url'))
  expect(link).toMatchObject({ status: 200, body: { success: true, attachment_id: first, thumbnail_url: null } })
  const seconds = (Date.parse(link.body.expires_at) - Date.now()) / 1000
  expect(seconds).toBeGreaterThan(270)
  expect(seconds).toBeLessThanOrEqual(300)
  expect(await (await fetch(link.body.url)).text()).toBe(bytesOf.text.toString())
  expect(await call(eve, 'GET', path(first, 'url'))).toMatchObject(refused(403, 'not_a_member'))
  expect(await call(hotel.ben, 'GET', path(randomUUID(), 'url'))).toMatchObject(refused(404, 'attachment_not_found'))

  expect(await call(hotel.carla, 'DELETE', path(first, 'delete'))).toMatchObject(refused(403, 'not_the_author'))
  const deleted = await call(hotel.ben, 'DELETE', path(first, 'delete'))
  expect({ status: deleted.status, body: deleted.body }).toEqual({
    status: 200,
    body: { success: true, message: 'Attachment deleted successfully', deleted_attachment_id: first },
  })
  expect(await call(hotel.ben, 'GET', path(first, 'url'))).toMatchObject(refused(404, 'attachment_not_found'))
  expect(await call(hotel.manager, 'DELETE', path(second, 'delete'))).toMatchObject({ status: 200 })
  const { body } = await call(hotel.carla, 'GET', at(id, 'messages/'))
  expect(body.messages).toMatchObject([{ message: 'Two files', attachments: [] }])

  // An upload that was not sent.
  const [unsent] = (await upload(hotel.ben, at(id, '').slice(0, -1), ['a.txt', 'text/plain', bytesOf.text])) as [string]
  expect(await call(hotel.carla, 'DELETE', path(unsent, 'delete'))).toMatchObject(refused(404, 'attachment_not_found'))
  expect(await call(hotel.ben, 'DELETE', path(unsent, 'delete'))).toMatchObject({ status: 200 })
})

test('staff.read: who has read it, and when', async () => {
  const id = await group('Reception', hotel.manager)
  const [first, second] = [await send(hotel.ben, id, 'first'), await send(hotel.ben, id, 'second')]
  const upTo = await call(hotel.carla, 'POST', at(id, 'mark-read/'), { message_id: first })
  expect(upTo).toMatchObject({
    status: 200,
    body: { success: true, conversation_id: id, unread_count: 1, updated_count: 1, last_read_message_id: first },
  })
  const all = await call(hotel.carla, 'POST', at(id, 'mark-read/'))
  expect(all.body).toMatchObject({ unread_count: 0, updated_count: 1, read_at: expect.stringMatching(/Z$/) })

  const { status, body } = await call(hotel.ben, 'GET', of(second, 'receipts/'))
  expect({ status, ...body }).toMatchObject({ status: 200, success: true, message_id: second })
  const byPerson = new Map(body.receipts.map((each: { user_id: string }) => [each.user_id, each]))
  expect(byPerson.get(hotel.carla.id)).toEqual({
    user_id: hotel.carla.id,
    delivered: true,
    read_at: expect.stringMatching(/Z$/),
  })
  expect(byPerson.get(hotel.manager.id)).toEqual({ user_id: hotel.manager.id, delivered: false, read_at: null })
  expect(byPerson.has(hotel.ben.id)).toBe(false)
  expect(await call(eve, 'GET', of(second, 'receipts/'))).toMatchObject(refused(403, 'not_a_member'))
  expect(await call(eve, 'POST', at(id, 'mark-read/'))).toMatchObject(refused(403, 'not_a_member'))
})

test('staff.unread: how many, in this hotel alone', async () => {
  const start = async (at: Hotel) => {
    const path = `/api/staff-chat/${at.slug}/conversations/`
    const { body } = await call(at.carla, 'POST', path, { participant_ids: [hotel.ben.id] })
    await call(at.carla, 'POST', `${path}${body.id}/send-message/`, { message: 'Hello' })
    return body.id as string
  }
  await start(hotel)
  const id = await start(other)
  const unread = await call(hotel.ben, 'GET', `/api/staff-chat/${other.slug}/unread-count/`)
  expect({ status: unread.status, body: unread.body }).toEqual({
    status: 200,
    body: {
      success: true,
      total_unread: 1,
      conversations: [
        {
          conversation_id: id,
          unread_count: 1,
          last_read_message_id: null,
          last_message_timestamp: expect.stringMatching(/Z$/),
        },
      ],
    },
  })
  expect(await call(eve, 'GET', `${base}/unread-count/`)).toMatchObject(refused(403, 'not_in_organization'))
})

test('staff.unread: muted until a time, for good, and no longer', async () => {
  const id = await group()
  const until = new Date(Date.now() + 3_600_000).toISOString()
  const mute = (body?: object) => call(hotel.ben, 'POST', at(id, 'mute/'), body)
  expect(await mute({ until })).toMatchObject({
    status: 200,
    body: { success: true, conversation_id: id, is_muted: true, muted_until: expect.stringMatching(/Z$/) },
  })
  expect(await mute()).toMatchObject({ status: 200, body: { is_muted: true, muted_until: null } })
  expect(await call(hotel.ben, 'GET', at(id, ''))).toMatchObject({ body: { is_muted: true } })
  expect(await mute({ muted: false })).toMatchObject({ status: 200, body: { is_muted: false } })
  expect(await mute({ until: '2020-01-01T00:00:00Z' })).toMatchObject(refused(400, 'mute_in_the_past'))
  expect(await mute({ until: 'tomorrow' })).toMatchObject({
    status: 400,
    body: { fields: { until: expect.any(String) } },
  })
  expect(await call(eve, 'POST', at(id, 'mute/'))).toMatchObject(refused(403, 'not_a_member'))
})

test('staff.unread: when one wants pushes', async () => {
  const path = `${base}/notification-preferences/`
  const unsaid = {
    push_enabled: true,
    mentions_break_mute: true,
    show_preview: true,
    quiet_from: null,
    quiet_until: null,
    time_zone: 'UTC',
  }
  const before = await call(hotel.carla, 'GET', path)
  expect({ status: before.status, body: before.body }).toEqual({ status: 200, body: { success: true, ...unsaid } })
  const wishes = { mentions_break_mute: false, quiet_from: '22:00', quiet_until: '07:00', time_zone: 'Europe/Madrid' }
  const put = await call(hotel.carla, 'PUT', path, wishes)
  const kept = { ...unsaid, ...wishes, quiet_from: '22:00:00', quiet_until: '07:00:00' }
  expect({ status: put.status, body: put.body }).toEqual({ status: 200, body: { success: true, ...kept } })
  expect((await call(hotel.carla, 'PUT', path, { show_preview: false })).body).toEqual({
    success: true,
    ...kept,
    show_preview: false,
  })
  expect((await call(hotel.carla, 'GET', path)).body).toMatchObject({ ...kept, show_preview: false })

  const half = await call(hotel.ben, 'PUT', path, { quiet_from: '22:00' })
  expect(half).toMatchObject(refused(400, 'quiet_hours_invalid'))
  const where = await call(hotel.ben, 'PUT', path, { time_zone: 'Mars/Base' })
  expect(where).toMatchObject(refused(400, 'unknown_time_zone'))
  expect(await call(hotel.ben, 'PUT', path, { quiet_from: 'late' })).toMatchObject({ status: 400 })
  expect((await call(hotel.ben, 'GET', path)).body).toEqual({ success: true, ...unsaid })
  expect(await call(eve, 'GET', path)).toMatchObject(refused(403, 'not_in_organization'))
})

test('staff.search: in the caller’s conversations of this hotel', async () => {
  const word = `taxi${randomUUID().slice(0, 8)}`
  const id = await group()
  const direct = await call(hotel.ben, 'POST', `${base}/conversations/`, { participant_ids: [hotel.admin.id] })
  const sent = await send(hotel.ben, id, `the ${word} is here`)
  await send(hotel.ben, direct.body.id, `no ${word} today`)
  const stay = await checkIn(hotel)
  await call(stay.guest, 'POST', `${stay.path}/messages/`, { message: `a ${word} for me` })
  const search = (who: Person, query: string) => call(who, 'GET', `${base}/search/${query}`)

  const found = await search(hotel.carla, `?q=${word.toUpperCase()}`)
  expect(found).toMatchObject({ status: 200, body: { success: true, next: null } })
  expect(found.body.results).toMatchObject([{ id: sent, message: `the ${word} is here`, room_id: id }])
  const both = await search(hotel.ben, `?q=${word}&page_size=1`)
  expect(both.body.results).toMatchObject([{ message: `no ${word} today` }])
  const next = await call(hotel.ben, 'GET', pathOf(both.body.next))
  expect(next.body.results).toMatchObject([{ id: sent }])
  const inOne = await search(hotel.ben, `?q=${word}&conversation_id=${id}`)
  expect(inOne.body.results).toMatchObject([{ id: sent }])
  expect(await search(hotel.manager, `?q=${word}`)).toMatchObject({ status: 200, body: { results: [] } })

  expect(await search(hotel.ben, '')).toMatchObject({ status: 400, body: { fields: { q: expect.any(String) } } })
  expect(await search(hotel.manager, `?q=${word}&conversation_id=${id}`)).toMatchObject(refused(403, 'not_a_member'))
  expect(await search(eve, `?q=${word}`)).toMatchObject(refused(403, 'not_in_organization'))
})

test('staff.typing: who types and who is there, live', async () => {
  const id = await group()
  const { topic } = (await call(hotel.ben, 'GET', at(id, ''))).body
  const [hers, his] = [await listen(hotel.carla, `${topic}:typing`), await listen(hotel.ben, `${topic}:typing`)]
  await his.channel.send({ type: 'broadcast', event: 'typing', payload: { user_id: hotel.ben.id, is_typing: true } })
  expect(await hers.next('typing')).toMatchObject({ user_id: hotel.ben.id, is_typing: true })

  await hotel.ben.client.rpc('heartbeat', {}).throwOnError()
  const { data } = await hotel.carla.client.rpc('online_users').throwOnError()
  expect(data).toContain(hotel.ben.id)
})

test('staff.push: colleagues who are away are told who wrote what in which group', async () => {
  const id = await group('Night shift', hotel.manager)
  const target = `${randomUUID()}:android`
  await hotel.manager.client.rpc('register_device', { p_target: target, p_platform: 'android' }).throwOnError()
  const message = await send(hotel.ben, id, 'The taxi is here')
  const shown = async () => {
    const { devices } = await sandbox('fcm')
    return devices[target]?.shown.find(({ tag }: { tag: string }) => tag === message)
  }
  await expect
    .poll(shown, { timeout: 25_000, interval: 100 })
    .toMatchObject({ title: 'Night shift', body: 'Ben: The taxi is here' })
})

test('whatever a colleague sends is answered, and never with a fault of ours', async () => {
  const id = await group()
  const message = await send(hotel.ben, id, 'Hello')
  const bodies = [
    [
      'PATCH',
      at(id, ''),
      { title: 'Reception', description: 'Keys', avatar_url: 'https://example.com', is_archived: false },
    ],
    ['POST', at(id, 'participants/'), { user_ids: [hotel.manager.id] }],
    ['POST', at(id, 'send-message/'), { message: 'Hello', reply_to: message, attachment_ids: [], temp_id: '1' }],
    ['POST', at(id, 'upload/'), { files: [] }],
    ['POST', at(id, 'mark-read/'), { message_id: message }],
    ['POST', at(id, 'mute/'), { muted: true, until: '2100-01-01T00:00:00Z' }],
    ['PATCH', of(message, 'edit/'), { message: 'Hello' }],
    ['POST', of(message, 'react/'), { emoji: '👍' }],
    ['PUT', `${base}/notification-preferences/`, { quiet_from: '22:00', quiet_until: '07:00', time_zone: 'UTC' }],
  ] as const
  const values = [null, {}, 'x'.repeat(20_000), 'zero \0 byte', '\ud800']
  for (const [method, path, body] of bodies) {
    for (const field of Object.keys(body)) {
      for (const wrong of values) {
        const { status } = await call(hotel.ben, method, path, { ...body, [field]: wrong })
        expect([200, 201, 400, 404, 409], `${method} ${path} ${field}: ${wrong}`.slice(0, 200)).toContain(status)
      }
    }
  }
}, 60_000)
