import { deepStrictEqual as equal, match, throws } from 'node:assert'
import { createHash } from 'node:crypto'
import type { StoredFile } from './files.ts'

// The SDK reads it when it is imported.
Deno.env.set('CLOUDINARY_URL', 'cloudinary://key:secret@demo')
const { cloudinaryThumbnailUrl, cloudinaryUrl, signedUpload } = await import('./cloudinary.ts')

const picture: Pick<StoredFile, 'public_id' | 'resource_type'> = {
  public_id: 'parley/id',
  resource_type: 'image',
}
const sha1 = (text: string) => createHash('sha1').update(text).digest()

Deno.test('an upload is signed with its place, its kind and its formats', () => {
  const { upload_url, fields } = signedUpload(picture)
  equal(upload_url, 'https://api.cloudinary.com/v1_1/demo/image/upload')
  const { signature, api_key, ...signed } = fields
  equal([api_key, Object.keys(signed)], ['key', ['public_id', 'type', 'overwrite', 'timestamp', 'allowed_formats']])
  const text = Object.entries(signed)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map((pair) => pair.join('='))
    .join('&')
  equal(signature, sha1(`${text}secret`).toString('hex'))
  equal('allowed_formats' in signedUpload({ ...picture, resource_type: 'raw' }).fields, false)
})

Deno.test('links are signed: the file for a time, its thumbnail for its transformation', () => {
  const url = new URL(cloudinaryUrl({ public_id: 'parley/id.pdf', resource_type: 'raw' }, new Date(1_800_000_000_000)))
  equal(url.origin + url.pathname, 'https://api.cloudinary.com/v1_1/demo/raw/download')
  equal(
    ['public_id', 'type', 'expires_at', 'api_key'].map((name) => url.searchParams.get(name)),
    ['parley/id.pdf', 'authenticated', '1800000000', 'key'],
  )

  const thumbnail = cloudinaryThumbnailUrl(picture)
  const path = 'c_limit,h_480,w_480/f_auto,q_auto/parley/id'
  const signature = sha1(`${path}secret`).toString('base64url').slice(0, 8)
  match(thumbnail, /^https:/)
  equal(thumbnail.replace('/v1/', '/'), `https://res.cloudinary.com/demo/image/authenticated/s--${signature}--/${path}`)
})

Deno.test('without an account one line says what is missing, and where it comes from', () => {
  const account = Deno.env.get('CLOUDINARY_URL') ?? ''
  Deno.env.delete('CLOUDINARY_URL')
  try {
    throws(() => signedUpload(picture), { message: /^The secret CLOUDINARY_URL is not set \(.+\)/ })
  } finally {
    Deno.env.set('CLOUDINARY_URL', account)
  }
})
