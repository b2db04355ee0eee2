import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { listen } from '../support/channels.ts'
import { unzip } from '../support/files.ts'
import { withDatabase } from '../support/jobs.ts'
import { type Person, signUp } from '../support/people.ts'
import { bytesOf, checkIn, formOf, type Hotel, openHotel, refused, type Stay, upload } from './hotels.ts'
import { call } from './http.ts'

/** The contract's rows. The document's own checklist: hotel.checklist.test.ts. */

let hotel: Hotel
let eve: Person

beforeAll(async () => {
  hotel = await openHotel()
  eve = await signUp('Eve')
})

async function send(from: Person, { path }: Stay, message: string, attachment_ids: string[] = []): Promise<string> {
  const { status, body } = await call(from, 'POST', `${path}/messages/`, { message, attachment_ids })
  expect(status).toBe(201)
  return body.id
}

async function textsOf(who: Person, { path }: Stay): Promise<string[]> {
  const { body } = await call(who, 'GET', `${path}/messages/`)
  return body.messages.map(({ message }: { message: string }) => message)
}

async function lastMessageOf(who: Person, { id }: Stay): Promise<string | undefined> {
  const { data } = await who.client.rpc('get_rooms', { p_room_id: id }).throwOnError()
  return (data as unknown as { last_message: { content: string } | null }[])[0]?.last_message?.content
}

test('hotel.messages: guests and staff send and list', async () => {
  const stay = await checkIn(hotel)
  const { guest, path } = stay
  const first = await call(guest, 'POST', `${path}/messages/`, { message: 'Towels, please', temp_id: 'tmp-1' })
  expect(first).toMatchObject({
    status: 201,
    body: {
      success: true,
      room_id: stay.id,
      message: 'Towels, please',
      content: 'Towels, please',
      sender: { id: guest.id },
      temp_id: 'tmp-1',
      is_deleted: false,
      attachments: [],
    },
  })
  // The same again is the same message, and `content` is the same as `message`.
  const again = await call(guest, 'POST', `${path}/messages`, { content: 'Towels, please', temp_id: 'tmp-1' })
  expect(again.body.id).toBe(first.body.id)
  const reply = await call(hotel.ben, 'POST', `${path}/messages/`, { message: 'Sure', reply_to: first.body.id })
  expect(reply.body.reply_to).toMatchObject({ id: first.body.id, content: 'Towels, please' })

  for (const who of [guest, hotel.carla]) {
    const { status, body } = await call(who, 'GET', `${path}/messages/`)
    expect({ status, ...body }).toMatchObject({ status: 200, success: true, count: 2, next: null, previous: null })
    expect(body.messages).toMatchObject([
      { id: reply.body.id, message: 'Sure', is_read: false },
      { id: first.body.id, message: 'Towels, please' },
    ])
  }
  expect(await call(guest, 'POST', `${path}/messages/`, {})).toMatchObject(refused(400, 'content_required'))
})

test('hotel.messages: page by page, while messages arrive', async () => {
  const stay = await checkIn(hotel)
  for (const text of ['1', '2', '3', '4', '5']) await send(stay.guest, stay, text)
  const first = await call(hotel.ben, 'GET', `${stay.path}/messages/?page_size=2`)
  await send(stay.guest, stay, '6')
  const second = await follow(first.body.next)
  const third = await follow(second.body.next)
  const seen = [first, second, third].flatMap(({ body }) =>
    body.messages.map((each: { message: string }) => each.message),
  )
  expect(seen).toEqual(['5', '4', '3', '2', '1'])
  expect(third.body).toMatchObject({ count: 6, next: null })
  const before = await call(hotel.ben, 'GET', `${stay.path}/messages/?before=${first.body.messages[0].id}&limit=1`)
  expect(before.body.messages).toMatchObject([{ message: '4' }])
})

async function follow(url: string) {
  const { pathname, search } = new URL(url)
  return call(hotel.ben, 'GET', pathname.replace('/functions/v1', '') + search)
}

