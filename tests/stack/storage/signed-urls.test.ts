import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { localKeys } from '../../../src/stack/keys.ts'
import { type StorageServer, serveStorage, type User } from './serve.ts'

let server: StorageServer
let ana: User
beforeAll(async () => {
  server = await serveStorage()
  ana = await server.user()
  await server.admin.storage.createBucket('files', {
    public: false,
    fileSizeLimit: 1000,
    allowedMimeTypes: ['text/plain'],
  })
  await server.sql(`
    create policy "Everyone signed in" on storage.objects for all to authenticated
    using (bucket_id = 'files') with check (bucket_id = 'files')`)
  await files().upload('a.txt', 'content of a', { contentType: 'text/plain' })
  await files().upload('b c/d.txt', 'content of d', { contentType: 'text/plain' })
})
afterAll(() => server.close())
afterEach(() => vi.useRealTimers())

const files = () => ana.client.storage.from('files')

function ahead(seconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 })
}

async function signedUrl(name: string, options?: { download: string }): Promise<string> {
  const { data, error } = await files().createSignedUrl(name, 60, options)
  if (error) throw error
  return data.signedUrl
}

async function uploadUrl(name: string, options = { upsert: false }): Promise<{ signedUrl: string; token: string }> {
  const { data, error } = await files().createSignedUploadUrl(name, options)
  if (error) throw error
  return data
}

const put = async (url: string, body: string, contentType = 'text/plain') => {
  const response = await fetch(url, { method: 'PUT', body, headers: { 'content-type': contentType } })
  return response.json()
}

test('whoever has the URL reads the object, until it expires', async () => {
  const url = await signedUrl('b c/d.txt')
  const response = await fetch(url)
  expect(await response.text()).toBe('content of d')
  expect(new Date(response.headers.get('expires') ?? 0).getTime()).toBeGreaterThan(Date.now())

  // Not on the edge: it is good for whole seconds, of which this test has used some.
  ahead(50)
  expect((await fetch(url)).status).toBe(200)
  ahead(11)
  expect(await (await fetch(url)).json()).toMatchObject({
    statusCode: '400',
    error: 'InvalidJWT',
    message: '"exp" claim timestamp check failed',
  })
})

test('a URL may say under which name to save', async () => {
  const response = await fetch(await signedUrl('a.txt', { download: 'Report.txt' }))
  expect(response.headers.get('content-disposition')).toContain('attachment; filename=Report.txt')
})

test('a token opens its own object only, and only unchanged', async () => {
  const url = new URL(await signedUrl('a.txt'))
  const token = url.searchParams.get('token') ?? ''
  const open = async (name: string, withToken: string) =>
    (await fetch(`${server.url}/object/sign/files/${name}?token=${withToken}`)).json()

  expect(await open('b%20c/d.txt', token)).toMatchObject({ statusCode: '400', error: 'InvalidSignature' })
  const [header, payload, signature] = token.split('.')
  const other = Buffer.from(JSON.stringify({ url: 'files/b c/d.txt', aud: 'download', exp: 9e9 })).toString('base64url')
  expect(payload).not.toBe(other)
  expect(await open('b%20c/d.txt', `${header}.${other}.${signature}`)).toMatchObject({
    statusCode: '400',
    error: 'InvalidJWT',
    message: 'signature verification failed',
  })
  expect(await open('a.txt', '')).toMatchObject({ statusCode: '400' })
  expect((await fetch(url)).status).toBe(200)
})

