import { stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { localKeys } from '../../../src/stack/keys.ts'
import { type StorageServer, serveStorage } from './serve.ts'

let server: StorageServer
beforeAll(async () => {
  server = await serveStorage()
  await server.admin.storage.createBucket('files', { public: false })
})
afterAll(() => server.close())

const files = () => server.admin.storage.from('files')

test('objects survive a restart, and what a crash left without a row does not', async () => {
  await files().upload('kept.txt', 'kept')
  await writeFile(join(server.dir, crypto.randomUUID()), 'written, but its row never came')
  expect(await server.files()).toHaveLength(2)

  await server.restart()
  expect(await server.files()).toHaveLength(1)
  expect(await (await files().download('kept.txt')).data?.text()).toBe('kept')
})

test('nobody else on this machine reads the files', async () => {
  await files().upload('mine.txt', 'mine')
  await files().copy('mine.txt', 'copy.txt')
  for (const name of await server.files()) expect((await stat(join(server.dir, name))).mode & 0o777).toBe(0o600)
})

test('signed URLs survive a restart', async () => {
  await files().upload('signed.txt', 'signed')
  const { data } = await files().createSignedUrl('signed.txt', 60)
  await server.restart()
  expect(await (await fetch(data?.signedUrl ?? '')).text()).toBe('signed')
})

test('no name reaches a file by its path', async () => {
  await files().upload('a/b.txt', 'b')
  const names = await server.files()
  expect(names.every((name) => /^[0-9a-f-]{36}$/.test(name))).toBe(true)
})

// `fetch` would resolve the dots before they are sent.
function send(method: string, path: string): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(server.url)
  const headers = { authorization: `Bearer ${localKeys.secret}` }
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers }, async (response) => {
      const chunks = await response.toArray()
      resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() })
    })
    sent.on('error', reject)
    sent.end(method === 'POST' ? 'escaped' : undefined)
  })
}

test.each([
  '/object/files/../../../etc/passwd',
  '/object/files/..%2f..%2f..%2fetc%2fpasswd',
  '/object/files/%2e%2e/%2e%2e/etc/passwd',
  '/object/files/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '/object/files/a/..%2fb.txt',
  '/object/files/a/.%2fb.txt',
  '/object/files/..%5c..%5cetc',
  '/object/files/%252e%252e%252fetc',
  '/object/files/nul%00byte',
  '/object/..%2ffiles/b.txt',
])('%s goes nowhere', async (path) => {
  for (const method of ['GET', 'POST']) {
    const { status, body } = await send(method, `/storage/v1${path}`)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(500)
    expect(JSON.parse(body)).toMatchObject({ statusCode: expect.stringMatching(/^40[04]$/) })
  }
})

test('names climb nowhere in bodies either', async () => {
  await files().upload('source.txt', 'source')
  const invalid = { statusCode: '400', code: 'InvalidKey' }
  expect((await files().move('source.txt', '../escaped.txt')).error).toMatchObject(invalid)
  expect((await files().copy('source.txt', 'a/../../escaped.txt')).error).toMatchObject(invalid)
  expect((await files().move('source.txt', 'a..b/c...txt')).error).toBeNull()
})

test('an object whose file is gone is not found, and no fault', async () => {
  await files().upload('lost.txt', 'lost')
  await server.sql(`update storage.objects set version = gen_random_uuid() where name = 'lost.txt'`)
  expect((await files().download('lost.txt')).error).toMatchObject({ statusCode: '404', code: 'NoSuchKey' })
  expect(server.faults).toEqual([])
})
