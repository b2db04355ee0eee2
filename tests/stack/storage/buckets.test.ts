import { afterAll, beforeAll, expect, test } from 'vitest'
import { type StorageServer, serveStorage } from './serve.ts'

let server: StorageServer
beforeAll(async () => {
  server = await serveStorage()
})
afterAll(() => server.close())

const options = { public: false, fileSizeLimit: '2KB', allowedMimeTypes: ['image/*', 'text/plain'] }

test('the secret key makes, reads, changes and deletes buckets', async () => {
  const { storage } = server.admin
  expect(await storage.createBucket('avatars', options)).toMatchObject({ data: { name: 'avatars' }, error: null })

  const created = await storage.getBucket('avatars')
  expect(created.data).toMatchObject({
    id: 'avatars',
    name: 'avatars',
    public: false,
    type: 'STANDARD',
    file_size_limit: 2000,
    allowed_mime_types: ['image/*', 'text/plain'],
  })

  await storage.updateBucket('avatars', { public: true, fileSizeLimit: null, allowedMimeTypes: null })
  const updated = await storage.getBucket('avatars')
  expect(updated.data).toMatchObject({ public: true, file_size_limit: null, allowed_mime_types: null })

  expect((await storage.deleteBucket('avatars')).data).toEqual({ message: 'Successfully deleted' })
  expect((await storage.getBucket('avatars')).error).toMatchObject({
    status: 400,
    statusCode: '404',
    code: 'NoSuchBucket',
    message: 'Bucket not found',
  })
})

test('a setting that is not given stays as it is', async () => {
  const { storage } = server.admin
  await storage.createBucket('partly', options)
  await storage.updateBucket('partly', { public: true })
  expect((await storage.getBucket('partly')).data).toMatchObject({ public: true, file_size_limit: 2000 })
})

test('a name is given once', async () => {
  const { storage } = server.admin
  await storage.createBucket('taken', options)
  expect((await storage.createBucket('taken', options)).error).toMatchObject({
    statusCode: '409',
    code: 'BucketAlreadyExists',
    message: 'The resource already exists',
  })
})

test.each(['a/b', '../up', ' padded', 'ümlaut', 'x'.repeat(101)])('%j is no name for a bucket', async (name) => {
  const { error } = await server.admin.storage.createBucket(name, options)
  expect(error).toMatchObject({ statusCode: '400', code: 'InvalidBucketName' })
})

test('limits that make no sense are refused', async () => {
  const { storage } = server.admin
  const tooLarge = await storage.createBucket('huge', { public: false, fileSizeLimit: '1GB' })
  expect(tooLarge.error).toMatchObject({ statusCode: '413', code: 'EntityTooLarge' })
  const noSize = await storage.createBucket('odd', { public: false, fileSizeLimit: 'much' })
  expect(noSize.error).toMatchObject({ statusCode: '400' })
  const noType = await storage.createBucket('odd', { public: false, allowedMimeTypes: ['pictures'] })
  expect(noType.error).toMatchObject({ statusCode: '415', code: 'InvalidMimeType' })
})

test('a bucket with objects is deleted only after it is emptied', async () => {
  const { storage } = server.admin
  await storage.createBucket('full', { public: false })
  await storage.from('full').upload('a.txt', 'a')
  await storage.from('full').upload('deep/b.txt', 'b')
  expect((await storage.deleteBucket('full')).error).toMatchObject({
    statusCode: '409',
    code: 'ResourceNotEmpty',
    message: 'The bucket you tried to delete is not empty',
  })
  expect(await server.files()).toHaveLength(2)

  expect((await storage.emptyBucket('full')).data).toEqual({ message: 'Successfully emptied' })
  expect(await server.files()).toEqual([])
  expect((await storage.deleteBucket('full')).error).toBeNull()
})

test('a list is searched, sorted and cut', async () => {
  const { storage } = server.admin
  for (const name of ['list-b', 'list-c', 'list-a']) await storage.createBucket(name, options)
  const { data } = await storage.listBuckets({
    search: 'list-',
    sortColumn: 'name',
    sortOrder: 'desc',
    limit: 2,
    offset: 1,
  })
  expect(data?.map(({ name }) => name)).toEqual(['list-b', 'list-a'])
})

test('others make and see buckets only where a policy lets them', async () => {
  const { client, id } = await server.user()
  expect((await client.storage.createBucket('mine', options)).error).toMatchObject({
    statusCode: '403',
    code: 'AccessDenied',
    message: 'new row violates row-level security policy',
  })

  await server.sql(`
    create policy "Users make their own buckets" on storage.buckets for all to authenticated
    using (owner_id = (select auth.uid()::text)) with check (owner_id = (select auth.uid()::text))`)
  expect((await client.storage.createBucket('mine', options)).error).toBeNull()
  expect((await client.storage.getBucket('mine')).data).toMatchObject({ owner: id })

  const stranger = await server.user()
  expect((await stranger.client.storage.getBucket('mine')).error).toMatchObject({ statusCode: '404' })
  expect((await stranger.client.storage.updateBucket('mine', { public: true })).error).toMatchObject({
    statusCode: '404',
  })
  expect((await stranger.client.storage.deleteBucket('mine')).error).toMatchObject({ statusCode: '404' })
  expect((await server.anonymous.storage.listBuckets()).data).toEqual([])
  expect((await client.storage.deleteBucket('mine')).error).toBeNull()
})

test('what SQL would delete behind storage’s back stays, as on hosted', async () => {
  await server.admin.storage.createBucket('kept', options)
  await expect(server.sql(`delete from storage.buckets where id = 'kept'`)).rejects.toThrow(
    'Direct deletion from storage tables is not allowed. Use the Storage API instead.',
  )
})
