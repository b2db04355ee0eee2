import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { gif, jpeg, png, webp } from './images.ts'
import { createSandbox, form, now, type TestSandbox } from './support.ts'

let sandbox: TestSandbox
beforeAll(async () => {
  sandbox = await createSandbox()
})
afterAll(() => sandbox.remove())
beforeEach(() => sandbox.control('DELETE', '/cloudinary'))

const picture = { bytes: png(640, 480), name: 'harbour.png' }

function signature(
  params: Record<string, string | number>,
  { algorithm = 'sha1', secret = sandbox.cloudinary.apiSecret } = {},
) {
  const text = Object.keys(params)
    .sort()
    .map((name) => `${name}=${params[name]}`)
    .join('&')
  return createHash(algorithm)
    .update(text + secret)
    .digest('hex')
}

function signed(params: Record<string, string | number> = {}): Record<string, string | number> {
  const complete = { timestamp: now(), ...params }
  return { ...complete, api_key: sandbox.cloudinary.apiKey, signature: signature(complete) }
}

async function post(
  params: Record<string, string | number>,
  file: typeof picture | undefined = picture,
  type = 'image',
) {
  const { url, cloudName } = sandbox.cloudinary
  const answer = await fetch(`${url}/v1_1/${cloudName}/${type}/upload`, { method: 'POST', body: form(params, file) })
  // biome-ignore lint/suspicious/noExplicitAny: the answer is what is under test
  return { status: answer.status, error: answer.headers.get('x-cld-error'), body: (await answer.json()) as any }
}

const mebibyte = Buffer.alloc(1024 * 1024, 7)

/** Uploads a raw file whose bytes come from `chunks`, as they come. */
async function postStream(
  params: Record<string, string | number>,
  chunks: () => AsyncIterable<Buffer>,
  signal?: AbortSignal,
): Promise<Response> {
  const frame = new Response(form(params, { bytes: Buffer.from('|'), name: 'large.bin' }))
  const type = frame.headers.get('content-type') ?? ''
  const [head = '', tail = ''] = (await frame.text()).split('|')
  async function* body() {
    yield Buffer.from(head)
    yield* chunks()
    yield Buffer.from(tail)
  }
  const { url, cloudName } = sandbox.cloudinary
  const init = { method: 'POST', headers: { 'content-type': type }, body: body(), duplex: 'half', signal }
  // The type of RequestInit knows neither generators nor `duplex`; Node's fetch does.
  return fetch(`${url}/v1_1/${cloudName}/raw/upload`, init as unknown as RequestInit)
}

/** Bytes on disk of the upload that is going on. */
async function partSize(): Promise<number> {
  const [part = ''] = (await stored()).filter((name) => name.endsWith('.part'))
  return part ? (await stat(join(sandbox.dir, 'cloudinary', part))).size : 0
}

async function stored(): Promise<string[]> {
  return readdir(join(sandbox.dir, 'cloudinary'))
}

