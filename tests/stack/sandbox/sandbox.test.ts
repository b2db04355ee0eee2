import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { png } from './images.ts'
import { accessToken, createSandbox, form, type TestSandbox } from './support.ts'

const open: TestSandbox[] = []
afterEach(async () => {
  for (const sandbox of open.splice(0)) await sandbox.remove()
})

async function create(dir?: string): Promise<TestSandbox> {
  const sandbox = await createSandbox(dir)
  open.push(sandbox)
  return sandbox
}

async function upload(sandbox: TestSandbox, public_id: string): Promise<Response> {
  const { url, cloudName, apiKey, apiSecret } = sandbox.cloudinary
  return fetch(`${url}/v1_1/${cloudName}/image/upload`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${apiKey}:${apiSecret}`)}` },
    body: form({ public_id }, { bytes: png(9, 9), name: 'a.png' }),
  })
}

async function reopen(sandbox: TestSandbox): Promise<TestSandbox> {
  await sandbox.close()
  open.splice(open.indexOf(sandbox), 1)
  return create(sandbox.dir)
}

test('files and the service account survive a restart', async () => {
  const before = await create()
  await upload(before, 'kept')
  const after = await reopen(before)

  const { resources } = await after.look('/cloudinary')
  expect(resources).toMatchObject([{ public_id: 'kept', width: 9 }])
  const delivered = await fetch(resources[0].secure_url)
  expect(Buffer.from(await delivered.arrayBuffer())).toEqual(png(9, 9))
  expect(after.fcm.serviceAccount.private_key).toBe(before.fcm.serviceAccount.private_key)
})

test('what a crash left half done is cleared away', async () => {
  const before = await create()
  await upload(before, 'kept')
  const folder = join(before.dir, 'cloudinary')
  const whole = await readdir(folder)
  for (const rest of ['upload.part', 'nobody.bin', 'record.draft']) await writeFile(join(folder, rest), 'x')
  const after = await reopen(before)
  expect(await readdir(folder)).toEqual(whole)
  expect((await after.look('/cloudinary')).resources).toHaveLength(1)
})

test('a file taken away behind its back is a fault the sandbox reports', async () => {
  const sandbox = await create()
  const { secure_url } = (await (await upload(sandbox, 'a')).json()) as { secure_url: string }
  const folder = join(sandbox.dir, 'cloudinary')
  const [file = ''] = (await readdir(folder)).filter((name) => name.endsWith('.bin'))
  await rm(join(folder, file))
  expect((await fetch(secure_url)).status).toBe(500)
  expect(sandbox.logged).toEqual([expect.stringContaining('ENOENT')])
})

test('the environment for edge functions names the fakes', async () => {
  const { env, cloudinary, fcm } = await create()
  const url = new URL(env.CLOUDINARY_URL)
  expect([url.protocol, url.username, url.password, url.hostname, url.searchParams.get('upload_prefix')]).toEqual([
    'cloudinary:',
    cloudinary.apiKey,
    cloudinary.apiSecret,
    cloudinary.cloudName,
    cloudinary.url,
  ])
  expect(JSON.parse(env.FCM_SERVICE_ACCOUNT)).toEqual(fcm.serviceAccount)
  expect(fcm.serviceAccount.token_uri).toBe(`${env.FCM_BASE_URL}/token`)
})

test('two sandboxes beside each other share nothing', async () => {
  const [one, two] = [await create(), await create()]
  await upload(one, 'mine')
  expect((await two.look('/cloudinary')).resources).toEqual([])
  const token = await accessToken(one)
  const answer = await fetch(`${two.fcm.url}/v1/projects/parley-sandbox/messages:send`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: '{}',
  })
  expect(answer.status).toBe(401)
})

test('DELETE forgets everything, on disk too', async () => {
  const sandbox = await create()
  await upload(sandbox, 'a')
  expect((await sandbox.control('DELETE', '/cloudinary')).status).toBe(204)
  expect(await sandbox.look('/cloudinary')).toMatchObject({ resources: [], requests: {}, destroyed: [] })
  expect(await readdir(join(sandbox.dir, 'cloudinary'))).toEqual([])
})

test('calls are counted, and unknown control paths are 404', async () => {
  const sandbox = await create()
  await upload(sandbox, 'a')
  expect((await sandbox.look('/cloudinary')).requests).toEqual({ upload: 1 })
  expect((await sandbox.control('GET', '/nothing')).status).toBe(404)
  expect((await sandbox.control('POST', '/fcm/failures', 'not an object')).status).toBe(400)
})

test('a page in the browser cannot script it without asking first', async () => {
  const sandbox = await create()
  const script = JSON.stringify({ status: 500 })
  const post = (type: string | undefined, url = 'http://127.0.0.1:54321') =>
    sandbox.fetch(
      new Request(`${url}/sandbox/fcm/failures`, {
        method: 'POST',
        body: script,
        headers: type ? { 'content-type': type } : {},
      }),
    )
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    undefined,
  ]) {
    expect((await post(type)).status).toBe(415)
  }
  const preflight = await sandbox.control('OPTIONS', '/fcm/failures')
  expect(preflight.headers.get('access-control-allow-origin')).toBeNull()
  expect(await sandbox.look('/fcm/failures')).toEqual([])

  expect((await post('application/json; charset=utf-8')).status).toBe(201)
})

test('only the names of this machine are served', async () => {
  const sandbox = await create()
  const ask = (host: string) => sandbox.fetch(new Request(`http://${host}/sandbox/fcm`))
  for (const host of ['127.0.0.1:54321', 'localhost', '[::1]:54321']) expect((await ask(host)).status).toBe(200)
  for (const host of ['evil.test:54321', 'localhost.evil.test', '127.0.0.1.evil.test', '192.168.0.2']) {
    expect((await ask(host)).status).toBe(403)
  }
})

test('closing frees the ports', async () => {
  const sandbox = await createSandbox()
  await sandbox.remove()
  for (const { url } of [sandbox.cloudinary, sandbox.fcm]) await expect(fetch(url)).rejects.toThrow()
})
