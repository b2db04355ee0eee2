import { randomBytes, randomUUID } from 'node:crypto'
import { beforeEach, expect, inject, test } from 'vitest'
import { jpeg, png } from '../stack/sandbox/images.ts'
import { announce, callFunction, post, unzip, upload } from '../support/files.ts'
import { sandbox, scriptFailure, withDatabase } from '../support/jobs.ts'
import { type Person, signUp } from '../support/people.ts'

const patience = { timeout: 20_000, interval: 100 }
const picture = png(640, 480)
const pdf = Buffer.from('%PDF-1.7\nA menu.')

let ana: Person
let ben: Person
let eve: Person
let room: string

// Of their own for each test: uploads are counted.
beforeEach(async () => {
  ;[ana, ben, eve] = await Promise.all([signUp('Ana'), signUp('Ben'), signUp('Eve')])
  room = await directChat(ana, ben)
})

async function directChat(one: Person, other: Person): Promise<string> {
  const { data } = await one.client.rpc('start_direct_chat', { p_user_id: other.id }).throwOnError()
  return (data as { id: string }).id
}

async function send(who: Person, roomId: string, ...attachmentIds: string[]): Promise<string> {
  const { data } = await who.client
    .rpc('send_message', { p_room_id: roomId, p_attachment_ids: attachmentIds })
    .throwOnError()
  return (data as { message_id: string }).message_id
}

const complete = (who: Person, ...ids: string[]) => callFunction(who, 'attachments/complete', { attachment_ids: ids })
const sign = (who: Person | null, ...ids: string[]) => callFunction(who, 'attachments/sign', { attachment_ids: ids })

async function stateOf(id: string): Promise<string> {
  return withDatabase(async (client) => {
    const { rows } = await client.query('select state from public.media_assets where id = $1', [id])
    return rows[0]?.state
  })
}

async function isAtCloudinary(id: string): Promise<boolean> {
  const { resources } = await sandbox('cloudinary')
  return resources.some(({ public_id }: { public_id: string }) => public_id.includes(id))
}

async function bytesAt(url: string): Promise<Buffer> {
  const response = await fetch(url)
  expect([url, response.status]).toEqual([url, 200])
  return Buffer.from(await response.arrayBuffer())
}

