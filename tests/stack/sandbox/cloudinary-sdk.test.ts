import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { png } from './images.ts'
import { createSandbox, now, type TestSandbox } from './support.ts'

// With cloudinary 2.11.0, the SDK of edge functions, configured by CLOUDINARY_URL alone.
let sandbox: TestSandbox
let cloudinary: typeof import('cloudinary').v2
const bytes = png(800, 600)
let path: string

interface Verifier {
  verify_api_response_signature(publicId: string, version: number, signature: string): boolean
}

beforeAll(async () => {
  sandbox = await createSandbox()
  // The SDK chooses between http and https when it is imported.
  process.env.CLOUDINARY_URL = sandbox.env.CLOUDINARY_URL
  cloudinary = (await import('cloudinary')).v2
  path = join(sandbox.dir, 'view.png')
  await writeFile(path, bytes)
})
afterAll(() => sandbox.remove())

test('upload, look up, deliver, destroy: then it is gone', async () => {
  const options = {
    public_id: 'rooms/1/sea view',
    type: 'authenticated',
    tags: ['x', 'y'],
    allowed_formats: ['png', 'jpg'],
  }
  const uploaded = await cloudinary.uploader.upload(path, options)
  expect(uploaded).toMatchObject({
    public_id: 'rooms/1/sea view',
    type: 'authenticated',
    bytes: bytes.length,
    width: 800,
  })
  // Its type declarations leave this function out.
  const { verify_api_response_signature } = cloudinary.utils as unknown as Verifier
  expect(verify_api_response_signature(uploaded.public_id, uploaded.version, uploaded.signature)).toBe(true)

  const found = await cloudinary.api.resource('rooms/1/sea view', { type: 'authenticated' })
  expect(found).toMatchObject({ asset_id: uploaded.asset_id, tags: ['x', 'y'], rate_limit_allowed: 2000 })

  for (const url of [
    uploaded.secure_url,
    signedUrl('rooms/1/sea view', { format: 'png' }),
    signedUrl('rooms/1/sea view', { format: 'png', long_url_signature: true }),
    signedUrl('rooms/1/sea view', { format: 'png', signature_algorithm: 'sha256', version: uploaded.version }),
    signedUrl('rooms/1/sea view', { transformation: [{ width: 200, height: 200, crop: 'fill' }, { quality: 'auto' }] }),
  ]) {
    const answer = await fetch(url)
    expect([url, answer.status, answer.headers.get('content-type')]).toEqual([url, 200, 'image/png'])
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes)
  }

  const destroy = () => cloudinary.uploader.destroy('rooms/1/sea view', { type: 'authenticated', invalidate: true })
  expect(await destroy()).toEqual({ result: 'ok' })
  expect(await destroy()).toEqual({ result: 'not found' })
  expect((await fetch(uploaded.secure_url)).status).toBe(404)
  await expect(cloudinary.api.resource('rooms/1/sea view', { type: 'authenticated' })).rejects.toMatchObject({
    error: { message: 'Resource not found - rooms/1/sea view', http_code: 404 },
  })
  const { destroyed } = await sandbox.look('/cloudinary')
  expect(destroyed).toMatchObject([{ publicId: 'rooms/1/sea view', type: 'authenticated', invalidate: true }])
})

describe('private_download_url', () => {
  beforeAll(() => cloudinary.uploader.upload(path, { public_id: 'secret/plan', type: 'authenticated' }))

  test('opens an authenticated file until it expires', async () => {
    const options = { type: 'authenticated', attachment: true }
    const link = (expires_at: number) =>
      cloudinary.utils.private_download_url('secret/plan', 'png', { ...options, expires_at })
    const open = await fetch(link(now() + 300))
    expect(open.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''plan.png")
    expect(Buffer.from(await open.arrayBuffer())).toEqual(bytes)
    expect((await fetch(link(now() - 1))).status).toBe(401)
  })

  test('changed by hand opens nothing', async () => {
    const link = cloudinary.utils.private_download_url('secret/plan', 'png', {
      type: 'authenticated',
      expires_at: now() - 1,
    })
    const longer = link.replace(/expires_at=\d+/, `expires_at=${now() + 300}`)
    const answer = await fetch(longer)
    expect([answer.status, answer.headers.get('x-cld-error')]).toEqual([
      401,
      expect.stringMatching(/^Invalid Signature/),
    ])
  })
})

describe('the Admin API', () => {
  beforeAll(async () => {
    for (const id of ['list/a', 'list/b', 'list/c', 'other']) await cloudinary.uploader.upload(path, { public_id: id })
  })

  test('lists by prefix, page by page', async () => {
    const first = await cloudinary.api.resources({ type: 'upload', prefix: 'list/', max_results: 2 })
    const second = await cloudinary.api.resources({
      type: 'upload',
      prefix: 'list/',
      max_results: 2,
      next_cursor: first.next_cursor,
    })
    const ids = [first, second].map(({ resources }) =>
      resources.map(({ public_id }: { public_id: string }) => public_id),
    )
    expect(ids).toEqual([['list/a', 'list/b'], ['list/c']])
    expect(second.next_cursor).toBeUndefined()
  })

  test('lists all kinds of delivery when none is named', async () => {
    const { resources } = await cloudinary.api.resources({ max_results: 500 })
    expect(new Set(resources.map(({ type }: { type: string }) => type))).toEqual(new Set(['upload', 'authenticated']))
  })

  test('deletes by id, and says which were there', async () => {
    expect(await cloudinary.api.delete_resources(['list/a', 'never'])).toMatchObject({
      deleted: { 'list/a': 'deleted', never: 'not_found' },
      partial: false,
    })
    const many = Array.from({ length: 101 }, (_, index) => `id-${index}`)
    await expect(cloudinary.api.delete_resources(many)).rejects.toMatchObject({ error: { http_code: 400 } })
  })

  test('refuses wrong credentials', async () => {
    await expect(cloudinary.api.resource('other', { api_secret: 'wrong' })).rejects.toMatchObject({
      error: { message: 'api_secret mismatch', http_code: 401 },
    })
    await expect(cloudinary.api.resource('other', { api_key: '42' })).rejects.toMatchObject({
      error: { message: 'unknown api_key', http_code: 401 },
    })
    const { url, cloudName } = sandbox.cloudinary
    expect((await fetch(`${url}/v1_1/${cloudName}/resources/image`)).status).toBe(401)
  })
})

test('destroy checks its signature', async () => {
  const options = { api_secret: 'wrong' } as object
  await expect(cloudinary.uploader.destroy('other', options)).rejects.toMatchObject({ http_code: 401 })
  expect(await cloudinary.api.resource('other')).toMatchObject({ public_id: 'other' })
})

test('eager transformations have signed addresses of their own', async () => {
  const options = { public_id: 'eager', type: 'authenticated', eager: [{ width: 100, crop: 'scale' }] }
  const { eager } = await cloudinary.uploader.upload(path, options)
  expect(eager).toMatchObject([{ transformation: 'c_scale,w_100', format: 'png' }])
  const answer = await fetch(eager[0].secure_url)
  expect([answer.status, answer.headers.get('x-sandbox-transformation')]).toEqual([200, 'ignored'])
})

function signedUrl(publicId: string, options: object): string {
  return cloudinary.url(publicId, { type: 'authenticated', sign_url: true, secure: false, ...options })
}
