import { afterAll, beforeAll, expect, test } from 'vitest'
import { localKeys } from '../../../src/stack/keys.ts'
import { type StorageServer, serveStorage } from './serve.ts'

// What supabase-js 2.119.1 reads, byte for byte, where the storage of @supabase/lite 0.10.0 answers otherwise. Should a
// later version of it pass these, our own routes may go.

let server: StorageServer
beforeAll(async () => {
  server = await serveStorage()
  await server.admin.storage.createBucket('files', { public: false })
  await server.admin.storage.from('files').upload('a.txt', 'a')
})
afterAll(() => server.close())

async function call(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${localKeys.secret}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: await response.json() }
}

test('a signed URL is `signedURL`, relative to the API (@supabase/lite 0.10.0: `signedUrl`, with the prefix)', async () => {
  const signedURL = expect.stringMatching(/^\/object\/sign\/files\/a\.txt\?token=[\w.-]+$/)
  expect((await call('POST', '/object/sign/files/a.txt', { expiresIn: 60 })).body).toEqual({ signedURL })
  expect((await call('POST', '/object/sign/files', { expiresIn: 60, paths: ['a.txt'] })).body).toEqual([
    { error: null, path: 'a.txt', signedURL },
  ])
})

test('a URL to upload to is `url`, relative to the API (@supabase/lite 0.10.0: `signedUrl`, with the prefix)', async () => {
  expect((await call('POST', '/object/upload/sign/files/new.txt', {})).body).toEqual({
    url: expect.stringMatching(/^\/object\/upload\/sign\/files\/new\.txt\?token=[\w.-]+$/),
    token: expect.any(String),
  })
})

test('the file of a form is the part with a file name, whatever its field (@supabase/lite 0.10.0 wants `file`)', async () => {
  const form = new FormData()
  form.append('cacheControl', '60')
  form.append('metadata', '{"a":1}')
  form.append('', new Blob(['form'], { type: 'text/css' }))
  const response = await fetch(`${server.url}/object/files/form.css`, {
    method: 'POST',
    headers: { authorization: `Bearer ${localKeys.secret}` },
    body: form,
  })
  expect(await response.json()).toEqual({ Id: expect.any(String), Key: 'files/form.css' })
  expect((await call('GET', '/object/info/files/form.css')).body).toMatchObject({
    content_type: 'text/css',
    cache_control: 'max-age=60',
    metadata: { a: 1 },
    size: 4,
  })
})

test('a refusal is HTTP 400, its status a string in the body, with a code (@supabase/lite 0.10.0 has no code)', async () => {
  expect(await call('GET', '/object/files/none.txt')).toEqual({
    status: 400,
    body: { statusCode: '404', code: 'NoSuchKey', error: 'not_found', message: 'Object not found' },
  })
})

test('a copy answers with `Key` (@supabase/lite 0.10.0: `key`)', async () => {
  const copy = { bucketId: 'files', sourceKey: 'a.txt', destinationKey: 'b.txt' }
  expect((await call('POST', '/object/copy', copy)).body).toMatchObject({ Key: 'files/b.txt', Id: expect.any(String) })
})

test('an upload over a signed URL answers with bucket and name (@supabase/lite 0.10.0: the name)', async () => {
  const { data } = await server.admin.storage.from('files').createSignedUploadUrl('signed.txt')
  const response = await fetch(data?.signedUrl ?? '', { method: 'PUT', body: 'signed' })
  expect(await response.json()).toEqual({ Key: 'files/signed.txt' })
})