test('staff.upload: a picture from its upload to its thumbnail and its deletion', async () => {
  const announced = await callFunction(ana, 'attachments', {
    room_id: room,
    files: [
      { file_name: 'sea.png', mime_type: 'image/png', size_bytes: picture.length },
      { file_name: 'Menü.pdf', mime_type: 'application/pdf', size_bytes: pdf.length },
    ],
  })
  expect(announced).toMatchObject({
    status: 200,
    body: {
      success: true,
      uploads: [
        {
          file_name: 'sea.png',
          upload_url: expect.stringMatching(/\/image\/upload$/),
          fields: { public_id: expect.stringMatching(/^parley\/[\w-]{36}$/), type: 'authenticated' },
        },
        { file_name: 'Menü.pdf', upload_url: expect.stringMatching(/\/raw\/upload$/) },
      ],
    },
  })
  const [sea, menu] = announced.body.uploads
  const ids = [sea.attachment_id, menu.attachment_id]
  expect((await post(sea, picture)).status).toBe(200)
  expect((await post(menu, pdf)).status).toBe(200)

  const sent = () =>
    ana.client.rpc('send_message', { p_room_id: room, p_content: 'look', p_attachment_ids: ids }).single()
  expect((await sent()).error).toMatchObject({ details: 'attachment_not_verified' })
  const completed = await complete(ana, ...ids)
  expect(completed).toMatchObject({
    status: 200,
    body: {
      success: true,
      attachments: [
        {
          id: ids[0],
          file_name: 'sea.png',
          mime_type: 'image/png',
          size_bytes: picture.length,
          url: expect.stringMatching(/^http/),
          thumbnail_url: expect.stringMatching(/^http/),
        },
        {
          id: ids[1],
          file_name: 'Menü.pdf',
          mime_type: 'application/pdf',
          size_bytes: pdf.length,
          thumbnail_url: null,
        },
      ],
    },
  })
  expect(await complete(ana, ...ids)).toMatchObject({ status: 200 })
  const { data } = await sent().throwOnError()
  const messageId = (data as { message_id: string }).message_id

  const { status, body } = await sign(ben, ...ids)
  expect([status, body.urls.map((url: { attachment_id: string }) => url.attachment_id)]).toEqual([200, ids])
  const lifetime = Date.parse(body.urls[0].expires_at) - Date.now()
  expect(lifetime).toBeGreaterThan(280_000)
  expect(lifetime).toBeLessThanOrEqual(300_000)
  expect(await bytesAt(body.urls[0].url)).toEqual(picture)
  expect(await bytesAt(body.urls[1].url)).toEqual(pdf)
  const thumbnail = await fetch(body.urls[0].thumbnail_url)
  expect([thumbnail.status, thumbnail.headers.get('x-sandbox-transformation')]).toEqual([200, 'ignored'])
  // Nothing opens without our signature.
  expect((await fetch(body.urls[0].thumbnail_url.replace('w_480', 'w_4800'))).status).toBe(401)
  expect((await fetch(body.urls[0].url.replace(/expires_at=\d+/, 'expires_at=99999999999'))).status).toBe(401)

  await ana.client.rpc('delete_message', { p_message_id: messageId }).throwOnError()
  expect(await sign(ben, ids[0])).toMatchObject({ status: 404, body: { error: 'attachment_not_found' } })
  expect(await stateOf(ids[0])).toBe('attached')
  // As if the time to undo it were over.
  await withDatabase(async (client) => {
    const past = "update private.deleted_messages set undo_until = now() - interval '1 second' where message_id = $1"
    await client.query(past, [messageId])
    await client.query('select private.wipe_deleted_messages()')
  })
  await expect.poll(() => Promise.all(ids.map(stateOf)), patience).toEqual(['gone', 'gone'])
  expect(await Promise.all(ids.map(isAtCloudinary))).toEqual([false, false])
})

test('staff.upload: a 400 names each refused file, and nothing is announced', async () => {
  const files = [
    { file_name: 'good.png', mime_type: 'image/png', size_bytes: 1 },
    { file_name: 'page.html', mime_type: 'text/html', size_bytes: 1 },
    { file_name: 'film.mp4', mime_type: 'video/mp4', size_bytes: 52_428_801 },
    { file_name: 'nothing.txt', mime_type: 'text/plain', size_bytes: 0 },
  ]
  const { status, body } = await callFunction(ana, 'attachments', { room_id: room, files })
  expect(status).toBe(400)
  expect(body).toMatchObject({ success: false, error: 'files_refused' })
  expect(body.refused).toEqual([
    { file_name: 'page.html', error: 'file_type_not_allowed', message: 'Files of this type cannot be sent.' },
    { file_name: 'film.mp4', error: 'file_too_large', message: 'This file is too large.' },
    { file_name: 'nothing.txt', error: 'file_empty', message: 'A file is not empty.' },
  ])
  const { data } = await ana.client.from('media_assets').select('id').eq('file_name', 'good.png')
  expect(data).toEqual([])

  const many = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ file_name: `${n}.png`, mime_type: 'image/png', size_bytes: 1 }))
  expect(await callFunction(ana, 'attachments', { room_id: room, files: many(11) })).toMatchObject({
    status: 400,
    body: { error: 'too_many_attachments' },
  })
  expect((await callFunction(ana, 'attachments', { room_id: room, files: many(10) })).body.uploads).toHaveLength(10)
})

