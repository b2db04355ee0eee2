import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { type Listener, listen } from '../support/channels.ts'
import { unzip } from '../support/files.ts'
import { sandbox, scriptFailure, withDatabase } from '../support/jobs.ts'
import { type Person, signUp } from '../support/people.ts'
import { bytesOf, checkIn, type Hotel, openHotel, refused, type Stay, upload } from './hotels.ts'
import { call, tokenOf } from './http.ts'

/** The document's testing checklist, line by line. */

let hotel: Hotel
let stay: Stay

beforeAll(async () => {
  hotel = await openHotel()
  stay = await checkIn(hotel)
})

async function send(from: Person, message: string, attachment_ids: string[] = [], to = stay): Promise<string> {
  const { status, body } = await call(from, 'POST', `${to.path}/messages/`, { message, attachment_ids })
  expect(status).toBe(201)
  return body.id
}

const remove = (who: Person, id: string, query = '', from = stay) =>
  call(who, 'DELETE', `${from.path}/messages/${id}/${query}`)

async function messageSeenBy(who: Person, id: string) {
  const { body } = await call(who, 'GET', `${stay.path}/messages/`)
  return body.messages.find((each: { id: string }) => each.id === id)
}

/** Where a file lies at Cloudinary. */
async function placeOf(who: Person, attachmentId: string): Promise<string> {
  const { data } = await who.client
    .from('message_attachments')
    .select('media_assets(public_id)')
    .eq('id', attachmentId)
    .single()
    .throwOnError()
  return (data.media_assets as { public_id: string }).public_id
}

async function isAtCloudinary(place: string): Promise<boolean> {
  const { resources } = await sandbox('cloudinary')
  return resources.some(({ public_id }: { public_id: string }) => public_id === place)
}

/** As if the undo window were over. */
function endUndoWindow(id: string) {
  return withDatabase((database) =>
    database.query('update private.deleted_messages set undo_until = now() where message_id = $1', [id]),
  )
}

const patience = { timeout: 28_000, interval: 200 }
const gone = (place: string) => expect.poll(() => isAtCloudinary(place), patience).toBe(false)
const picture = ['view.png', 'image/png', bytesOf.png] as const

// The document's own front end, as far as it deletes.

/** `api` of the document's examples: axios with the base URL and the headers set. */
async function apiOf(who: Person) {
  const headers = {
    Authorization: `Token ${await tokenOf(who)}`,
    'X-Hotel-ID': hotel.id,
    'X-Hotel-Slug': hotel.slug,
  }
  return {
    async delete(path: string) {
      const response = await fetch(`${inject('stack').url}/functions/v1/api${path}`, { method: 'DELETE', headers })
      const data = await response.json()
      if (!response.ok) throw Object.assign(new Error(data.message), { status: response.status })
      return data
    },
  }
}

/** `ChatWindow`: success removes the message and says so, an error is an alert and the message stays. */
class ChatWindow {
  readonly messages: string[]
  readonly said: string[] = []
  readonly #api: Awaited<ReturnType<typeof apiOf>>

  constructor(api: Awaited<ReturnType<typeof apiOf>>, messages: string[]) {
    this.#api = api
    this.messages = messages
  }

  async handleDeleteMessage(hotelSlug: string, conversationId: string, messageId: string): Promise<void> {
    try {
      const answer = await this.#api.delete(`/chat/${hotelSlug}/conversations/${conversationId}/messages/${messageId}/`)
      this.#drop(answer.deleted_message_id)
      this.said.push(answer.message)
    } catch (error) {
      this.said.push(`Error: ${(error as Error).message}`)
    }
  }

  async handleMessageDeleted(told: Promise<Record<string, unknown>>): Promise<void> {
    this.#drop((await told).message_id as string)
  }

  #drop(messageId: string): void {
    this.messages.splice(this.messages.indexOf(messageId), 1)
  }
}