test('hotel.messages: the hotel of the path, the headers and the conversation is one', async () => {
  const [stay, other] = [await checkIn(hotel), await openHotel()]
  const message = await send(stay.guest, stay, 'Towels, please')
  const list = `${stay.path}/messages/`
  const right = { 'x-hotel-id': hotel.id, 'x-hotel-slug': hotel.slug }
  expect(await call(stay.guest, 'GET', list, undefined, right)).toMatchObject({ status: 200 })
  for (const headers of [{ 'x-hotel-id': other.id }, { ...right, 'x-hotel-slug': other.slug }, { 'x-hotel-id': '1' }]) {
    expect(await call(stay.guest, 'GET', list, undefined, headers)).toMatchObject(refused(403, 'other_hotel'))
    expect(await call(stay.guest, 'DELETE', `${list}${message}/`, undefined, headers)).toMatchObject({ status: 403 })
  }
  const elsewhere = stay.path.replace(hotel.slug, other.slug)
  expect(await call(stay.guest, 'GET', `${elsewhere}/messages/`)).toMatchObject(refused(404, 'room_not_found'))
  expect(await call(stay.guest, 'DELETE', `${elsewhere}/messages/${message}/`)).toMatchObject({ status: 404 })
  expect(await call(other.admin, 'GET', list)).toMatchObject(refused(403, 'not_a_member'))

  const nowhere = stay.path.replace(stay.id, randomUUID())
  expect(await call(stay.guest, 'GET', `${nowhere}/messages/`)).toMatchObject(refused(404, 'room_not_found'))
  const malformed = stay.path.replace(stay.id, '7')
  expect(await call(stay.guest, 'GET', `${malformed}/messages/`)).toMatchObject(refused(400, 'invalid_id'))
  expect(await textsOf(stay.guest, stay)).toEqual(['Towels, please'])
})

test('hotel.messages: files are announced, uploaded directly and sent', async () => {
  const stay = await checkIn(hotel)
  const files = [
    { file_name: 'view.png', mime_type: 'image/png', size_bytes: bytesOf.png.length },
    { file_name: 'menu.pdf', mime_type: 'application/pdf', size_bytes: bytesOf.pdf.length },
  ]
  const { status, body } = await call(stay.guest, 'POST', `${stay.path}/upload/`, { files })
  expect({ status, ...body }).toMatchObject({ status: 200, success: true, uploads: [{ file_name: 'view.png' }, {}] })
  const attachment_ids = body.uploads.map((each: { attachment_id: string }) => each.attachment_id)
  const early = await call(stay.guest, 'POST', `${stay.path}/messages/`, { attachment_ids })
  expect(early).toMatchObject(refused(409, 'attachment_not_verified'))

  for (const [index, bytes] of [bytesOf.png, bytesOf.pdf].entries()) {
    const { upload_url, fields } = body.uploads[index]
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.append(name, value as string)
    form.append('file', new Blob([bytes]))
    expect((await fetch(upload_url, { method: 'POST', body: form })).status).toBe(200)
  }
  const sent = await call(stay.guest, 'POST', `${stay.path}/messages/`, { attachment_ids })
  expect(sent).toMatchObject({ status: 201, body: { message: null } })
  expect(sent.body.attachments).toMatchObject([
    { file_name: 'view.png', mime_type: 'image/png', thumbnail_url: expect.any(String) },
    { file_name: 'menu.pdf', mime_type: 'application/pdf', thumbnail_url: null },
  ])
  const downloaded = await fetch(sent.body.attachments[1].url)
  expect(Buffer.from(await downloaded.arrayBuffer())).toEqual(bytesOf.pdf)
})