test('staff.upload: a signature opens one place, for one kind of file, once', async () => {
  const announced = await announce(ana, room, 'sea.png', 'image/png', 100)
  const elsewhere = { ...announced.fields, public_id: `parley/${randomUUID()}` }
  const forged = await post({ ...announced, fields: elsewhere }, picture)
  expect([forged.status, forged.headers.get('x-cld-error')]).toEqual([401, expect.stringMatching(/^Invalid Signature/)])
  const open = { ...announced.fields, type: 'upload' }
  expect((await post({ ...announced, fields: open }, picture)).status).toBe(401)
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
  for (const other of [pdf, svg]) {
    const refused = await post(announced, other)
    expect([refused.status, refused.headers.get('x-cld-error')]).toEqual([400, expect.stringMatching(/not allowed$/)])
  }
  expect(await complete(ana, announced.attachment_id)).toMatchObject({
    status: 409,
    body: {
      error: 'attachment_not_verified',
      refused: [{ attachment_id: announced.attachment_id, file_name: 'sea.png', error: 'attachment_not_verified' }],
    },
  })

  expect((await post(announced, picture)).status).toBe(200)
  expect(await complete(ana, announced.attachment_id)).toMatchObject({ status: 200 })
  // What was verified stays what it is.
  await post(announced, png(1, 1))
  const { body } = await sign(ana, announced.attachment_id)
  expect(await bytesAt(body.urls[0].url)).toEqual(picture)
})

test('staff.upload: what arrived is looked at, not what was announced', async () => {
  const large = await announce(ana, room, 'small.png', 'image/png', picture.length - 1)
  await post(large, picture)
  expect(await complete(ana, large.attachment_id)).toMatchObject({
    status: 400,
    body: {
      error: 'files_refused',
      refused: [{ attachment_id: large.attachment_id, file_name: 'small.png', error: 'file_too_large' }],
    },
  })
  expect(await stateOf(large.attachment_id)).toMatch(/^(delete_requested|gone)$/)
  expect(await complete(ana, large.attachment_id)).toMatchObject({ status: 404 })

  // A program, and a page, in place of documents.
  for (const [name, type, bytes] of [
    ['menu.pdf', 'application/pdf', Buffer.from('MZ\x90\0\x03\0\0\0')],
    ['menu.pdf', 'application/pdf', Buffer.from('<html><script>alert(1)</script></html>')],
    ['list.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', pdf],
    ['list.csv', 'text/csv', Buffer.from('PK\x03\x04\0\0\0\0')],
  ] as const) {
    const forged = await announce(ana, room, name, type, 100)
    expect((await post(forged, bytes)).status).toBe(200)
    const { status, body } = await complete(ana, forged.attachment_id)
    const accepted = status === 200 ? body.attachments[0].mime_type : body.refused[0].error
    // What turns out to be another type that may be sent is shown as that.
    const others: Record<string, string> = { 'list.docx': 'application/pdf' }
    expect([name, accepted]).toEqual([name, others[name] ?? (bytes[0] === 60 ? 'text/plain' : 'file_type_not_allowed')])
  }

  const photo = jpeg(4000, 3000)
  const converted = await announce(ana, room, 'photo.png', 'image/png', photo.length)
  await post(converted, photo)
  expect((await complete(ana, converted.attachment_id)).body.attachments).toMatchObject([{ mime_type: 'image/jpeg' }])
})

test('staff.upload: one good file and one bad one: the good one can be sent', async () => {
  const good = await announce(ana, room, 'good.png', 'image/png', picture.length)
  const missing = await announce(ana, room, 'missing.png', 'image/png', picture.length)
  await post(good, picture)
  const { status, body } = await complete(ana, good.attachment_id, missing.attachment_id)
  expect([status, body.refused]).toEqual([409, [expect.objectContaining({ attachment_id: missing.attachment_id })]])
  await send(ana, room, good.attachment_id)
})

