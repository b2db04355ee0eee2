import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type StorageServer, serveStorage } from './serve.ts'

let server: StorageServer
beforeAll(async () => {
  server = await serveStorage()
  await server.admin.storage.createBucket('files', { public: false })
  await server.admin.storage.createBucket('archive', { public: false })
  await server.admin.storage.createBucket('tiny', { public: false, fileSizeLimit: 5 })
  await server.admin.storage.createBucket('texts', { public: false, allowedMimeTypes: ['text/*'] })
})
afterAll(() => server.close())

beforeEach(async () => {
  for (const bucket of ['files', 'archive', 'tiny', 'texts']) await server.admin.storage.emptyBucket(bucket)
  await from('files').upload('a.txt', 'content of a', { contentType: 'text/plain', metadata: { pages: 3 } })
})

const from = (bucket: string) => server.admin.storage.from(bucket)
const content = async (bucket: string, name: string) => (await from(bucket).download(name)).data?.text()
const missing = { statusCode: '404', code: 'NoSuchKey' }
const taken = { statusCode: '409', code: 'KeyAlreadyExists' }

test('a moved object is at its new name and not at its old one, and is the same object', async () => {
  const before = (await from('files').info('a.txt')).data
  expect((await from('files').move('a.txt', 'b/c.txt')).data).toMatchObject({ message: 'Successfully moved' })
  expect(await content('files', 'b/c.txt')).toBe('content of a')
  expect((await from('files').exists('a.txt')).data).toBe(false)
  expect((await from('files').info('b/c.txt')).data).toMatchObject({ id: before?.id, metadata: { pages: 3 } })

  await from('files').move('b/c.txt', 'd.txt', { destinationBucket: 'archive' })
  expect(await content('archive', 'd.txt')).toBe('content of a')
  expect(await server.files()).toHaveLength(1)
})

test('a move neither replaces nor loses', async () => {
  await from('files').upload('b.txt', 'content of b')
  expect((await from('files').move('a.txt', 'b.txt')).error).toMatchObject(taken)
  expect((await from('files').move('none.txt', 'c.txt')).error).toMatchObject(missing)
  expect((await from('files').move('a.txt', 'c.txt', { destinationBucket: 'none' })).error).toMatchObject({
    statusCode: '404',
  })
  expect(await content('files', 'a.txt')).toBe('content of a')
  expect(await content('files', 'b.txt')).toBe('content of b')
})

test('a copy lives on its own', async () => {
  expect((await from('files').copy('a.txt', 'b.txt')).data).toEqual({ path: 'files/b.txt' })
  await from('files').copy('a.txt', 'c.txt', { destinationBucket: 'archive' })
  await from('files').remove(['a.txt'])
  expect(await content('files', 'b.txt')).toBe('content of a')
  expect(await content('archive', 'c.txt')).toBe('content of a')
  expect((await from('files').info('b.txt')).data).toMatchObject({ contentType: 'text/plain', metadata: { pages: 3 } })
  expect(await server.files()).toHaveLength(2)
})

test('a copy may be served as something else', async () => {
  await from('files').copy('a.txt', 'b.md', { copyMetadata: false, metadata: { mimetype: 'text/markdown' } })
  expect((await from('files').info('b.md')).data).toMatchObject({
    contentType: 'text/markdown',
    cacheControl: 'max-age=3600',
    metadata: null,
  })
})

test('a refused copy leaves no file', async () => {
  await from('files').upload('b.txt', 'content of b')
  expect((await from('files').copy('a.txt', 'b.txt')).error).toMatchObject(taken)
  expect((await from('files').copy('none.txt', 'c.txt')).error).toMatchObject(missing)
  expect((await from('files').copy('a.txt', 'c.txt', { destinationBucket: 'none' })).error).toMatchObject({
    statusCode: '404',
  })
  expect(await server.files()).toHaveLength(2)
})

test('a bucket takes by move and copy what it takes by upload', async () => {
  await from('files').upload('picture.png', 'png', { contentType: 'image/png' })
  const wrongType = { statusCode: '415', code: 'InvalidMimeType' }
  const tooLarge = { statusCode: '413', code: 'EntityTooLarge' }
  for (const way of ['move', 'copy'] as const) {
    const transfer = (name: string, to: string) => from('files')[way](name, name, { destinationBucket: to })
    expect((await transfer('picture.png', 'texts')).error).toMatchObject(wrongType)
    expect((await transfer('a.txt', 'tiny')).error).toMatchObject(tooLarge)
  }
  const asPicture = { copyMetadata: false, metadata: { mimetype: 'image/png' } }
  const disguised = await from('files').copy('a.txt', 'b.txt', { destinationBucket: 'texts', ...asPicture })
  expect(disguised.error).toMatchObject(wrongType)
  expect(await server.files()).toHaveLength(2)

  expect((await from('files').copy('a.txt', 'a.txt', { destinationBucket: 'texts' })).error).toBeNull()
  expect((await from('files').move('picture.png', 'b.png', { destinationBucket: 'tiny' })).error).toBeNull()
  expect(await content('texts', 'a.txt')).toBe('content of a')
  expect(await content('tiny', 'b.png')).toBe('png')
})

test('a copy is not served with headers that nobody can send', async () => {
  for (const mimetype of ['text/plain\r\nx: y', 'text/\0', 'text/€']) {
    const { error } = await from('files').copy('a.txt', 'b.txt', { copyMetadata: false, metadata: { mimetype } })
    expect(error).toMatchObject({ statusCode: '400', code: 'InvalidRequest' })
  }
  expect(await server.files()).toHaveLength(1)
})

test('remove tells what it removed, and passes over what is not there', async () => {
  await from('files').upload('b.txt', 'content of b')
  const { data } = await from('files').remove(['a.txt', 'none.txt'])
  expect(data).toMatchObject([{ name: 'a.txt', bucket_id: 'files', metadata: { size: 12 } }])
  expect((await from('files').download('a.txt')).error).toMatchObject(missing)
  expect(await content('files', 'b.txt')).toBe('content of b')
  expect(await server.files()).toHaveLength(1)
})

test('exists and info tell a missing object from a missing bucket', async () => {
  expect((await from('files').exists('a.txt')).data).toBe(true)
  expect((await from('files').exists('none.txt')).data).toBe(false)
  expect((await from('files').info('none.txt')).error).toMatchObject(missing)
  expect((await from('none').info('a.txt')).error).toMatchObject({ statusCode: '404', code: 'NoSuchBucket' })
})