test('hotel.messages: small files pass through, and what may not is refused by name', async () => {
  const stay = await checkIn(hotel)
  const passed = await call(stay.guest, 'POST', `${stay.path}/upload/`, formOf(['a.txt', 'text/plain', bytesOf.text]))
  expect(passed).toMatchObject({ status: 200, body: { success: true, attachments: [{ file_name: 'a.txt' }] } })

  const large = formOf(['large.txt', 'text/plain', Buffer.alloc(8 * 1024 * 1024 + 1, 'x')])
  expect(await call(stay.guest, 'POST', `${stay.path}/upload/`, large)).toMatchObject(refused(413, 'use_direct_upload'))
  const bad = formOf(['a.txt', 'text/plain', bytesOf.text], ['page.html', 'text/html', Buffer.from('<b>')])
  expect(await call(stay.guest, 'POST', `${stay.path}/upload/`, bad)).toMatchObject({
    status: 400,
    body: { error: 'files_refused', refused: [{ file_name: 'page.html', error: 'file_type_not_allowed' }] },
  })
  const empty = await call(stay.guest, 'POST', `${stay.path}/upload/`, {})
  expect(empty).toMatchObject({ status: 400, body: { fields: { files: expect.any(String) } } })
  expect(await call(eve, 'POST', `${stay.path}/upload/`, formOf(['a.txt', 'text/plain', bytesOf.text]))).toMatchObject(
    refused(403, 'not_a_member'),
  )
})

test('hotel.delete: by its author, a manager or an admin, and by nobody else', async () => {
  const stay = await checkIn(hotel)
  const remove = (who: Person, id: string, query = '') => call(who, 'DELETE', `${stay.path}/messages/${id}/${query}`)

  const [bens, guests, more] = [
    await send(hotel.ben, stay, 'by Ben'),
    await send(stay.guest, stay, 'by Maria'),
    await send(hotel.ben, stay, 'more by Ben'),
  ]
  expect(await remove(hotel.carla, bens)).toMatchObject(refused(403, 'not_the_author'))
  expect(await remove(hotel.carla, guests)).toMatchObject(refused(403, 'not_the_author'))
  expect(await remove(stay.guest, bens)).toMatchObject(refused(403, 'not_the_author'))
  expect(await remove(eve, bens)).toMatchObject(refused(403, 'not_a_member'))
  expect(await remove(hotel.ben, bens, '?hard=true')).toMatchObject(refused(403, 'not_an_admin'))

  expect(await remove(hotel.ben, bens)).toMatchObject({ status: 200 })
  const { status, body } = await remove(hotel.manager, guests)
  expect({ status, body }).toEqual({
    status: 200,
    body: { success: true, message: 'Message deleted successfully', deleted_message_id: guests },
  })
  expect(await remove(hotel.admin, more, '?hard=true')).toMatchObject({ status: 200 })
  expect(await remove(hotel.admin, more)).toMatchObject(refused(409, 'message_deleted'))
  expect(await remove(stay.guest, randomUUID())).toMatchObject(refused(404, 'message_not_found'))
  expect(await remove(stay.guest, '123')).toMatchObject(refused(400, 'invalid_id'))
  expect(await remove(stay.guest, guests, '?hard=perhaps')).toMatchObject({
    status: 400,
    body: { fields: { hard: expect.any(String) } },
  })
})

test('hotel.delete: guests delete their own for five minutes', async () => {
  const stay = await checkIn(hotel)
  const [early, late] = [await send(stay.guest, stay, 'early'), await send(stay.guest, stay, 'late')]
  await withDatabase((database) =>
    database.query(`update public.chat_messages set created_at = created_at - interval '5 minutes' where id = $1`, [
      early,
    ]),
  )
  const remove = (id: string) => call(stay.guest, 'DELETE', `${stay.path}/messages/${id}/`)
  expect(await remove(early)).toMatchObject(refused(403, 'guest_window_over'))
  expect(await remove(late)).toMatchObject({ status: 200 })
  expect(await textsOf(stay.guest, stay)).toEqual(['[Message deleted]', 'early'])
})

test('hotel.delete: a message of another conversation is not in this one', async () => {
  const [here, there] = [await checkIn(hotel), await checkIn(hotel)]
  const message = await send(hotel.ben, there, 'elsewhere')
  for (const [method, path, body] of [
    ['DELETE', `${message}/`, undefined],
    ['PATCH', `${message}/`, { message: 'changed' }],
    ['POST', `${message}/undo-delete/`, undefined],
    ['POST', `${message}/track-download/`, { attachment_ids: [randomUUID()] }],
    ['POST', 'bulk-delete/', { message_ids: [message] }],
  ] as const) {
    const answer = await call(hotel.ben, method, `${here.path}/messages/${path}`, body)
    expect(answer, path).toMatchObject(refused(404, 'message_not_found'))
  }
  expect(await textsOf(hotel.ben, there)).toEqual(['elsewhere'])
})