test('no token passes for one of another kind', async () => {
  const { token: upload } = await uploadUrl('kinds.txt')
  await put(`${server.url}/object/upload/sign/files/kinds.txt?token=${upload}`, 'kinds')
  const download = new URL(await signedUrl('kinds.txt')).searchParams.get('token')
  const invalid = { statusCode: '400', error: 'InvalidJWT' }

  const read = (token: string) => fetch(`${server.url}/object/sign/files/kinds.txt?token=${token}`)
  expect(await (await read(upload)).json()).toMatchObject(invalid)
  expect(await (await read(ana.token)).json()).toMatchObject(invalid)
  expect(await put(`${server.url}/object/upload/sign/files/kinds.txt?token=${download}`, 'x')).toMatchObject(invalid)

  const bearer = { headers: { authorization: `Bearer ${download}`, apikey: localKeys.publishable } }
  expect((await fetch(`${server.url}/object/authenticated/files/a.txt`, bearer)).status).toBe(400)
})

test('many are signed at once, each with its own answer', async () => {
  const { data } = await files().createSignedUrls(['a.txt', 'missing.txt'], 60)
  expect(data).toMatchObject([
    { path: 'a.txt', error: null },
    { path: 'missing.txt', error: expect.stringContaining('does not exist'), signedUrl: null },
  ])
  expect(await (await fetch(data?.[0]?.signedUrl ?? '')).text()).toBe('content of a')
})

test('what is not there is not signed, nor for no time', async () => {
  expect((await files().createSignedUrl('missing.txt', 60)).error).toMatchObject({ statusCode: '404' })
  expect((await files().createSignedUrl('a.txt', 0)).error).toMatchObject({ statusCode: '400' })
})

test('supabase-js uploads to a signed URL, as a form and as bytes', async () => {
  for (const body of [new Blob(['from js'], { type: 'text/plain' }), 'from js']) {
    const name = `js-${typeof body}.txt`
    const { token } = await uploadUrl(name)
    const uploaded = await server.anonymous.storage
      .from('files')
      .uploadToSignedUrl(name, token, body, { contentType: 'text/plain' })
    expect(uploaded.data).toEqual({ path: name, fullPath: `files/${name}` })
    expect(await (await files().download(name)).data?.text()).toBe('from js')
  }
})

test('a plain PUT uploads, once; the signer owns the object', async () => {
  const { signedUrl: url } = await uploadUrl('put.txt')
  expect(await put(url, 'first')).toEqual({ Key: 'files/put.txt' })
  expect(await put(url, 'second')).toMatchObject({ statusCode: '409', error: 'Duplicate' })
  expect(await (await files().download('put.txt')).data?.text()).toBe('first')
  const [row] = await server.sql(`select owner_id from storage.objects where name = 'put.txt'`)
  expect(row?.owner_id).toBe(ana.id)
})

test('a URL signed for upsert replaces, and another is not even signed where something is', async () => {
  const { signedUrl: url } = await uploadUrl('again.txt', { upsert: true })
  await put(url, 'first')
  expect(await put(url, 'second')).toEqual({ Key: 'files/again.txt' })
  expect(await (await files().download('again.txt')).data?.text()).toBe('second')
  expect((await files().createSignedUploadUrl('again.txt')).error).toMatchObject({ statusCode: '409' })
})

test('an upload’s token is for its path, and for two hours', async () => {
  const { signedUrl: url } = await uploadUrl('timed.txt')
  expect(await put(url.replace('timed.txt', 'other.txt'), 'x')).toMatchObject({ error: 'InvalidSignature' })
  ahead(7201)
  expect(await put(url, 'late')).toMatchObject({ statusCode: '400', error: 'InvalidJWT' })
  vi.useRealTimers()
  ahead(7000)
  expect(await put(url, 'in time')).toEqual({ Key: 'files/timed.txt' })
})

test('limits hold for what comes over signed URLs', async () => {
  const { signedUrl: url } = await uploadUrl('limits.txt')
  expect(await put(url, 'x'.repeat(1001))).toMatchObject({ statusCode: '413', error: 'Payload too large' })
  expect(await put(url, 'x', 'image/png')).toMatchObject({ statusCode: '415', error: 'invalid_mime_type' })
  expect((await files().exists('limits.txt')).data).toBe(false)
  expect(await put(url, 'x'.repeat(1000))).toEqual({ Key: 'files/limits.txt' })
})
