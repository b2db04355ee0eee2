import { deepStrictEqual as equal, rejects, throws } from 'node:assert'
import { z } from 'zod'
import { readBody, requireMethod } from './body.ts'

const shape = z.object({ name: z.string(), ids: z.array(z.uuid()) })
const ask = (body: BodyInit) => readBody(new Request('http://localhost/', { method: 'POST', body }), shape)

Deno.test('a body in the shape asked for is read, and nothing else of it', async () => {
  equal(await ask('{"name": "a", "ids": [], "other": 1}'), { name: 'a', ids: [] })
})

Deno.test('a body in another shape is refused field by field, and one that is no JSON as a whole', async () => {
  await rejects(ask('{"name": 1, "ids": ["x"]}'), (refusal: { code: string; details: { fields: object } }) => {
    equal([refusal.code, Object.keys(refusal.details.fields)], ['invalid_input', ['name', 'ids.0']])
    return true
  })
  for (const body of ['', 'null', '[]']) await rejects(ask(body), { status: 400, code: 'invalid_input' })
  const form = new FormData()
  form.append('name', 'a')
  for (const body of ['{', form, new URLSearchParams({ name: 'a' })]) {
    await rejects(ask(body), { status: 400, code: 'invalid_json', message: /^Please send JSON/ })
  }
})

Deno.test('a body of more than 1 MiB is refused, also when it does not say how long it is', async () => {
  const long = new TextEncoder().encode(`{"name": "${'a'.repeat(1024 * 1024)}", "ids": []}`)
  const unannounced = new ReadableStream({
    start(controller) {
      for (let at = 0; at < long.length; at += 65_536) controller.enqueue(long.slice(at, at + 65_536))
      controller.close()
    },
  })
  for (const body of [long, unannounced]) await rejects(ask(body), { status: 413, code: 'body_too_large' })
})

Deno.test('another method is refused, and the right one named', () => {
  const request = new Request('http://localhost/')
  requireMethod(request, 'GET')
  throws(() => requireMethod(request, 'POST'), { status: 405, details: { allow: 'POST' } })
})