test('hotel.delete.text: the placeholder says what was there', async () => {
  const stay = await checkIn(hotel)
  const png = ['view.png', 'image/png', bytesOf.png] as const
  const withText = await upload(stay.guest, stay.path, [...png])
  const alone = await upload(stay.guest, stay.path, [...png])
  const ids = [
    await send(stay.guest, stay, 'a text'),
    await send(stay.guest, stay, '', alone),
    await send(stay.guest, stay, 'a text and a file', withText),
  ]
  for (const id of ids) await call(stay.guest, 'DELETE', `${stay.path}/messages/${id}/`)
  const { body } = await call(hotel.ben, 'GET', `${stay.path}/messages/`)
  expect(body.messages).toMatchObject([
    { message: '[Message and file(s) deleted]', is_deleted: true, attachments: [] },
    { message: '[File deleted]', is_deleted: true, attachments: [] },
    { message: '[Message deleted]', is_deleted: true, attachments: [] },
  ])
})

test('hotel.delete.last: the last message is the newest one left', async () => {
  const stay = await checkIn(hotel)
  const [first, second] = [await send(hotel.ben, stay, 'first'), await send(hotel.ben, stay, 'second')]
  expect(await lastMessageOf(stay.guest, stay)).toBe('second')
  await call(hotel.ben, 'DELETE', `${stay.path}/messages/${second}/`)
  expect(await lastMessageOf(stay.guest, stay)).toBe('first')
  await call(hotel.ben, 'DELETE', `${stay.path}/messages/${first}/`)
  expect(await lastMessageOf(stay.guest, stay)).toBeUndefined()
})

test('hotel.delete.events: staff and the guest hear of it', async () => {
  const stay = await checkIn(hotel)
  const heard = []
  for (const who of [stay.guest, hotel.carla]) {
    heard.push(await listen(who, stay.topic))
  }
  for (const hard of [false, true]) {
    const id = await send(hotel.ben, stay, 'secret')
    await call(hotel.admin, 'DELETE', `${stay.path}/messages/${id}/?hard=${hard}`)
    for (const listener of heard) {
      expect(await listener.next('message-deleted')).toMatchObject({
        message_id: id,
        hard_delete: hard,
        message: { id, message: '[Message deleted]', is_deleted: true },
      })
    }
  }
})

test('hotel.delete.audit: who, what, when, why and from where, for admins of the hotel', async () => {
  const stay = await checkIn(hotel)
  const id = await send(stay.guest, stay, 'rude words')
  const asked = Date.now()
  await call(hotel.manager, 'DELETE', `${stay.path}/messages/${id}/`, { reason: 'Rude' })
  const auditSeenBy = (who: Person) => who.client.from('message_audit').select().eq('message_id', id).throwOnError()
  const { data } = await auditSeenBy(hotel.admin)
  expect(data).toMatchObject([
    {
      organization_id: hotel.id,
      room_id: stay.id,
      message_id: id,
      actor_id: hotel.manager.id,
      action: 'delete',
      reason: 'Rude',
      ip_address: '127.0.0.1',
    },
  ])
  expect(Math.abs(Date.parse(data[0]?.created_at ?? '') - asked)).toBeLessThan(20_000)
  for (const who of [hotel.manager, hotel.ben, stay.guest]) expect((await auditSeenBy(who)).data).toEqual([])
})

test('hotel.download: downloads are written down', async () => {
  const stay = await checkIn(hotel)
  const files = await upload(stay.guest, stay.path, ['a.txt', 'text/plain', bytesOf.text])
  const path = `${stay.path}/messages/${await send(stay.guest, stay, 'here', files)}/track-download/`
  const body = { attachment_ids: files, download_timestamp: '2025-11-04T12:30:00Z' }
  const tracked = await call(hotel.ben, 'POST', path, body)
  expect({ status: tracked.status, body: tracked.body }).toEqual({
    status: 200,
    body: { success: true, message: 'Download tracked successfully' },
  })
  const { data } = await hotel.ben.client.from('message_downloads').select('attachment_id').throwOnError()
  expect(data).toEqual([{ attachment_id: files[0] }])
  const unknown = { ...body, attachment_ids: [randomUUID()] }
  expect(await call(hotel.ben, 'POST', path, unknown)).toMatchObject(refused(404, 'attachment_not_found'))
  expect(await call(hotel.ben, 'POST', path, { attachment_ids: [1, 2, 3] })).toMatchObject({
    status: 400,
    body: { fields: { 'attachment_ids.0': expect.any(String) } },
  })
})

