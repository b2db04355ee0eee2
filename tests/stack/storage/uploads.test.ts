import { request } from 'node:http'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { localKeys } from '../../../src/stack/keys.ts'
import { type StorageServer, serveStorage } from './serve.ts'

let server: StorageServer
beforeAll(async () => {
  server = await serveStorage()
  const { storage } = server.admin
  await storage.createBucket('files', { public: false })
  await storage.createBucket('small', { public: false, fileSizeLimit: 100_000 })
  await storage.createBucket('pictures', { public: false, allowedMimeTypes: ['image/*', 'application/pdf'] })
})
afterAll(() => server.close())

beforeEach(async () => {
  for (const bucket of ['files', 'small', 'pictures']) await server.admin.storage.emptyBucket(bucket)
  expect(await server.files()).toEqual([])
})

const from = (bucket: string) => server.admin.storage.from(bucket)
const rows = () => server.sql(`select name from storage.objects`)
const authorization = `Bearer ${localKeys.secret}`

test('a form and a plain body store the same', async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(50_000))
  const options = { contentType: 'image/png', cacheControl: '60', metadata: { width: 12, title: 'Größe' } }
  await from('files').upload('plain.png', bytes, options)
  await from('files').upload('form.png', new Blob([bytes], { type: 'image/png' }), options)

  for (const name of ['plain.png', 'form.png']) {
    const { data } = await from('files').download(name)
    expect(new Uint8Array((await data?.arrayBuffer()) ?? [])).toEqual(bytes)
    expect((await from('files').info(name)).data).toMatchObject({
      name,
      bucketId: 'files',
      size: 50_000,
      contentType: 'image/png',
      cacheControl: 'max-age=60',
      etag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
      metadata: { width: 12, title: 'Größe' },
    })
  }
})

test('a row tells of its file what storage-api would', async () => {
  await from('files').upload('a.txt', 'hello', { contentType: 'text/plain' })
  const [row] = await server.sql(`select metadata, version from storage.objects`)
  expect(row?.metadata).toEqual({
    eTag: '"5d41402abc4b2a76b9719d911017c592"',
    size: 5,
    mimetype: 'text/plain',
    cacheControl: 'max-age=3600',
    lastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    contentLength: 5,
    httpStatusCode: 200,
  })
  expect(await server.files()).toEqual([row?.version])
})

test('an empty file is a file', async () => {
  await from('files').upload('empty.bin', new Uint8Array())
  const { data } = await from('files').download('empty.bin')
  expect(data?.size).toBe(0)
})

test('a name is taken, unless it is an upsert', async () => {
  await from('files').upload('a.txt', 'first')
  expect((await from('files').upload('a.txt', 'second')).error).toMatchObject({
    status: 400,
    statusCode: '409',
    code: 'KeyAlreadyExists',
    message: 'The resource already exists',
  })
  expect(await (await from('files').download('a.txt')).data?.text()).toBe('first')

  await from('files').upload('a.txt', 'second', { upsert: true })
  expect(await (await from('files').download('a.txt')).data?.text()).toBe('second')
  await from('files').update('a.txt', 'third')
  expect(await (await from('files').download('a.txt')).data?.text()).toBe('third')
  expect(await server.files()).toHaveLength(1)
})

test('of uploads to one name at once, one wins', async () => {
  const uploads = await Promise.all(['a', 'b', 'c', 'd'].map((text) => from('files').upload('race.txt', text)))
  expect(uploads.filter(({ error }) => error === null)).toHaveLength(1)
  expect(await server.files()).toHaveLength(1)
})

test('an object may be named like another’s folder', async () => {
  await from('files').upload('a', 'object')
  await from('files').upload('a/b', 'in a folder')
  expect(await (await from('files').download('a')).data?.text()).toBe('object')
  expect(await (await from('files').download('a/b')).data?.text()).toBe('in a folder')
})

test('a bucket that is not there takes nothing', async () => {
  expect((await from('nowhere').upload('a.txt', 'a')).error).toMatchObject({
    statusCode: '404',
    message: 'Bucket not found',
  })
})

const tooLarge = {
  status: 400,
  statusCode: '413',
  code: 'EntityTooLarge',
  message: 'The object exceeded the maximum allowed size',
}

test('a bucket’s size limit holds for plain bodies, forms and chunks, and leaves nothing behind', async () => {
  const fits = new Uint8Array(100_000)
  const exceeds = new Uint8Array(100_001)
  expect((await from('small').upload('plain', fits)).error).toBeNull()
  expect((await from('small').upload('form', new Blob([fits]))).error).toBeNull()
  expect((await from('small').upload('chunks', new Blob([fits]).stream())).error).toBeNull()
  await server.admin.storage.emptyBucket('small')

  expect((await from('small').upload('plain', exceeds)).error).toMatchObject(tooLarge)
  expect((await from('small').upload('form', new Blob([exceeds]))).error).toMatchObject(tooLarge)
  expect((await from('small').upload('chunks', new Blob([exceeds]).stream())).error).toMatchObject(tooLarge)
  expect(await rows()).toEqual([])
  expect(await server.files()).toEqual([])
})

test('a failed upsert leaves what was there', async () => {
  await from('small').upload('a', 'small')
  const { error } = await from('small').upload('a', new Uint8Array(100_001), { upsert: true })
  expect(error).toMatchObject(tooLarge)
  expect(await (await from('small').download('a')).data?.text()).toBe('small')
})