test('staff.upload: a body with files is passed through, up to 8 MB', async () => {
  const form = (...files: [string, string, Uint8Array][]) => {
    const body = new FormData()
    for (const [name, type, bytes] of files) body.append('files', new File([new Uint8Array(bytes)], name, { type }))
    return body
  }
  const path = `attachments?room_id=${room}`
  const passed = await callFunction(
    ana,
    path,
    form(['sea.png', 'image/png', picture], ['notes.txt', 'text/plain', Buffer.from('Soup, then fish.')]),
  )
  expect(passed).toMatchObject({
    status: 200,
    body: {
      success: true,
      attachments: [
        { file_name: 'sea.png', mime_type: 'image/png', thumbnail_url: expect.stringMatching(/^http/) },
        { file_name: 'notes.txt', mime_type: 'text/plain', thumbnail_url: null },
      ],
    },
  })
  const [sea, notes] = passed.body.attachments
  expect(await bytesAt(sea.url)).toEqual(picture)
  await send(ana, room, sea.id, notes.id)
  expect((await sign(ben, sea.id, notes.id)).status).toBe(200)

  expect(await callFunction(ana, path, form(['large.txt', 'text/plain', Buffer.alloc(8_388_609, 'a')]))).toMatchObject({
    status: 413,
    body: { error: 'use_direct_upload' },
  })
  const named = { body: { error: 'files_refused', refused: [{ file_name: 'a.png', error: 'file_type_not_allowed' }] } }
  expect(await callFunction(ana, path, form(['a.png', 'image/png', pdf]))).toMatchObject({ status: 400, ...named })
  expect(await callFunction(ana, path, form(['a.png', 'text/html', picture]))).toMatchObject({ status: 400, ...named })
  expect(await callFunction(ana, path, form())).toMatchObject({
    status: 400,
    body: { fields: { files: expect.any(String) } },
  })
  expect(await callFunction(eve, path, form(['sea.png', 'image/png', picture]))).toMatchObject({
    status: 403,
    body: { error: 'not_a_member' },
  })
})

test('files are for those who may see them', async () => {
  const id = await upload(ana, room, 'sea.png', 'image/png', picture)
  // Nobody else verifies, sees or sends it.
  expect(await complete(ben, id)).toMatchObject({ status: 404, body: { error: 'attachment_not_found' } })
  expect(await sign(ben, id)).toMatchObject({ status: 404 })
  const stolen = await ben.client.rpc('send_message', { p_room_id: room, p_attachment_ids: [id] })
  expect(stolen.error).toMatchObject({ details: 'attachment_not_found' })
  const pending = await announce(ana, room, 'sea.png', 'image/png', picture.length)
  await post(pending, picture)
  expect(await complete(ben, pending.attachment_id)).toMatchObject({ status: 404 })
  expect(await stateOf(pending.attachment_id)).toBe('pending')

  const { data } = await ana.client.rpc('create_group_chat', { p_title: 'Pool', p_member_ids: [ben.id] }).throwOnError()
  const group = (data as { id: string }).id
  const shown = await upload(ana, group, 'sea.png', 'image/png', picture)
  await send(ana, group, shown)
  expect(await sign(ben, shown)).toMatchObject({ status: 200 })
  await ana.client.rpc('remove_room_member', { p_room_id: group, p_user_id: ben.id }).throwOnError()
  expect(await sign(ben, shown)).toMatchObject({ status: 403, body: { error: 'not_a_member' } })
  expect(await sign(eve, shown)).toMatchObject({ status: 403, body: { error: 'not_a_member' } })
  expect(await callFunction(ben, `attachments/archive?room_id=${group}`)).toMatchObject({ status: 403 })
  expect(await sign(ana, shown, randomUUID())).toMatchObject({ status: 404 })
  expect(await callFunction(eve, 'attachments', { room_id: room, files: [aFile] })).toMatchObject({
    status: 403,
    body: { error: 'not_a_member' },
  })
})

const aFile = { file_name: 'a.png', mime_type: 'image/png', size_bytes: 1 }

