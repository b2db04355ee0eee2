import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { png } from './images.ts'
import { createSandbox, form, type TestSandbox } from './support.ts'

let sandbox: TestSandbox
beforeAll(async () => {
  sandbox = await createSandbox()
})
afterAll(() => sandbox.remove())
beforeEach(() => sandbox.control('DELETE', '/cloudinary'))

function call(action: 'upload' | 'destroy', public_id: string, init: RequestInit = {}): Promise<Response> {
  const { url, cloudName, apiKey, apiSecret } = sandbox.cloudinary
  return fetch(`${url}/v1_1/${cloudName}/image/${action}`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${apiKey}:${apiSecret}`)}` },
    body: form({ public_id }, action === 'upload' ? { bytes: png(1, 1), name: 'a.png' } : undefined),
    ...init,
  })
}

const script = (failure: object) => sandbox.control('POST', '/cloudinary/failures', failure)
const ids = async () =>
  (await sandbox.look('/cloudinary')).resources.map(({ public_id }: { public_id: string }) => public_id)

test('the next call fails, the one after it does not', async () => {
  expect((await script({ operation: 'upload', status: 500 })).status).toBe(201)
  const failed = await call('upload', 'a')
  expect([failed.status, await failed.json()]).toEqual([500, { error: { message: 'Internal Server Error' } }])
  expect(await ids()).toEqual([])
  expect((await call('upload', 'a')).status).toBe(200)
})

test('a limit of calls is 420, with the seconds to wait', async () => {
  await script({ operation: 'destroy', status: 420, times: 2, retry_after: 30 })
  for (const expected of [420, 420, 200]) {
    const answer = await call('destroy', 'a')
    expect(answer.status).toBe(expected)
    if (expected === 420) expect(answer.headers.get('retry-after')).toBe('30')
  }
})

test('a failure may wait for a list that asks for one file first', async () => {
  const { url, cloudName, apiKey, apiSecret } = sandbox.cloudinary
  const list = (...names: string[]) =>
    fetch(`${url}/v1_1/${cloudName}/resources/image?${names.map((name) => `public_ids[]=${name}`).join('&')}`, {
      headers: { authorization: `Basic ${btoa(`${apiKey}:${apiSecret}`)}` },
    })
  await script({ operation: 'resources', target: 'cursed', status: 500 })
  expect((await list()).status).toBe(200)
  expect((await list('blessed', 'cursed')).status).toBe(200)
  expect((await list('cursed', 'blessed')).status).toBe(500)
  expect((await list('cursed')).status).toBe(200)
})

test('a failure may wait for one file, and stay', async () => {
  await script({ operation: 'upload', target: 'cursed', status: 500, times: 'always' })
  expect((await call('upload', 'blessed')).status).toBe(200)
  expect((await call('upload', 'cursed')).status).toBe(500)
  expect((await call('upload', 'cursed')).status).toBe(500)
  await sandbox.control('DELETE', '/cloudinary/failures')
  expect((await call('upload', 'cursed')).status).toBe(200)
})

test('an answer may be lost after the work was done', async () => {
  await call('upload', 'a')
  await script({ operation: 'destroy', status: 500, when: 'after' })
  expect((await call('destroy', 'a')).status).toBe(500)
  expect(await (await call('destroy', 'a')).json()).toEqual({ result: 'not found' })
})

test('a call may hang until its caller gives up, and does nothing', async () => {
  await call('upload', 'a')
  await script({ operation: 'destroy', hang: true })
  await expect(call('destroy', 'a', { signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout/)
  expect(await ids()).toEqual(['a'])
})

test('a slow call succeeds in the end', async () => {
  await script({ operation: 'upload', delay_ms: 30 })
  expect((await call('upload', 'slow')).status).toBe(200)
})

test('closing does not wait for a hanging call', async () => {
  const own = await createSandbox()
  await own.control('POST', '/cloudinary/failures', { operation: 'delivery', hang: true })
  const { url, cloudName, apiKey, apiSecret } = own.cloudinary
  const uploaded = await fetch(`${url}/v1_1/${cloudName}/image/upload`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${apiKey}:${apiSecret}`)}` },
    body: form({ public_id: 'a' }, { bytes: png(1, 1), name: 'a.png' }),
  })
  const { secure_url } = (await uploaded.json()) as { secure_url: string }
  const waiting = expect(fetch(secure_url)).rejects.toThrow()
  while (!(await own.look('/cloudinary')).requests.delivery) await new Promise(setImmediate)
  await own.remove()
  await waiting
})

test.each([
  [{ operation: 'dance', status: 500 }, /no such operation: dance; there are upload, /],
  [{ status: 200 }, /status: 400 to 599/],
  [{ status: 500, times: 0 }, /times/],
  [{ operation: 'upload' }, /nothing would happen/],
  [{ operation: 'upload', status: 500, often: true }, /no such field: often/],
])('a script that makes no sense is refused: %j', async (failure, message) => {
  const answer = await script(failure)
  expect(answer.status).toBe(400)
  expect(((await answer.json()) as { error: string }).error).toMatch(message)
})