test('hotel.undo: whoever deleted it brings it back, within the window', async () => {
  const stay = await checkIn(hotel)
  const heard = await listen(stay.guest, stay.topic)
  const files = await upload(hotel.ben, stay.path, ['a.txt', 'text/plain', bytesOf.text])
  const id = await send(hotel.ben, stay, 'important', files)
  const path = `${stay.path}/messages/${id}`
  expect(await call(hotel.ben, 'POST', `${path}/undo-delete/`)).toMatchObject(refused(409, 'message_not_deleted'))

  await call(hotel.ben, 'DELETE', `${path}/`)
  expect(await call(hotel.admin, 'POST', `${path}/undo-delete/`)).toMatchObject(refused(403, 'not_the_deleter'))
  expect(await call(hotel.ben, 'POST', `${path}/undo-delete/`)).toMatchObject({
    status: 200,
    body: { success: true, id, message: 'important', is_deleted: false, attachments: [{ id: files[0] }] },
  })
  expect(await heard.next('message-restored')).toMatchObject({ message: { id, content: 'important' } })

  await call(hotel.ben, 'DELETE', `${path}/`)
  await withDatabase((database) =>
    database.query('update private.deleted_messages set undo_until = now() where message_id = $1', [id]),
  )
  expect(await call(hotel.ben, 'POST', `${path}/undo-delete/`)).toMatchObject(refused(409, 'undo_window_over'))
})

test('hotel.bulk: all of them or none', async () => {
  const stay = await checkIn(hotel)
  const path = `${stay.path}/messages/bulk-delete/`
  const [first, second] = [await send(hotel.ben, stay, '1'), await send(hotel.ben, stay, '2')]
  const guests = await send(stay.guest, stay, '3')
  expect(await call(hotel.ben, 'POST', path, { message_ids: [first, guests] })).toMatchObject(
    refused(403, 'not_the_author'),
  )
  const unknown = await call(hotel.ben, 'POST', path, { message_ids: [first, randomUUID()] })
  expect(unknown).toMatchObject(refused(404, 'message_not_found'))
  const many = await call(hotel.ben, 'POST', path, { message_ids: Array(101).fill(first) })
  expect(many).toMatchObject(refused(400, 'message_count_out_of_range'))
  expect(await call(hotel.ben, 'POST', path, { message_ids: [] })).toMatchObject({ status: 400 })
  expect(await textsOf(stay.guest, stay)).toEqual(['3', '2', '1'])

  const { status, body } = await call(hotel.ben, 'POST', path, { message_ids: [first, second] })
  expect({ status, body }).toEqual({
    status: 200,
    body: { success: true, message: 'Messages deleted successfully', deleted_message_ids: [first, second] },
  })
  expect(await textsOf(stay.guest, stay)).toEqual(['3', '[Message deleted]', '[Message deleted]'])
})

test('hotel.archive: a ZIP of the files that are there', async () => {
  const stay = await checkIn(hotel)
  const path = `${stay.path}/download-archive/`
  const empty = await call(stay.guest, 'GET', path)
  expect(unzip(Buffer.from(empty.body))).toEqual([])

  const text = ['text/plain', bytesOf.text] as const
  const both = await upload(stay.guest, stay.path, ['a.txt', ...text], ['A.TXT', ...text])
  await send(stay.guest, stay, 'two files', both)
  const deleted = await send(
    hotel.ben,
    stay,
    'one more',
    await upload(hotel.ben, stay.path, ['b.png', 'image/png', bytesOf.png]),
  )
  await call(hotel.ben, 'DELETE', `${stay.path}/messages/${deleted}/`)

  const { status, body, headers } = await call(hotel.ben, 'GET', path)
  expect({ status, type: headers.get('content-type') }).toEqual({ status: 200, type: 'application/zip' })
  expect(headers.get('content-disposition')).toContain('attachment')
  expect(unzip(Buffer.from(body))).toEqual([
    ['a.txt', bytesOf.text],
    ['A (2).TXT', bytesOf.text],
  ])
  expect(await call(eve, 'GET', path)).toMatchObject(refused(403, 'not_a_member'))
})