test('Cloudinary does not answer: 503, nothing is half done, and it works later', async () => {
  const announced = await announce(ana, room, 'sea.png', 'image/png', picture.length)
  await post(announced, picture)
  const target = announced.fields.public_id
  for (const failure of [{ status: 500 }, { status: 420 }]) {
    await scriptFailure('cloudinary', { operation: 'resources', target, ...failure })
    const answer = await complete(ana, announced.attachment_id)
    expect([failure, answer.status, answer.body.error]).toEqual([failure, 503, 'unavailable'])
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(await stateOf(announced.attachment_id)).toBe('pending')
  }
  expect(await complete(ana, announced.attachment_id)).toMatchObject({ status: 200 })

  const document = await announce(ana, room, 'menu.pdf', 'application/pdf', pdf.length)
  await post(document, pdf)
  await scriptFailure('cloudinary', { operation: 'download', target: document.fields.public_id, status: 500 })
  expect(await complete(ana, document.attachment_id)).toMatchObject({ status: 503 })
  expect(await complete(ana, document.attachment_id)).toMatchObject({ status: 200 })
})

async function bucketSize(bytes: number): Promise<void> {
  const resized = "update storage.buckets set file_size_limit = $1 where id = 'chat-attachments'"
  await withDatabase((client) => client.query(resized, [bytes]))
}

test('messaging.upload: a plain PUT, once, by its owner, of what was announced', async () => {
  const generate = (filename: string, filetype: string, who = ana) =>
    callFunction(who, 'attachments/generate-upload-url', { filename, filetype })
  const put = (url: string, type: string, bytes: Uint8Array) =>
    fetch(url, { method: 'PUT', headers: { 'content-type': type }, body: new Uint8Array(bytes) })
  const idOf = (key: string) => key.split('/')[1] ?? ''

  const { status, body } = await generate('Sea view.png', 'image/png')
  expect([status, body]).toEqual([
    200,
    {
      success: true,
      upload_url: expect.stringContaining('/storage/v1/object/upload/sign/chat-attachments/'),
      file_key: expect.stringMatching(/^uploads\/[\w-]{36}\/Sea_view.png$/),
    },
  ])
  expect((await put(body.upload_url.replace('Sea_view', 'Sea_vieu'), 'image/png', picture)).ok).toBe(false)
  expect((await put(body.upload_url, 'image/png', picture)).status).toBe(200)
  const again = await put(body.upload_url, 'image/png', png(1, 1))
  expect([again.ok, await again.json()]).toEqual([false, expect.objectContaining({ statusCode: '409' })])

  const id = idOf(body.file_key)
  const early = await ana.client.rpc('send_message', { p_room_id: room, p_attachment_ids: [id] })
  expect(early.error).toMatchObject({ details: 'attachment_not_verified' })
  expect(await complete(ben, id)).toMatchObject({ status: 404 })
  const { body: completed } = await complete(ana, id)
  expect(completed.attachments).toMatchObject([
    { id, file_name: 'Sea view.png', mime_type: 'image/png', size_bytes: picture.length, thumbnail_url: null },
  ])
  await send(ana, room, id)
  expect(await bytesAt((await sign(ben, id)).body.urls[0].url)).toEqual(picture)
  expect(await sign(eve, id)).toMatchObject({ status: 403 })
  const other = await directChat(ana, eve)
  const reused = await ana.client.rpc('send_message', { p_room_id: other, p_attachment_ids: [id] })
  expect(reused.error).toMatchObject({ details: 'attachment_not_found' })

  expect(await generate('page.html', 'text/html')).toMatchObject({
    status: 400,
    body: { error: 'files_refused', refused: [{ file_name: 'page.html', error: 'file_type_not_allowed' }] },
  })
  // Storage takes what the bucket takes; that it is something else shows when it is to be sent.
  for (const [type, bytes] of [
    ['image/png', Buffer.from('<html></html>')],
    ['text/plain', picture],
  ] as const) {
    const { body: forged } = await generate('forged.png', 'image/png')
    expect((await put(forged.upload_url, type, bytes)).status).toBe(200)
    expect(await complete(ana, idOf(forged.file_key))).toMatchObject({
      status: 400,
      body: { refused: [{ file_name: 'forged.png', error: 'file_type_not_allowed' }] },
    })
  }
  const { body: page } = await generate('page.png', 'image/png')
  expect(await (await put(page.upload_url, 'text/html', picture)).json()).toMatchObject({ statusCode: '415' })
  // A smaller bucket than there is, so that too much is little.
  await bucketSize(1_000_000)
  const large = await put(page.upload_url, 'image/png', Buffer.alloc(1_000_001))
  await bucketSize(52_428_800)
  expect(await large.json()).toMatchObject({ statusCode: '413' })
  expect(await complete(ana, idOf(page.file_key))).toMatchObject({ status: 409 })
})

