import { afterAll, beforeAll, expect, test } from 'vitest'
import { type StorageServer, serveStorage } from './serve.ts'

let server: StorageServer
beforeAll(async () => {
  server = await serveStorage()
  await server.admin.storage.createBucket('files', { public: false })
  for (const name of ['b.txt', 'A.txt', 'photos/cat.png', 'photos/2026/Dog.png', 'photos/100_sure.png', 'photo.txt']) {
    await server.admin.storage.from('files').upload(name, name)
  }
})
afterAll(() => server.close())

type Options = Parameters<ReturnType<typeof server.admin.storage.from>['list']>[1]

async function names(path?: string, options?: Options): Promise<string[]> {
  const { data, error } = await server.admin.storage.from('files').list(path, options)
  if (error) throw error
  return data.map(({ name }) => name)
}

test('names are relative to the folder, and folders are entries without id (@supabase/lite 0.10.0 lists full paths)', async () => {
  expect(await names()).toEqual(['A.txt', 'b.txt', 'photo.txt', 'photos'])
  expect(await names('photos')).toEqual(['100_sure.png', '2026', 'cat.png'])
  expect(await names('photos/')).toEqual(['100_sure.png', '2026', 'cat.png'])
  expect(await names('photos/2026')).toEqual(['Dog.png'])
  expect(await names('nowhere')).toEqual([])

  const { data } = await server.admin.storage.from('files').list('photos')
  expect(data?.[1]).toEqual({
    name: '2026',
    id: null,
    updated_at: null,
    created_at: null,
    last_accessed_at: null,
    metadata: null,
  })
  expect(data?.[2]).toMatchObject({
    id: expect.any(String),
    metadata: { size: 14, mimetype: 'text/plain;charset=UTF-8' },
  })
})

test('search finds what begins so, in upper or lower case, and takes no wildcards', async () => {
  expect(await names('', { search: 'PHOTO' })).toEqual(['photo.txt', 'photos'])
  expect(await names('photos', { search: '100_' })).toEqual(['100_sure.png'])
  expect(await names('photos', { search: '%sure' })).toEqual([])
  expect(await names('photos', { search: '10__' })).toEqual([])
})

test('pages follow each other', async () => {
  expect(await names('', { limit: 3 })).toEqual(['A.txt', 'b.txt', 'photo.txt'])
  expect(await names('', { limit: 3, offset: 3 })).toEqual(['photos'])
})

test('a list is sorted by name or time, either way; by time folders come first', async () => {
  expect(await names('', { sortBy: { column: 'name', order: 'desc' } })).toEqual([
    'photos',
    'photo.txt',
    'b.txt',
    'A.txt',
  ])
  expect(await names('', { sortBy: { column: 'created_at', order: 'desc' } })).toEqual([
    'photos',
    'photo.txt',
    'A.txt',
    'b.txt',
  ])
  await expect(names('', { sortBy: { column: 'owner' } })).rejects.toMatchObject({ status: 400 })
})