test('without a limit of its own a bucket has 50 MB', async () => {
  const size = 50 * 1024 * 1024
  expect((await from('files').upload('fits', new Uint8Array(size))).error).toBeNull()
  expect((await from('files').upload('exceeds', new Uint8Array(size + 1))).error).toMatchObject(tooLarge)
})

test('a bucket takes its types only', async () => {
  const upload = (contentType: string) => from('pictures').upload('x', 'x', { contentType, upsert: true })
  expect((await upload('image/webp')).error).toBeNull()
  expect((await upload('application/pdf')).error).toBeNull()
  expect((await upload('text/html')).error).toMatchObject({
    status: 400,
    statusCode: '415',
    code: 'InvalidMimeType',
    message: 'mime type text/html is not supported',
  })
  expect((await upload('imagepng')).error).toMatchObject({ statusCode: '415' })
  const form = new Blob(['x'], { type: 'text/html' })
  expect((await from('pictures').upload('form', form)).error).toMatchObject({ statusCode: '415' })
  expect(await server.files()).toHaveLength(1)
})

test('the folder marker of Studio is of any type, and empty', async () => {
  const marker = 'album/.emptyFolderPlaceholder'
  expect((await from('pictures').upload(marker, 'not empty')).error).toMatchObject(tooLarge)
  expect((await from('pictures').upload(marker, new Uint8Array())).error).toBeNull()
})

test('bytes are on the disk before the last ones are sent', async () => {
  let sendRest = () => {}
  const rest = new Promise<void>((resolve) => {
    sendRest = resolve
  })
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(new Uint8Array(1024 * 1024))
      await rest
      controller.enqueue(new Uint8Array(1024))
      controller.close()
    },
  })
  const upload = from('files').upload('slow.bin', body)
  await expect.poll(server.files).toHaveLength(1)
  expect(await rows()).toEqual([])
  sendRest()
  expect((await upload).error).toBeNull()
  expect((await from('files').info('slow.bin')).data?.size).toBe(1024 * 1024 + 1024)
})

test('an upload that breaks off leaves nothing behind, and is no fault of ours', async () => {
  const headers = { authorization, 'content-type': 'image/png', 'content-length': 1_000_000 }
  const upload = request(`${server.url}/object/files/broken.png`, { method: 'POST', headers })
  upload.on('error', () => {})
  upload.write(Buffer.alloc(1000))
  await expect.poll(server.files).toHaveLength(1)
  upload.destroy()
  await expect.poll(server.files).toEqual([])
  expect(await rows()).toEqual([])
  expect(server.faults).toEqual([])
})

test('a form that breaks off, has no file or is none is refused', async () => {
  const post = async (body: string, contentType = 'multipart/form-data; boundary=b') => {
    const headers = { authorization, 'content-type': contentType }
    const response = await fetch(`${server.url}/object/files/form.txt`, { method: 'POST', headers, body })
    return response.json()
  }
  const file = '--b\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\nbytes'
  expect(await post(`${file}\r\n--b--`)).toMatchObject({ Key: 'files/form.txt' })
  await server.admin.storage.emptyBucket('files')

  const invalid = { statusCode: '400', code: 'InvalidRequest' }
  expect(await post(file)).toMatchObject(invalid)
  expect(await post(`${file}\r\n--b`)).toMatchObject(invalid)
  expect(await post('--b\r\ncontent-disposition: form-data; name="x"\r\n\r\nfield\r\n--b--')).toMatchObject(invalid)
  expect(await post(`${file}\r\n--b--`, 'multipart/form-data')).toMatchObject(invalid)
  expect(await server.files()).toEqual([])
})

test.each([
  ['contentType', 'text/plain\r\nx: y'],
  ['contentType', 'text/plain\0'],
  ['contentType', 'text/€'],
  ['cacheControl', '60\nx: y'],
  ['cacheControl', '60\r'],
  ['metadata', '{"title": "\\u0000"}'],
])('a form whose %s is %j is refused, and leaves nothing', async (field, value) => {
  const post = async (text: string) => {
    const file = '--b\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\nbytes\r\n--b--'
    const body = `--b\r\ncontent-disposition: form-data; name="${field}"\r\n\r\n${text}\r\n${file}`
    const headers = { authorization, 'content-type': 'multipart/form-data; boundary=b' }
    return (await fetch(`${server.url}/object/files/form.txt`, { method: 'POST', headers, body })).json()
  }
  expect(await post(value)).toMatchObject({ statusCode: '400', code: 'InvalidRequest' })
  expect(await rows()).toEqual([])
  expect(await server.files()).toEqual([])
  expect(server.faults).toEqual([])
  expect(await post(field === 'metadata' ? '{"title": "x"}' : '60')).toMatchObject({ Key: 'files/form.txt' })
})

test('a commit that the database refuses leaves no file', async () => {
  await server.sql(`
    create function public.refuse_commit() returns trigger language plpgsql as
    $$ begin if new.metadata is not null then raise exception 'not today'; end if; return new; end $$`)
  await server.sql(`
    create trigger refuse_commit before insert on storage.objects for each row execute function public.refuse_commit()`)
  try {
    expect((await from('files').upload('a.txt', 'a')).error).toMatchObject({ status: 500, code: 'DatabaseError' })
    expect(await server.files()).toEqual([])
  } finally {
    await server.sql(`drop trigger refuse_commit on storage.objects`)
  }
  expect(server.faults.splice(0)).toEqual([expect.stringContaining('database error, code: P0001')])
  expect((await from('files').upload('a.txt', 'a')).error).toBeNull()
})
