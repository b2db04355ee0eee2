import { deepStrictEqual as equal, rejects } from 'node:assert'
import { readUploadForm } from './uploads.ts'

const megabyte = 1024 * 1024

function form(...sizes: number[]): Request {
  const body = new FormData()
  body.append('caption', 'no file')
  for (const [index, size] of sizes.entries()) {
    body.append('files', new File([new Uint8Array(size)], `${index}.png`, { type: 'image/png' }))
  }
  return new Request('http://localhost/', { method: 'POST', body })
}

/** The same, without a word of how long it is. */
async function unannounced(request: Request): Promise<Request> {
  const body = new Blob([await request.arrayBuffer()]).stream()
  return new Request('http://localhost/', { method: 'POST', headers: request.headers, body })
}

Deno.test('the files of a form are read, up to 8 MB in all', async () => {
  const described = (files: File[]) => files.map(({ name, type, size }) => [name, type, size])
  const expected = [
    ['0.png', 'image/png', 1],
    ['1.png', 'image/png', 8 * megabyte - 1],
  ]
  equal(described(await readUploadForm(form(1, 8 * megabyte - 1))), expected)
  equal(described(await readUploadForm(await unannounced(form(1, 8 * megabyte - 1)))), expected)
})

Deno.test('more than that is to be uploaded directly', async () => {
  const refusal = { status: 413, code: 'use_direct_upload' }
  await rejects(readUploadForm(form(1, 8 * megabyte)), refusal)
  await rejects(readUploadForm(form(20 * megabyte)), refusal)
  await rejects(unannounced(form(20 * megabyte)).then(readUploadForm), refusal)
})

Deno.test('a form without files, and what is no form, is refused', async () => {
  await rejects(readUploadForm(form()), { status: 400, code: 'invalid_input' })
  const headers = { 'content-type': 'multipart/form-data; boundary=x' }
  const broken = new Request('http://localhost/', { method: 'POST', headers, body: '--y' })
  await rejects(readUploadForm(broken), { status: 400, code: 'invalid_form' })
})

/** A form of parts with one byte each, of which the last is a file; between them the boundary that it is announced with. */
function partsOf(count: number, type = 'multipart/form-data; boundary=x'): Request {
  const field = '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n'
  const file = '--x\r\ncontent-disposition: form-data; name="files"; filename="a.txt"\r\n\r\n1\r\n--x--\r\n'
  const body = field.repeat(count - 1) + file
  return new Request('http://localhost/', { method: 'POST', headers: { 'content-type': type }, body })
}

Deno.test('a form has at most 100 parts, by whatever boundary', async () => {
  const refusal = { status: 400, code: 'too_many_parts' }
  equal((await readUploadForm(partsOf(100))).length, 1)
  await rejects(readUploadForm(partsOf(101)), refusal)
  await rejects(readUploadForm(partsOf(150_000)), refusal)
  equal((await readUploadForm(partsOf(100, 'multipart/form-data; boundary="x"'))).length, 1)
  await rejects(readUploadForm(partsOf(101, 'Multipart/Form-Data; charset=utf-8; Boundary="x"; boundary=y')), refusal)
  await rejects(readUploadForm(partsOf(101, 'multipart/form-data; boundary=y; boundary=x')), { code: 'invalid_input' })
  await rejects(readUploadForm(partsOf(1, 'multipart/form-data')), { code: 'invalid_form' })
})
