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
