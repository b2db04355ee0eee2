import { crc32 } from 'node:zlib'
import { inject } from 'vitest'
import type { Person } from './people.ts'

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they know is there, and fail when it is not
  body: any
}

/** Calls an edge function, as this person or as nobody; a body that is an object is sent as JSON. */
export async function callFunction(who: Person | null, path: string, body?: object | FormData): Promise<Answer> {
  const headers: Record<string, string> = {}
  if (who) {
    const { data } = await who.client.auth.getSession()
    headers.authorization = `Bearer ${data.session?.access_token}`
  }
  const isForm = body instanceof FormData
  if (body && !isForm) headers['content-type'] = 'application/json'
  const response = await fetch(`${inject('stack').url}/functions/v1/${path}`, {
    method: body ? 'POST' : 'GET',
    headers,
    ...(body && { body: isForm ? body : JSON.stringify(body) }),
  })
  const isJson = response.headers.get('content-type')?.startsWith('application/json')
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? await response.json() : Buffer.from(await response.arrayBuffer()),
  }
}

interface Upload {
  attachment_id: string
  file_name: string
  upload_url: string
  fields: Record<string, string>
}

/** Announces one file. */
export async function announce(who: Person, roomId: string, name: string, type: string, size: number): Promise<Upload> {
  const files = [{ file_name: name, mime_type: type, size_bytes: size }]
  const { status, body } = await callFunction(who, 'attachments', { room_id: roomId, files })
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body.uploads[0]
}

/** Posts a file as a client does: the fields, then the file. */
export function post({ upload_url, fields, file_name }: Upload, bytes: Uint8Array): Promise<Response> {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  form.append('file', new Blob([new Uint8Array(bytes)]), file_name)
  return fetch(upload_url, { method: 'POST', body: form })
}

/** Uploads a file and has it verified. */
export async function upload(
  who: Person,
  roomId: string,
  name: string,
  type: string,
  bytes: Uint8Array,
): Promise<string> {
  const announced = await announce(who, roomId, name, type, bytes.length)
  const response = await post(announced, bytes)
  if (!response.ok) throw new Error(await response.text())
  const { status, body } = await callFunction(who, 'attachments/complete', {
    attachment_ids: [announced.attachment_id],
  })
  if (status !== 200) throw new Error(JSON.stringify(body))
  return announced.attachment_id
}

/** The files of an archive that compresses nothing, by name and in order. @throws when a checksum is wrong. */
export function unzip(archive: Buffer): [string, Buffer][] {
  const end = archive.lastIndexOf('PK\x05\x06', undefined, 'latin1')
  const count = archive.readUInt16LE(end + 10)
  const files: [string, Buffer][] = []
  for (let at = archive.readUInt32LE(end + 16); files.length < count; ) {
    if (archive.readUInt32LE(at) !== 0x02014b50) throw new Error('There is no entry where one should be.')
    const [checksum, size] = [archive.readUInt32LE(at + 16), archive.readUInt32LE(at + 24)]
    const [nameLength, extraLength] = [archive.readUInt16LE(at + 28), archive.readUInt16LE(at + 30)]
    const local = archive.readUInt32LE(at + 42)
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength)
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
    const bytes = archive.subarray(start, start + size)
    if (crc32(bytes) !== checksum) throw new Error(`${name} is damaged.`)
    files.push([name, bytes])
    at += 46 + nameLength + extraLength + archive.readUInt16LE(at + 32)
  }
  return files
}