describe('a signed upload', () => {
  test('answers what Cloudinary documents', async () => {
    const { status, body } = await post(
      signed({ public_id: 'rooms/7/harbour', tags: 'a,b', context: 'alt=A\\=B|caption=sea', asset_folder: 'rooms' }),
    )
    expect(status).toBe(200)
    expect(body).toMatchObject({
      public_id: 'rooms/7/harbour',
      format: 'png',
      resource_type: 'image',
      type: 'upload',
      width: 640,
      height: 480,
      bytes: picture.bytes.length,
      etag: createHash('md5').update(picture.bytes).digest('hex'),
      tags: ['a', 'b'],
      context: { custom: { alt: 'A=B', caption: 'sea' } },
      asset_folder: 'rooms',
      display_name: 'harbour',
      original_filename: 'harbour',
      placeholder: false,
    })
    expect(body.asset_id).toMatch(/^[0-9a-f]{32}$/)
    expect(body.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(body.secure_url).toBe(
      `${sandbox.cloudinary.url}/${sandbox.cloudinary.cloudName}/image/upload/v${body.version}/rooms/7/harbour.png`,
    )
    expect(body.signature).toBe(signature({ public_id: body.public_id, version: body.version }))
    const delivered = await fetch(body.secure_url)
    expect(Buffer.from(await delivered.arrayBuffer())).toEqual(picture.bytes)
  })

  test('may be signed with SHA-256', async () => {
    const params = { timestamp: now(), public_id: 'sha256' }
    const { apiKey: api_key } = sandbox.cloudinary
    const { status } = await post({ ...params, api_key, signature: signature(params, { algorithm: 'sha256' }) })
    expect(status).toBe(200)
  })

  test('may escape & in values, as SDKs do today, or not, as older ones do', async () => {
    const params = { context: 'a=b&c', timestamp: now() }
    const { apiKey: api_key } = sandbox.cloudinary
    const escaped = signature({ ...params, context: 'a=b%26c' })
    expect((await post({ ...params, api_key, signature: escaped })).status).toBe(200)
    expect((await post({ ...params, api_key, signature: signature(params) })).status).toBe(200)
  })

  test('may use Basic authentication instead', async () => {
    const { url, cloudName, apiKey, apiSecret } = sandbox.cloudinary
    const upload = (secret: string) =>
      fetch(`${url}/v1_1/${cloudName}/image/upload`, {
        method: 'POST',
        body: form({ public_id: 'basic' }, picture),
        headers: { authorization: `Basic ${btoa(`${apiKey}:${secret}`)}` },
      })
    expect((await upload(apiSecret)).status).toBe(200)
    expect((await upload('wrong')).status).toBe(401)
  })

  test('takes a data URI, a JSON body and an http address', async () => {
    const { url, cloudName } = sandbox.cloudinary
    const file = `data:image/png;base64,${picture.bytes.toString('base64')}`
    const target = `${url}/v1_1/${cloudName}/image/upload`
    const inForm = await fetch(target, { method: 'POST', body: form({ ...signed({ public_id: 'uri' }), file }) })
    expect(await inForm.json()).toMatchObject({ public_id: 'uri', width: 640 })

    const json = { method: 'POST', headers: { 'content-type': 'application/json' } }
    const inJson = await fetch(target, { ...json, body: JSON.stringify({ ...signed({ public_id: 'json' }), file }) })
    const { secure_url } = (await inJson.json()) as { secure_url: string }
    const copy = await fetch(target, { ...json, body: JSON.stringify({ ...signed(), file: secure_url }) })
    expect(await copy.json()).toMatchObject({ original_filename: 'json', width: 640 })
  })

  test('is on disk before it has ended: 50 MB never stand in memory', async () => {
    const answer = await postStream(signed({ public_id: 'large' }), async function* () {
      for (let count = 0; count < 50; count++) yield mebibyte
      await vi.waitFor(async () => expect(await partSize()).toBeGreaterThan(49 * mebibyte.length), 10_000)
    })
    expect(await answer.json()).toMatchObject({ public_id: 'large', bytes: 50 * mebibyte.length, resource_type: 'raw' })
  })
})

describe('a refused upload leaves nothing behind', () => {
  const cases: [string, () => Record<string, string | number>, number, RegExp][] = [
    [
      'signed with another secret',
      () => wrongSecret(),
      401,
      /^Invalid Signature [0-9a-f]{40}\. String to sign - 'timestamp=\d+'\.$/,
    ],
    [
      'with a parameter that was not signed',
      () => ({ ...signed(), public_id: 'mine' }),
      401,
      /^Invalid Signature .*'public_id=mine&timestamp=\d+'/,
    ],
    ['with another key', () => ({ ...signed(), api_key: '42' }), 401, /^Unknown API key 42$/],
    ['without a key', () => ({ timestamp: 1, signature: 'x' }), 401, /^Must supply api_key$/],
    [
      'without a timestamp',
      () => ({ api_key: sandbox.cloudinary.apiKey, signature: 'x' }),
      400,
      /^Missing required parameter - timestamp$/,
    ],
    [
      'signed more than an hour ago',
      () => signed({ timestamp: now() - 3601 }),
      400,
      /^Stale request - reported time is \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 which is more than 1 hour ago$/,
    ],
    ['unsigned', () => ({}), 400, /^Upload preset must be specified when using unsigned upload$/],
    ['unsigned, with a preset', () => ({ upload_preset: 'open' }), 400, /^Upload preset not found$/],
    [
      'of a format that is not allowed',
      () => signed({ allowed_formats: 'jpg,gif' }),
      400,
      /^Image file format png not allowed$/,
    ],
    ['of an unknown delivery type', () => signed({ type: 'secret' }), 400, /^Invalid type secret$/],
    ['that asks for what the sandbox cannot do', () => signed({ transformation: 'w_10' }), 400, /transformation/],
  ]
  test.each(cases)('%s', async (_, params, status, message) => {
    const answer = await post(params())
    expect(answer.body.error.message).toMatch(message)
    expect(answer.status).toBe(status)
    expect(answer.error).toBe(answer.body.error.message)
    expect(await stored()).toEqual([])
  })

  test('without a file', async () => {
    const { url, cloudName } = sandbox.cloudinary
    const answer = await fetch(`${url}/v1_1/${cloudName}/image/upload`, { method: 'POST', body: form(signed()) })
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: { message: 'Missing required parameter - file' } },
    ])
  })

  test('to another cloud', async () => {
    const answer = await fetch(`${sandbox.cloudinary.url}/v1_1/other/image/upload`, {
      method: 'POST',
      body: form(signed(), picture),
    })
    expect([answer.status, await answer.json()]).toEqual([401, { error: { message: 'Invalid cloud_name other' } }])
  })

  test.each([
    ['in its file', 'half of it'],
    ['after its file', 'all of it\r\n--x\r\nContent-Disposition: form-data; name="public_id"\r\n\r\nhalf'],
  ])('broken off %s', async (_, rest) => {
    const { url, cloudName } = sandbox.cloudinary
    const answer = await fetch(`${url}/v1_1/${cloudName}/image/upload`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: `--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n${rest}`,
    })
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: { message: 'Malformed form: Unexpected end of form' } },
    ])
    expect(await stored()).toEqual([])
  })

  test('larger than Cloudinary takes in one request', async () => {
    const answer = await postStream(signed(), async function* () {
      for (let count = 0; count < 101; count++) yield mebibyte
    })
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: { message: 'File size too large. Got 105906176. Maximum is 104857600.' } },
    ])
    expect(await stored()).toEqual([])
  })

  test('given up by its sender', async () => {
    const givenUp = new AbortController()
    const upload = postStream(
      signed(),
      async function* () {
        yield mebibyte
        await vi.waitFor(async () => expect(await partSize()).toBeGreaterThan(0))
        givenUp.abort()
        yield mebibyte
      },
      givenUp.signal,
    )
    await expect(upload).rejects.toThrow(/abort/)
    await vi.waitFor(async () => expect(await stored()).toEqual([]))
    expect(sandbox.logged).toEqual([])
  })

  test('signed long ago, whatever it says of its expiry', async () => {
    const answer = await post(signed({ timestamp: now() - 7200, expires_at: now() + 300 }))
    expect(answer.body.error.message).toMatch(/^Stale request/)
  })

  function wrongSecret() {
    const timestamp = now()
    return { timestamp, api_key: sandbox.cloudinary.apiKey, signature: signature({ timestamp }, { secret: 'wrong' }) }
  }
})