describe('Backend Tests Required', () => {
  test('Delete message by message author (should succeed)', async () => {
    for (const author of [hotel.ben, stay.guest]) {
      const id = await send(author, 'mine')
      expect(await remove(author, id)).toMatchObject({
        status: 200,
        body: { success: true, message: 'Message deleted successfully', deleted_message_id: id },
      })
      expect(await messageSeenBy(hotel.carla, id)).toMatchObject({ is_deleted: true, message: '[Message deleted]' })
    }
  })

  test('Delete message by different user (should fail with 403)', async () => {
    const id = await send(hotel.ben, 'not yours')
    for (const other of [hotel.carla, stay.guest]) {
      expect(await remove(other, id)).toMatchObject(refused(403, 'not_the_author'))
    }
    expect(await messageSeenBy(hotel.carla, id)).toMatchObject({ is_deleted: false, message: 'not yours' })
  })

  test("Delete message that doesn't exist (should fail with 404)", async () => {
    expect(await remove(hotel.admin, randomUUID())).toMatchObject(refused(404, 'message_not_found'))
  })

  test('Delete message and verify Cloudinary files are removed', async () => {
    const files = await upload(stay.guest, stay.path, [...picture], ['menu.pdf', 'application/pdf', bytesOf.pdf])
    const id = await send(stay.guest, 'two files', files)
    const places = await Promise.all(files.map((file) => placeOf(stay.guest, file)))
    // The first attempt fails, and is made again.
    await scriptFailure('cloudinary', { operation: 'destroy', target: places[0], status: 500 })

    expect(await remove(stay.guest, id)).toMatchObject({ status: 200 })
    // They can come back for as long as the delete can be undone.
    for (const place of places) expect(await isAtCloudinary(place)).toBe(true)
    await endUndoWindow(id)
    for (const place of places) await gone(place)
    const { destroyed } = await sandbox('cloudinary')
    expect(destroyed.map(({ publicId }: { publicId: string }) => publicId)).toEqual(expect.arrayContaining(places))
  }, 60_000)

  test('Verify Pusher event is broadcast correctly', async () => {
    const [staff, guest] = [await listen(hotel.carla, stay.topic), await listen(stay.guest, stay.topic)]
    const id = await send(hotel.ben, 'one moment', await upload(hotel.ben, stay.path, [...picture]))
    await remove(hotel.ben, id)
    for (const listener of [staff, guest]) {
      expect(await listener.next('message-deleted')).toMatchObject({
        message_id: id,
        hard_delete: false,
        message: { id, message: '[Message and file(s) deleted]', is_deleted: true },
      })
    }
  })

  test('Test deleting the last message in a conversation (conversation last_message should update)', async () => {
    const [first, last] = [await send(hotel.ben, 'first'), await send(hotel.ben, 'last')]
    const lastMessageId = async () => {
      const { data } = await stay.guest.client.rpc('get_rooms', { p_room_id: stay.id }).throwOnError()
      return (data as unknown as [{ last_message: { id: string } }])[0].last_message.id
    }
    expect(await lastMessageId()).toBe(last)
    await remove(hotel.ben, last)
    expect(await lastMessageId()).toBe(first)
  })

  test('Test soft delete vs hard delete behavior', async () => {
    const [soft, hard] = [await send(hotel.manager, 'soft'), await send(hotel.manager, 'hard')]
    await remove(hotel.manager, soft)
    await remove(hotel.manager, hard, '?hard=true')
    for (const id of [soft, hard]) expect(await messageSeenBy(stay.guest, id)).toMatchObject({ is_deleted: true })

    const undo = (id: string) => call(hotel.manager, 'POST', `${stay.path}/messages/${id}/undo-delete/`)
    expect(await undo(soft)).toMatchObject({ status: 200, body: { message: 'soft', is_deleted: false } })
    expect(await undo(hard)).toMatchObject(refused(409, 'undo_window_over'))
    // Nothing is left of it, not even where nobody looks.
    const { rows } = await withDatabase((database) =>
      database.query(
        `select content from public.chat_messages where id = $1
         union all select content from private.deleted_messages where message_id = $1`,
        [hard],
      ),
    )
    expect(rows).toEqual([{ content: '[Message deleted]' }])
  })

  test('Test cascade deletion of attachments', async () => {
    const files = await upload(hotel.manager, stay.path, [...picture])
    const id = await send(hotel.manager, 'with a file', files)
    const place = await placeOf(stay.guest, files[0] as string)
    // The same file, shown by another message.
    const elsewhere = await checkIn(hotel)
    const forwarded = await call(hotel.manager, 'POST', `/api/chat/messages/${id}/forward`, {
      target_room_ids: [elsewhere.id],
    })
    const [copy] = forwarded.body.data.forwarded_messages

    expect(await remove(hotel.manager, id, '?hard=true')).toMatchObject({ status: 200 })
    const { data } = await hotel.admin.client
      .from('message_attachments')
      .select('id')
      .eq('message_id', id)
      .throwOnError()
    expect(data).toEqual([])
    const shown = await call(elsewhere.guest, 'GET', `${elsewhere.path}/messages/`)
    expect((await fetch(shown.body.messages[0].attachments[0].url)).status).toBe(200)

    expect(await remove(hotel.manager, copy.id, '?hard=true', elsewhere)).toMatchObject({ status: 200 })
    await gone(place)
  })
})

