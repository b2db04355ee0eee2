import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { localKeys } from '../../../src/stack/keys.ts'
import { type StorageServer, serveStorage } from './serve.ts'

let server: StorageServer
const pages = {
  'upper.html': 'Text/HTML',
  'page.xhtml': 'application/xhtml+xml',
  'text.xml': 'text/xml; charset=utf-8',
  'application.xml': 'application/xml',
  'formula.xml': 'application/MathML+xml',
  'two.html': 'image/svg+xml, text/html',
}
beforeAll(async () => {
  server = await serveStorage()
  for (const [bucket, isPublic] of [
    ['private', false],
    ['public', true],
  ] as const) {
    await server.admin.storage.createBucket(bucket, { public: isPublic })
    const files = server.admin.storage.from(bucket)
    await files.upload('digits.txt', '0123456789', { contentType: 'text/plain', cacheControl: '60' })
    await files.upload('page.html', '<script>alert(1)</script>', { contentType: 'text/html; charset=utf-8' })
    await files.upload('drawing.svg', '<svg/>', { contentType: 'image/svg+xml' })
    for (const [name, contentType] of Object.entries(pages)) await files.upload(name, '<p>', { contentType })
  }
})
afterAll(() => server.close())

const asAdmin = { authorization: `Bearer ${localKeys.secret}` }
const get = (path: string, headers: Record<string, string> = asAdmin, method = 'GET') =>
  fetch(`${server.url}${path}`, { method, headers })

test('a download says what it is', async () => {
  const response = await get('/object/private/digits.txt')
  expect(response.status).toBe(200)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/plain',
    'content-length': '10',
    'cache-control': 'max-age=60',
    etag: '"781e5e245d69b566979b86e28d23f2c7"',
    'last-modified': expect.stringMatching(/GMT$/),
    'accept-ranges': 'bytes',
  })
  expect(await response.text()).toBe('0123456789')
})

test('HEAD says the same without the bytes', async () => {
  const response = await get('/object/private/digits.txt', asAdmin, 'HEAD')
  expect(response.status).toBe(200)
  expect(response.headers.get('content-length')).toBe('10')
  expect(await response.text()).toBe('')
  expect((await get('/object/private/none.txt', asAdmin, 'HEAD')).status).toBe(400)
})

test.each(['page.html', ...Object.keys(pages)])('%s is a page, and served as text', async (name) => {
  const { headers } = await get(`/object/public/public/${name}`)
  expect(headers.get('content-type')).toBe('text/plain')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
})

test('a drawing is served as a picture whose scripts do not run', async () => {
  const { headers } = await get('/object/public/public/drawing.svg')
  expect(headers.get('content-type')).toBe('image/svg+xml')
  expect(headers.get('content-security-policy')).toBe('sandbox')
})

test('an unchanged object is not sent again', async () => {
  const first = await get('/object/private/digits.txt')
  const etag = first.headers.get('etag') ?? ''
  expect((await get('/object/private/digits.txt', { ...asAdmin, 'if-none-match': etag })).status).toBe(304)
  expect((await get('/object/private/digits.txt', { ...asAdmin, 'if-none-match': '"other"' })).status).toBe(200)
})

describe('ranges', () => {
  test.each([
    ['bytes=2-5', '2345', 'bytes 2-5/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=0-99', '0123456789', 'bytes 0-9/10'],
    ['bytes=-99', '0123456789', 'bytes 0-9/10'],
  ])('%s', async (range, content, contentRange) => {
    const response = await get('/object/private/digits.txt', { ...asAdmin, range })
    expect(response.status).toBe(206)
    expect(response.headers.get('content-range')).toBe(contentRange)
    expect(response.headers.get('content-length')).toBe(String(content.length))
    expect(await response.text()).toBe(content)
  })

  test.each(['bytes=10-', 'bytes=-0'])('%s is refused', async (range) => {
    const response = await get('/object/private/digits.txt', { ...asAdmin, range })
    expect(await response.json()).toMatchObject({ statusCode: '416', error: 'InvalidRange' })
  })

  test.each(['bytes=5-2', 'bytes=-', 'lines=1-2', 'bytes=0-1,4-5'])('%s is passed over', async (range) => {
    const response = await get('/object/private/digits.txt', { ...asAdmin, range })
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('0123456789')
  })
})

describe('a public bucket', () => {
  test('is read by anyone, a private one is not', async () => {
    const { publicUrl } = server.anonymous.storage.from('public').getPublicUrl('digits.txt').data
    expect(await (await fetch(publicUrl)).text()).toBe('0123456789')
    expect(await (await get('/object/public/digits.txt', {})).text()).toBe('0123456789')

    const { publicUrl: closed } = server.anonymous.storage.from('private').getPublicUrl('digits.txt').data
    expect(await (await fetch(closed)).json()).toMatchObject({ statusCode: '404', error: 'Bucket not found' })
  })

  test('is written and listed only as policies allow', async () => {
    const files = server.anonymous.storage.from('public')
    expect((await files.upload('new.txt', 'new')).error).toMatchObject({ statusCode: '403' })
    expect((await files.list()).data).toEqual([])
    expect((await files.remove(['digits.txt'])).data).toEqual([])
    expect((await files.exists('digits.txt')).data).toBe(true)
  })

  test('describes its objects', async () => {
    const response = await get('/object/info/public/public/digits.txt', {})
    expect(await response.json()).toMatchObject({ name: 'digits.txt', size: 10, content_type: 'text/plain' })
    expect((await get('/object/info/public/private/digits.txt', {})).status).toBe(400)
  })
})

test('`download` asks the browser to save, under a name or the object’s', async () => {
  const files = server.anonymous.storage.from('public')
  const disposition = async (download: string | true) => {
    const response = await fetch(files.getPublicUrl('digits.txt', { download }).data.publicUrl)
    return response.headers.get('content-disposition')
  }
  expect(await disposition(true)).toBe('attachment;')
  expect(await disposition('Menü "1".txt')).toBe(
    `attachment; filename=Men%C3%BC%20%221%22.txt; filename*=UTF-8''Men%C3%BC%20%221%22.txt;`,
  )
  const shown = await fetch(files.getPublicUrl('digits.txt').data.publicUrl)
  expect(shown.headers.get('content-disposition')).toBeNull()
})

test('`authenticated` in the path insists on a token', async () => {
  expect((await get('/object/authenticated/private/digits.txt')).status).toBe(200)
  const response = await get('/object/authenticated/public/digits.txt', {})
  expect(await response.json()).toMatchObject({ statusCode: '403', error: 'Unauthorized' })
})

test('browsers of any origin may ask, and read refusals too', async () => {
  const preflight = await fetch(`${server.url}/object/private/x.txt`, {
    method: 'OPTIONS',
    headers: {
      origin: 'http://localhost:3000',
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'authorization,x-upsert,content-type',
    },
  })
  expect(preflight.ok).toBe(true)
  expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
  expect(preflight.headers.get('access-control-allow-methods')).toContain('PUT')
  expect(preflight.headers.get('access-control-allow-headers')).toContain('x-upsert')

  const refused = await get('/object/private/digits.txt', { origin: 'http://localhost:3000' })
  expect(refused.status).toBe(400)
  expect(refused.headers.get('access-control-allow-origin')).toBe('*')
})

test('a path that is none of ours is not found', async () => {
  const response = await get('/render/image/public/public/digits.txt')
  expect(response.status).toBe(404)
  expect(await response.json()).toMatchObject({ statusCode: '404', error: 'Not Found' })
})