test('hotel.archive: over 200 files is too large', async () => {
  const stay = await checkIn(hotel)
  const message = await send(stay.guest, stay, 'many')
  await withDatabase(async (database) => {
    // Faster than to upload them.
    await database.query(
      `insert into public.media_assets
         (provider, public_id, resource_type, owner_id, room_id, file_name, declared_mime_type, declared_size_bytes)
       select 'cloudinary', 'many/' || gen_random_uuid(), 'raw', $1, $2, 'a.txt', 'text/plain', 1
       from generate_series(1, 201)`,
      [stay.guest.id, stay.id],
    )
    for (const state of ['verified', 'attached']) {
      await database.query(
        `update public.media_assets set state = $2, mime_type = 'text/plain', size_bytes = 1 where room_id = $1`,
        [stay.id, state],
      )
    }
    await database.query(
      `insert into public.message_attachments (message_id, asset_id, room_id, position)
       select $1, id, room_id, row_number() over () from public.media_assets where room_id = $2`,
      [message, stay.id],
    )
  })
  const answer = await call(stay.guest, 'GET', `${stay.path}/download-archive/`)
  expect(answer).toMatchObject(refused(413, 'archive_too_large'))
})

test('hotel.edit: the text and never the files', async () => {
  const stay = await checkIn(hotel)
  const heard = await listen(stay.guest, stay.topic)
  const files = await upload(hotel.ben, stay.path, ['a.txt', 'text/plain', bytesOf.text])
  const id = await send(hotel.ben, stay, 'at eigth', files)
  const path = `${stay.path}/messages/${id}/`
  const edited = await call(hotel.ben, 'PATCH', path, { message: 'at eight', attachment_ids: [] })
  expect(edited).toMatchObject({
    status: 200,
    body: { success: true, id, message: 'at eight', is_edited: true, attachments: [{ id: files[0] }] },
  })
  expect(await heard.next('message-edited')).toMatchObject({ message: { id, content: 'at eight', is_edited: true } })
  expect(await call(hotel.admin, 'PATCH', path, { message: 'never' })).toMatchObject(refused(403, 'not_the_author'))
  expect(await call(hotel.ben, 'PATCH', path, {})).toMatchObject({
    status: 400,
    body: { fields: { message: expect.any(String) } },
  })
})

test('whatever a guest sends is answered, and never with a fault of ours', async () => {
  const stay = await checkIn(hotel)
  const files = await upload(stay.guest, stay.path, ['a.txt', 'text/plain', bytesOf.text])
  const id = await send(stay.guest, stay, 'here', files)
  const bodies = [
    ['POST', 'messages/', { message: 'Hello', reply_to: id, attachment_ids: [], temp_id: '1' }],
    ['PATCH', `messages/${id}/`, { message: 'there' }],
    ['POST', `messages/${id}/track-download/`, { attachment_ids: files, download_timestamp: '2025-11-04T12:30:00Z' }],
    ['POST', 'messages/bulk-delete/', { message_ids: [randomUUID()], reason: 'so' }],
    ['DELETE', `messages/${randomUUID()}/`, { reason: 'so' }],
    ['POST', 'upload/', { files: [{ file_name: 'a.txt', mime_type: 'text/plain', size_bytes: 1 }] }],
  ] as const
  const values = [null, {}, 'x'.repeat(20_000), 'zero \0 byte', '\ud800']
  for (const [method, path, body] of bodies) {
    for (const field of Object.keys(body)) {
      for (const wrong of values) {
        const { status } = await call(stay.guest, method, `${stay.path}/${path}`, { ...body, [field]: wrong })
        expect([200, 201, 400, 404, 409], `${method} ${path} ${field}: ${wrong}`.slice(0, 200)).toContain(status)
      }
    }
  }
}, 60_000)
