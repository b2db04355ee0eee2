import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { localKeys } from '../../../src/stack/keys.ts'
import { type StorageServer, serveStorage, type User, userToken } from './serve.ts'

let server: StorageServer
let ana: User
let ben: User

beforeAll(async () => {
  server = await serveStorage()
  await server.admin.storage.createBucket('files', { public: false })
  for (const [command, clause] of [
    ['select', 'using'],
    ['insert', 'with check'],
    ['update', 'using'],
    ['delete', 'using'],
  ]) {
    await server.sql(`
      create policy "Users ${command} in their own folder" on storage.objects for ${command} to authenticated
      ${clause} (bucket_id = 'files' and (storage.foldername(name))[1] = (select auth.uid()::text))`)
  }
})
afterAll(() => server.close())

beforeEach(async () => {
  ana = await server.user()
  ben = await server.user()
})

const hidden = { status: 400, statusCode: '404', code: 'NoSuchKey', message: 'Object not found' }
const refused = { status: 400, statusCode: '403', code: 'AccessDenied' }

test('a user uploads to their own folder and to no other', async () => {
  const files = ana.client.storage.from('files')
  expect((await files.upload(`${ana.id}/note.txt`, 'hello')).data).toMatchObject({ path: `${ana.id}/note.txt` })
  expect((await files.upload(`${ben.id}/note.txt`, 'hello')).error).toMatchObject({
    ...refused,
    message: 'new row violates row-level security policy',
  })
  expect((await server.anonymous.storage.from('files').upload(`${ana.id}/x`, 'x')).error).toMatchObject(refused)
})

test('the uploader owns the object', async () => {
  await ana.client.storage.from('files').upload(`${ana.id}/mine.txt`, 'mine')
  const [row] = await server.sql(`select owner, owner_id from storage.objects where name = $1`, [`${ana.id}/mine.txt`])
  expect(row).toEqual({ owner: ana.id, owner_id: ana.id })
})

test('another tenant cannot read, sign, describe, list, replace, move, copy or remove it', async () => {
  const name = `${ana.id}/secret.txt`
  await ana.client.storage.from('files').upload(name, 'secret')
  const others = ben.client.storage.from('files')

  expect((await others.download(name)).error).toMatchObject(hidden)
  expect((await others.info(name)).error).toMatchObject(hidden)
  expect((await others.exists(name)).data).toBe(false)
  expect((await others.createSignedUrl(name, 60)).error).toMatchObject(hidden)
  expect((await others.createSignedUrls([name], 60)).data).toMatchObject([{ path: name, signedUrl: null }])
  expect((await others.createSignedUploadUrl(name, { upsert: true })).error).toMatchObject(refused)
  expect((await others.list(ana.id)).data).toEqual([])
  expect((await others.upload(name, 'mine now', { upsert: true })).error).toMatchObject(refused)
  expect((await others.update(name, 'mine now')).error).toMatchObject(refused)
  expect((await others.move(name, `${ben.id}/stolen.txt`)).error).toMatchObject(hidden)
  expect((await others.copy(name, `${ben.id}/stolen.txt`)).error).toMatchObject(hidden)
  expect((await others.remove([name])).data).toEqual([])

  const own = ana.client.storage.from('files')
  expect(await (await own.download(name)).data?.text()).toBe('secret')
  expect((await own.list(ana.id)).data).toMatchObject([{ name: 'secret.txt' }])
  expect((await own.remove([name])).data).toMatchObject([{ name, owner_id: ana.id }])
})

test('nothing is moved or copied into another’s folder', async () => {
  const own = ana.client.storage.from('files')
  await own.upload(`${ana.id}/gift.txt`, 'gift')
  expect((await own.move(`${ana.id}/gift.txt`, `${ben.id}/gift.txt`)).error).toMatchObject(refused)
  expect((await own.copy(`${ana.id}/gift.txt`, `${ben.id}/gift.txt`)).error).toMatchObject(refused)
  expect((await own.move(`${ana.id}/gift.txt`, `${ana.id}/kept.txt`)).error).toBeNull()
})

test('who may only add, adds; and cannot replace', async () => {
  await server.admin.storage.createBucket('inbox', { public: false })
  await server.sql(`
    create policy "Anyone drops into the inbox" on storage.objects for insert to anon with check (bucket_id = 'inbox')`)
  const inbox = server.anonymous.storage.from('inbox')
  expect((await inbox.upload('letter.txt', 'dear')).error).toBeNull()
  expect((await inbox.upload('letter.txt', 'forged', { upsert: true })).error).toMatchObject(refused)
  expect((await inbox.download('letter.txt')).error).toMatchObject(hidden)
  expect(await (await server.admin.storage.from('inbox').download('letter.txt')).data?.text()).toBe('dear')
})

test('a policy learns from storage.operation() what is done', async () => {
  await server.admin.storage.createBucket('readable', { public: false })
  await server.admin.storage.from('readable').upload('page.txt', 'page')
  await server.sql(`
    create policy "Downloads but no lists" on storage.objects for select to authenticated
    using (bucket_id = 'readable' and storage.allow_only_operation('object.get_authenticated'))`)
  const readable = ana.client.storage.from('readable')
  expect(await (await readable.download('page.txt')).data?.text()).toBe('page')
  expect((await readable.list()).data).toEqual([])
})

test('who sees a bucket’s objects but may not delete them cannot empty it', async () => {
  await server.sql(`
    create policy "Everyone sees readable" on storage.buckets for select to authenticated using (id = 'readable')`)
  await server.sql(`
    create policy "Everyone sees its objects" on storage.objects for select to authenticated
    using (bucket_id = 'readable')`)
  expect((await ana.client.storage.emptyBucket('readable')).error).toMatchObject(refused)
  expect((await ana.client.storage.from('readable').exists('page.txt')).data).toBe(true)
})

test('the secret key is service_role, also as a bearer token', async () => {
  await ana.client.storage.from('files').upload(`${ana.id}/seen.txt`, 'seen')
  const object = `${server.url}/object/files/${ana.id}/seen.txt`
  for (const headers of [{ authorization: `Bearer ${localKeys.secret}` }, { apikey: localKeys.secret }]) {
    const response = await fetch(object, { headers })
    expect(await response.text()).toBe('seen')
  }
  const asAnon = await fetch(object, { headers: { apikey: localKeys.publishable } })
  expect(await asAnon.json()).toMatchObject({ statusCode: '404', error: 'not_found' })
})

test('a token that is not ours, or none, opens nothing', async () => {
  await ana.client.storage.from('files').upload(`${ana.id}/closed.txt`, 'closed')
  const object = `${server.url}/object/files/${ana.id}/closed.txt`
  const forged = { authorization: `Bearer ${await userToken(ana.id, 'another-secret-of-32-characters-or-more')}` }

  for (const headers of [forged, {}]) {
    const read = await fetch(object, { headers })
    expect(read.status).toBe(400)
    expect(await read.json()).toMatchObject({ statusCode: '404', error: 'Bucket not found' })
    const write = await fetch(object, { method: 'POST', headers, body: 'x' })
    expect(await write.json()).toMatchObject({ statusCode: '403', error: 'Unauthorized' })
  }

  const read = await fetch(object, { headers: { authorization: `Bearer ${ana.token}` } })
  expect(await read.text()).toBe('closed')
})
