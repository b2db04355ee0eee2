import { afterAll, beforeAll, expect, test } from 'vitest'
import { deliverySignatures } from '../../../src/stack/sandbox/cloudinary/signature.ts'
import { png } from './images.ts'
import { createSandbox, form, type TestSandbox } from './support.ts'

let sandbox: TestSandbox
const bytes = png(64, 64)

beforeAll(async () => {
  sandbox = await createSandbox()
  for (const type of ['upload', 'authenticated', 'private']) await upload('photo', type)
  await upload('ab_cd/photo', 'upload')
})
afterAll(() => sandbox.remove())

async function upload(public_id: string, type: string): Promise<void> {
  const { url, cloudName, apiKey, apiSecret } = sandbox.cloudinary
  const answer = await fetch(`${url}/v1_1/${cloudName}/image/upload`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${apiKey}:${apiSecret}`)}` },
    body: form({ public_id, type }, { bytes, name: 'photo.png' }),
  })
  expect(answer.status).toBe(200)
}

async function get(path: string, init?: RequestInit) {
  const answer = await fetch(`${sandbox.cloudinary.url}/${sandbox.cloudinary.cloudName}/image/${path}`, init)
  await answer.arrayBuffer()
  return answer
}

function sign(path: string, secret = sandbox.cloudinary.apiSecret): string {
  return `s--${deliverySignatures(path, secret)[0]}--`
}

test('upload is open, with and without version, format and transformation', async () => {
  for (const path of [
    'photo',
    'photo.png',
    'v1/photo.png',
    'w_100,h_50,c_fill/q_auto/v17/photo.jpg',
    'ab_cd/photo.png',
  ]) {
    expect([path, (await get(`upload/${path}`)).status]).toEqual([path, 200])
  }
})

test('what was not transformed is said so', async () => {
  expect((await get('upload/w_10/photo.png')).headers.get('x-sandbox-transformation')).toBe('ignored')
  expect((await get('upload/photo.png')).headers.has('x-sandbox-transformation')).toBe(false)
})

test('authenticated opens with its own signature alone', async () => {
  expect((await get('authenticated/photo.png')).status).toBe(401)
  expect((await get(`authenticated/${sign('photo.png')}/photo.png`)).status).toBe(200)
  expect((await get(`authenticated/${sign('photo.png')}/v1234/photo.png`)).status).toBe(200)
  expect((await get(`authenticated/${sign('photo.png', 'wrong')}/photo.png`)).status).toBe(401)
  expect((await get(`authenticated/${sign('other.png')}/photo.png`)).status).toBe(401)
})

test('an authenticated picture cannot be asked for in another size than was signed', async () => {
  expect((await get(`authenticated/${sign('w_100/photo.png')}/w_100/photo.png`)).status).toBe(200)
  expect((await get(`authenticated/${sign('w_100/photo.png')}/w_200/photo.png`)).status).toBe(401)
  expect((await get('authenticated/w_100/photo.png')).status).toBe(401)
})

test('private protects the original, not what is derived from it', async () => {
  expect((await get('private/photo.png')).status).toBe(401)
  expect((await get(`private/${sign('photo.png')}/photo.png`)).status).toBe(200)
  expect((await get('private/w_100/photo.png')).status).toBe(200)
})

test('a missing file is 404, and without a signature nobody learns which are missing', async () => {
  const open = await get('upload/nobody.png')
  expect([open.status, open.headers.get('x-cld-error')]).toEqual([404, 'Resource not found - nobody.png'])
  expect((await get(`authenticated/${sign('nobody.png')}/nobody.png`)).status).toBe(404)
  expect((await get('authenticated/nobody.png')).status).toBe(401)
})

test('answers say type, size and tag, and a known tag saves the bytes', async () => {
  const full = await get('upload/photo.png')
  expect(full.headers.get('content-type')).toBe('image/png')
  expect(full.headers.get('content-length')).toBe(String(bytes.length))
  const etag = full.headers.get('etag') ?? ''
  expect((await get('upload/photo.png', { headers: { 'if-none-match': etag } })).status).toBe(304)
  expect((await get('upload/photo.png', { method: 'HEAD' })).headers.get('content-length')).toBe(String(bytes.length))
})

test('fl_attachment downloads under a name', async () => {
  const answer = await get('upload/fl_attachment:holiday/photo.png')
  expect(answer.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''holiday.png")
})
