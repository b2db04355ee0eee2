import { afterAll, beforeAll, expect, test } from 'vitest'
import { keys, type Served, serve } from './serve.ts'

let rest: Served
beforeAll(async () => {
  rest = await serve()
})
afterAll(() => rest.close())

test.each([404, 403, 429, 409])('PT%i is the status, with code, message, details and hint', async (status) => {
  const args = { p_state: `PT${status}`, p_message: 'Not you.', p_detail: 'not_a_member', p_hint: 'Join first.' }
  expect(await rest.service.rpc('fail', args)).toMatchObject({
    status,
    error: { code: `PT${status}`, message: 'Not you.', details: 'not_a_member', hint: 'Join first.' },
  })
})

test('what was not said is null', async () => {
  const response = await rest.request('/rpc/fail', {
    method: 'POST',
    headers: { apikey: keys.secret, 'content-type': 'application/json' },
    body: JSON.stringify({ p_state: 'PT400' }),
  })
  expect(await response.json()).toEqual({ code: 'PT400', message: 'no', details: null, hint: null })
})

test('PGRST writes the whole answer', async () => {
  const { status, error } = await rest.service.rpc('fail', {
    p_state: 'PGRST',
    p_message: JSON.stringify({ code: 'teapot', message: 'No coffee.', details: 'short', hint: 'stout' }),
    p_detail: JSON.stringify({ status: 418, headers: {} }),
    p_hint: '',
  })
  expect({ status, error }).toMatchObject({
    status: 418,
    error: { code: 'teapot', message: 'No coffee.', details: 'short', hint: 'stout' },
  })
})

test('an error undoes everything before it', async () => {
  expect((await rest.service.rpc('fail', { p_state: 'P0001' })).status).toBe(400)
  expect(await rest.sql('select * from public.notes where id = 99')).toEqual([])
})
