import { expect, test } from 'vitest'
import { MalformedForm, readParts, readText } from '../../src/stack/multipart.ts'

const contentType = 'multipart/form-data; boundary=----edge'

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const body = Buffer.from(
  [
    '------edge\r\nContent-Disposition: form-data; name="cacheControl"\r\n\r\n3600',
    // Looks like the end, again and again, and is not.
    '\r\n------edge\r\ncontent-disposition: form-data; name=""; filename="a %22b%22.png"\r\ncontent-type: image/png\r\n\r\n',
    '\r\n-----\r\n------edg\r\n\r\n------edge',
    '\r\nContent-Disposition: form-data; name="after"\r\n\r\n\r\n------edge--\r\n',
  ].join(''),
)

async function read(size: number) {
  const parts: unknown[] = []
  for await (const { body: content, ...part } of readParts(inPieces(body, size), contentType)) {
    parts.push({ ...part, text: await readText(content, 1000) })
  }
  return parts
}

test('a form reads the same wherever the network cuts it', async () => {
  const parts = await read(body.length)
  expect(parts).toEqual([
    { name: 'cacheControl', filename: undefined, contentType: undefined, text: '3600' },
    { name: '', filename: 'a "b".png', contentType: 'image/png', text: '\r\n-----\r\n------edg\r\n' },
    { name: 'after', filename: undefined, contentType: undefined, text: '' },
  ])
  for (let size = 1; size < 80; size++) expect(await read(size)).toEqual(parts)
})

test('a part that is not read is skipped', async () => {
  const names: string[] = []
  for await (const { name } of readParts(inPieces(body, 7), contentType)) names.push(name)
  expect(names).toEqual(['cacheControl', '', 'after'])
})

test('a form that stops early is an error', async () => {
  const readAll = async () => {
    for await (const part of readParts(inPieces(body.subarray(0, -6), 10), contentType)) await readText(part.body, 1000)
  }
  await expect(readAll).rejects.toThrow(new MalformedForm('Unexpected end of form'))
})

test('headers and fields have a limit', async () => {
  const endless = Buffer.concat([Buffer.from('------edge\r\nx: '), Buffer.alloc(100_000, 'y')])
  await expect(readParts(inPieces(endless, 1000), contentType).next()).rejects.toThrow(MalformedForm)
})