describe('the resource type is told by the bytes, not the name', () => {
  const files: [string, Buffer, object][] = [
    ['png', png(3, 2), { format: 'png', width: 3, height: 2 }],
    ['gif', gif(30, 20), { format: 'gif', width: 30, height: 20 }],
    ['jpeg with much EXIF', jpeg(4032, 3024), { format: 'jpg', width: 4032, height: 3024 }],
    ['webp', webp(300, 200), { format: 'webp', width: 300, height: 200 }],
  ]
  test.each(files)('%s', async (_, bytes, expected) => {
    const answer = await post(signed(), { bytes, name: 'file.txt' }, 'auto')
    expect(answer.body).toMatchObject({ resource_type: 'image', ...expected })
  })

  test('text is raw, and no image', async () => {
    const file = { bytes: Buffer.from('hello'), name: 'note.txt' }
    const automatic = await post(signed(), file, 'auto')
    expect(automatic.body).toMatchObject({ resource_type: 'raw', bytes: 5 })
    expect(automatic.body.public_id).toMatch(/^[a-z0-9]{20}\.txt$/)
    expect(automatic.body).not.toHaveProperty('format')
    expect((await post(signed(), file, 'image')).body.error.message).toBe('Invalid image file')
    expect((await post(signed(), file, 'video')).body.error.message).toBe('Unsupported video format or file')
    const refused = await post(signed({ allowed_formats: 'pdf' }), file, 'raw')
    expect(refused.body.error.message).toBe('Raw file format txt not allowed')
  })

  test('a PNG that ends after its first bytes is no image', async () => {
    const answer = await post(signed(), { bytes: png(3, 2).subarray(0, 14), name: 'a.png' })
    expect(answer.body.error.message).toBe('Invalid image file')
  })
})

describe('public ids', () => {
  test('folder goes before the id, asset_folder does not', async () => {
    expect((await post(signed({ folder: 'a/b', public_id: 'c' }))).body).toMatchObject({
      public_id: 'a/b/c',
      asset_folder: 'a/b',
    })
    expect((await post(signed({ asset_folder: 'a/b', public_id: 'c' }))).body).toMatchObject({
      public_id: 'c',
      asset_folder: 'a/b',
    })
  })

  test('are random, or made of the file name', async () => {
    expect((await post(signed())).body.public_id).toMatch(/^[a-z0-9]{20}$/)
    expect((await post(signed({ use_filename: 'true' }))).body.public_id).toMatch(/^harbour_[a-z0-9]{6}$/)
    expect((await post(signed({ use_filename: 'true', unique_filename: 'false' }))).body.public_id).toBe('harbour')
  })

  test('taken once are overwritten, unless overwrite is false', async () => {
    const first = await post(signed({ public_id: 'x' }))
    const kept = await post(signed({ public_id: 'x', overwrite: 'false' }), { bytes: gif(1, 1), name: 'b.gif' })
    expect(kept.body).toMatchObject({ existing: true, etag: first.body.etag })
    const replaced = await post(signed({ public_id: 'x' }), { bytes: gif(1, 1), name: 'b.gif' })
    expect(replaced.body).toMatchObject({ overwritten: true, format: 'gif', asset_id: first.body.asset_id })
    expect(await stored()).toHaveLength(2)
  })
})