test('hotel.archive: all files of a chat, whoever keeps them, under names of their own', async () => {
  const { data } = await ana.client.rpc('create_group_chat', { p_title: 'Spa', p_member_ids: [ben.id] }).throwOnError()
  const group = (data as { id: string }).id
  expect(unzip((await callFunction(ana, `attachments/archive?room_id=${group}`)).body)).toEqual([])

  const film = Buffer.concat([Buffer.from('\0\0\0\x18ftypmp42', 'latin1'), randomBytes(3_000_000)])
  const expected: [string, Buffer][] = [
    ['sea.png', picture],
    ['sea (2).png', png(1, 1)],
    ['SEA (3).png', png(2, 2)],
    // Its ending is that of its type.
    ['Menü.exe.pdf', pdf],
    ['film.mp4', film],
    ['stored.png', png(3, 3)],
  ]
  const ids = [
    await upload(ana, group, 'sea.png', 'image/png', picture),
    await upload(ana, group, 'sea.png', 'image/png', png(1, 1)),
    await upload(ana, group, 'SEA.png', 'image/png', png(2, 2)),
    await upload(ana, group, 'Menü.exe', 'application/pdf', pdf),
    await upload(ana, group, 'film.mp4', 'video/mp4', film),
  ]
  const { body: stored } = await callFunction(ana, 'attachments/generate-upload-url', {
    filename: 'stored.png',
    filetype: 'image/png',
  })
  await fetch(stored.upload_url, {
    method: 'PUT',
    headers: { 'content-type': 'image/png' },
    body: new Uint8Array(png(3, 3)),
  })
  const storedId = stored.file_key.split('/')[1]
  expect(await complete(ana, storedId)).toMatchObject({ status: 200 })
  await send(ana, group, ...ids)
  await send(ana, group, storedId)
  const gone = await upload(ana, group, 'deleted.png', 'image/png', picture)
  await ana.client.rpc('delete_message', { p_message_id: await send(ana, group, gone) }).throwOnError()
  await upload(ana, group, 'unsent.png', 'image/png', picture)

  const archive = await callFunction(ben, `attachments/archive?room_id=${group}`)
  expect(archive.status).toBe(200)
  expect(Object.fromEntries(archive.headers)).toMatchObject({
    'content-type': 'application/zip',
    'content-disposition': `attachment; filename="attachments-${group}.zip"`,
  })
  const files = unzip(archive.body)
  expect(files.map(([name]) => name)).toEqual(expected.map(([name]) => name))
  for (const [index, [, bytes]] of files.entries()) expect(bytes.equals(expected[index]?.[1] as Buffer)).toBe(true)

  // A keeper that does not answer is no archive, and half of one does not look whole.
  const place = (id: string) => `parley/${id}`
  await scriptFailure('cloudinary', { operation: 'download', target: place(ids[0] as string), status: 500 })
  expect(await callFunction(ben, `attachments/archive?room_id=${group}`)).toMatchObject({
    status: 503,
    body: { error: 'unavailable' },
  })
  await scriptFailure('cloudinary', { operation: 'download', target: place(ids[4] as string), status: 500 })
  await expect(callFunction(ben, `attachments/archive?room_id=${group}`)).rejects.toThrow()

  await withDatabase((client) =>
    client.query('update public.media_assets set size_bytes = 209715201 where id = $1', [ids[0]]),
  )
  expect(await callFunction(ben, `attachments/archive?room_id=${group}`)).toMatchObject({
    status: 413,
    body: { success: false, error: 'archive_too_large' },
  })
})