describe('Integration Tests', () => {
  test('Frontend receives Pusher event and removes message from UI', async () => {
    const id = await send(hotel.ben, 'soon gone')
    const listener = await listen(stay.guest, stay.topic)
    const guests = new ChatWindow(await apiOf(stay.guest), [id])
    const bens = new ChatWindow(await apiOf(hotel.ben), [id])
    await bens.handleDeleteMessage(hotel.slug, stay.id, id)
    expect(bens).toMatchObject({ messages: [], said: ['Message deleted successfully'] })
    await guests.handleMessageDeleted(listener.next('message-deleted'))
    expect(guests.messages).toEqual([])
  })

  test('Multiple users in same conversation see message disappear in real-time', async () => {
    const id = await send(stay.guest, 'soon gone')
    const people = [stay.guest, hotel.ben, hotel.carla, hotel.manager, hotel.admin]
    const heard = await Promise.all(people.map((who) => listen(who, stay.topic)))
    const windows = await Promise.all(people.map(async (who) => new ChatWindow(await apiOf(who), ['another', id])))
    await remove(stay.guest, id)
    await Promise.all(
      windows.map((window, index) => window.handleMessageDeleted((heard[index] as Listener).next('message-deleted'))),
    )
    for (const { messages } of windows) expect(messages).toEqual(['another'])
  })

  test('Error handling when backend is unavailable', async () => {
    // Cloudinary does not answer: what was uploaded cannot be looked at, and is sent later.
    const announced = await call(stay.guest, 'POST', `${stay.path}/upload/`, {
      files: [{ file_name: 'menu.pdf', mime_type: 'application/pdf', size_bytes: bytesOf.pdf.length }],
    })
    const [{ attachment_id, upload_url, fields }] = announced.body.uploads
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.append(name, value as string)
    form.append('file', new Blob([bytesOf.pdf]))
    expect((await fetch(upload_url, { method: 'POST', body: form })).status).toBe(200)

    const fail = (operation: string) =>
      scriptFailure('cloudinary', { operation, target: fields.public_id, status: 500, message: 'a word of theirs' })
    const sending = { message: 'the menu', attachment_ids: [attachment_id], temp_id: 'tmp-1' }
    const path = `${stay.path}/messages/`
    await fail('download')
    const refusal = await call(stay.guest, 'POST', path, sending)
    expect(refusal).toMatchObject(refused(503, 'unavailable'))
    expect(Number(refusal.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(JSON.stringify(refusal.body)).not.toContain('a word of theirs')
    const { status, body } = await call(stay.guest, 'POST', path, sending)
    expect(status).toBe(201)

    // An archive is whole or an error.
    await fail('download')
    expect(await call(hotel.ben, 'GET', `${stay.path}/download-archive/`)).toMatchObject(refused(503, 'unavailable'))
    const archive = await call(hotel.ben, 'GET', `${stay.path}/download-archive/`)
    expect(unzip(Buffer.from(archive.body))).toEqual([['menu.pdf', bytesOf.pdf]])

    // An error is an alert, and the message stays.
    const window = new ChatWindow(await apiOf(hotel.carla), [body.id])
    await window.handleDeleteMessage(hotel.slug, stay.id, body.id)
    expect(window).toMatchObject({ messages: [body.id], said: ['Error: Only its author may do this.'] })
    // To delete needs no Cloudinary.
    await fail('destroy')
    const guests = new ChatWindow(await apiOf(stay.guest), [body.id])
    await guests.handleDeleteMessage(hotel.slug, stay.id, body.id)
    expect(guests.messages).toEqual([])
  })

  test('Permission checks for different user roles', async () => {
    const eve = await signUp('Eve')
    const { admin, manager, ben, carla } = hotel
    const { guest } = stay
    // Who may delete what whom has written, softly and for good.
    const may: [who: Person, author: Person, soft: number, hard: number][] = [
      [admin, guest, 200, 200],
      [admin, ben, 200, 200],
      [manager, guest, 200, 200],
      [manager, admin, 200, 200],
      [carla, carla, 200, 403],
      [carla, ben, 403, 403],
      [carla, guest, 403, 403],
      [guest, guest, 200, 403],
      [guest, ben, 403, 403],
      [eve, guest, 403, 403],
    ]
    for (const [who, author, soft, hard] of may) {
      const id = await send(author, 'whose?')
      expect((await remove(who, id, '?hard=true')).status).toBe(hard)
      if (hard === 403) expect((await remove(who, id)).status).toBe(soft)
      else expect((await remove(who, await send(author, 'whose?'))).status).toBe(soft)
    }
  })
})
