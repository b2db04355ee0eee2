import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { connect, type Person, signUp } from '../support/people.ts'
import { type Answer, call } from './http.ts'

/** A hotel of its own, with one of each who works there. */
export interface Hotel {
  id: string
  slug: string
  admin: Person
  manager: Person
  ben: Person
  carla: Person
}

export async function openHotel(): Promise<Hotel> {
  const people = ['Ana', 'Mark', 'Ben', 'Carla'].map(signUp)
  const [admin, manager, ben, carla] = (await Promise.all(people)) as [Person, Person, Person, Person]
  const slug = `hotel-${randomUUID()}`
  const { data } = await admin.client.rpc('create_organization', { p_name: 'Grand', p_slug: slug }).throwOnError()
  const { id } = data as { id: string }
  const hotel = { id, slug, admin, manager, ben, carla }
  await employ(hotel, manager, 'manager')
  await employ(hotel, ben)
  await employ(hotel, carla)
  return hotel
}

export async function employ(hotel: Hotel, who: Person, role = 'staff'): Promise<void> {
  await hotel.admin.client
    .rpc('add_organization_member', { p_organization_id: hotel.id, p_user_id: who.id, p_role: role })
    .throwOnError()
}

/** A guest in a hotel room, and the conversation with the staff. */
export interface Stay {
  guest: Person
  id: string
  /** The conversation's path in the hotel's document. */
  path: string
  topic: string
}

export async function checkIn({ ben, id, slug }: Hotel): Promise<Stay> {
  const number = randomUUID().slice(0, 8)
  const { data: stay } = await ben.client
    .rpc('check_in_guest', { p_organization_id: id, p_room_number: number, p_guest_name: 'Maria Lopez' })
    .throwOnError()
  const { code, room_id } = stay as { code: string; room_id: string }
  const client = connect()
  const { data, error } = await client.auth.signInAnonymously()
  if (error || !data.user) throw error ?? new Error('Nobody was signed in.')
  const guest = { id: data.user.id, email: '', client }
  const { data: room } = await client
    .rpc('join_as_guest', { p_hotel_slug: slug, p_room_number: number, p_code: code })
    .throwOnError()
  const { topic } = room as { topic: string }
  return { guest, id: room_id, path: `/api/chat/${slug}/conversations/${room_id}`, topic }
}

/** The smallest files that are what their types say. */
export const bytesOf = {
  png: Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
    'base64',
  ),
  pdf: Buffer.from('%PDF-1.4\n%%EOF\n'),
  text: Buffer.from('Dinner at eight.\n'),
}

/** A form as existing clients send it. */
export function formOf(...files: [name: string, type: string, bytes: Uint8Array][]): FormData {
  const form = new FormData()
  for (const [name, type, bytes] of files) form.append('files', new Blob([new Uint8Array(bytes)], { type }), name)
  return form
}

/** Uploads files to a conversation. Answers their ids. */
export async function upload(who: Person, path: string, ...files: Parameters<typeof formOf>): Promise<string[]> {
  const { body } = await call(who, 'POST', `${path}/upload/`, formOf(...files))
  if (!body.success) throw new Error(JSON.stringify(body))
  return body.attachments.map(({ id }: { id: string }) => id)
}

/** What a refusal looks like. */
export function refused(status: number, error: string): Partial<Answer> {
  return { status, body: { success: false, error, message: expect.any(String) } }
}