test('what is asked wrongly is refused in words', async () => {
  const files = [aFile]
  for (const [who, path, body, status, error] of [
    [null, 'attachments', { room_id: room, files }, 401, 'not_signed_in'],
    [null, 'attachments/sign', { attachment_ids: [randomUUID()] }, 401, 'not_signed_in'],
    [ana, 'attachments', { room_id: 'lounge', files }, 400, 'invalid_input'],
    [ana, 'attachments', { room_id: room, files: [] }, 400, 'invalid_input'],
    [ana, 'attachments', { room_id: room, files: [{ ...aFile, file_name: 'a\0b' }] }, 400, 'invalid_input'],
    [ana, 'attachments', { room_id: randomUUID(), files }, 404, 'room_not_found'],
    [ana, 'attachments/sign', { attachment_ids: ['1'] }, 400, 'invalid_input'],
    [ana, 'attachments/complete', { attachment_ids: [randomUUID()] }, 404, 'attachment_not_found'],
    [ana, 'attachments/generate-upload-url', { filename: 'a.png' }, 400, 'invalid_input'],
    [ana, 'attachments/archive', {}, 405, 'method_not_allowed'],
    [ana, 'attachments/archive?room_id=1', undefined, 400, 'invalid_input'],
    [ana, `attachments/archive?room_id=${randomUUID()}`, undefined, 404, 'room_not_found'],
    [ana, 'attachments/sign', undefined, 405, 'method_not_allowed'],
    [ana, 'attachments/toString', {}, 404, 'not_found'],
    [ana, 'attachments/complete/', { attachment_ids: [randomUUID()] }, 404, 'attachment_not_found'],
  ] as const) {
    const answer = await callFunction(who, path, body)
    expect([path, answer.status, answer.body.success, answer.body.error]).toEqual([path, status, false, error])
    expect(answer.headers.get('x-request-id')).toMatch(/^[\w-]{36}$/)
  }
  const forged = await fetch(`${inject('stack').url}/functions/v1/attachments/sign`, {
    method: 'POST',
    headers: { authorization: 'Bearer e30.e30.e30' },
    body: JSON.stringify({ attachment_ids: [randomUUID()] }),
  })
  expect(forged.status).toBe(401)
})

test('calls are counted, as those of the HTTP door', async () => {
  const fill = (tokens: number) =>
    withDatabase((client) =>
      client.query(
        `insert into private.rate_buckets (user_id, action, tokens, filled_at) values ($1, 'call', $2, clock_timestamp())
         on conflict (user_id, action) do update set tokens = excluded.tokens, filled_at = excluded.filled_at`,
        [eve.id, tokens],
      ),
    )
  const calls: [path: string, body: object, error: string][] = [
    ['attachments/sign', { attachment_ids: [randomUUID()] }, 'attachment_not_found'],
    ['forward-message', { message_id: randomUUID(), target_room_ids: [room] }, 'message_not_found'],
  ]
  for (const [path, body, error] of calls) {
    await fill(-1000)
    const refused = await callFunction(eve, path, body)
    expect([path, refused.status, refused.body.error]).toEqual([path, 429, 'too_many_requests'])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    await fill(300)
    expect((await callFunction(eve, path, body)).body.error).toBe(error)
  }
})
