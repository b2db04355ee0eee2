import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ana, keys, type Served, serve, token } from './serve.ts'

let rest: Served
beforeAll(async () => {
  rest = await serve()
})
afterAll(() => rest.close())

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  rest.request(path, {
    method: 'POST',
    headers: { apikey: keys.secret, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

describe('SQL knows', () => {
  test('who asks', async () => {
    const claims = { sub: ana, role: 'authenticated', app_metadata: { provider: 'email' } }
    const headers = { apikey: keys.publishable, authorization: `Bearer ${await token(claims)}` }
    const [{ context }] = await (await rest.request('/contexts', { headers })).json()
    expect(context).toMatchObject({ user: 'authenticated', role: 'authenticated', uid: ana, old_sub: ana, claims })
    expect(context.old_role).toBe('authenticated')
    expect((await rest.anon.rpc('context')).data).toMatchObject({ user: 'anon', uid: null, claims: { role: 'anon' } })
  })

  test('what was asked, of a table as of a function', async () => {
    const headers = {
      apikey: keys.publishable,
      cookie: 'a=1; b=x=y',
      'x-forwarded-for': '198.51.100.1',
      'X-Mine': 'yes',
    }
    const [{ context }] = await (await rest.request('/contexts?select=context', { headers })).json()
    expect(context).toMatchObject({ method: 'GET', path: '/contexts', cookies: { a: '1', b: 'x=y' } })
    expect(context.headers).toMatchObject({ 'x-mine': 'yes', 'x-forwarded-for': '198.51.100.1' })

    const called = await (await post('/rpc/context', {}, { 'x-forwarded-for': '198.51.100.1' })).json()
    expect(called).toMatchObject({
      method: 'POST',
      path: '/rpc/context',
      headers: { 'x-forwarded-for': '198.51.100.1' },
    })
  })

  test('names without a schema, as hosted', async () => {
    expect((await rest.anon.rpc('context')).data.search_path).toBe('"public", "extensions"')
  })
})

describe('time', () => {
  test('each role has its own', async () => {
    expect((await rest.anon.rpc('context')).data.statement_timeout).toBe('3s')
    expect((await (await rest.signedIn(ana)).rpc('context')).data.statement_timeout).toBe('8s')
  })

  test('a function’s own limit holds from the start of its call', async () => {
    // Computed after the call, when what the function set for its own length is gone.
    const { data } = await rest.service.rpc('rooms_in_time').select('people!owner_id(time_limit)').eq('id', 1)
    expect(data).toEqual([{ people: { time_limit: '20s' } }])
  })

  test('who takes longer is cut off', async () => {
    const { status, error } = await rest.anon.rpc('sleep')
    expect({ status, error }).toMatchObject({
      status: 500,
      error: { code: '57014', message: 'canceling statement due to statement timeout' },
    })
  })
})

describe('reading changes nothing', () => {
  test('neither GET nor a function that promises so can write', async () => {
    expect((await rest.anon.rpc('context')).data.read_only).toBe('on')
    const refused = await rest.service.rpc('answer', {}, { get: true })
    expect(refused).toMatchObject({ status: 405, error: { code: '25006' } })
  })
})

describe('SQL chooses', () => {
  test('status and headers of a function’s answer, and what it wrote stays', async () => {
    const response = await post('/rpc/answer', {
      p_status: '429',
      p_headers: '[{"Retry-After": "7"}, {"X-Mine": "yes"}]',
    })
    expect(response.status).toBe(429)
    expect(response.headers.get('retry-after')).toBe('7')
    expect(response.headers.get('x-mine')).toBe('yes')
    expect(await response.json()).toBe('done')
    expect(await rest.sql('select id from public.notes where id = 98')).toEqual([{ id: 98 }])
  })

  test('status and headers of a table’s answer', async () => {
    await rest.sql(`
      create function public.answer_slowly() returns trigger language plpgsql as $$
      begin
        perform public.answer(new.body, '[{"Retry-After": "7"}]');
        return new;
      end $$;
      create trigger answer_slowly before insert on public.notes
      for each row when (new.id = 50) execute function public.answer_slowly()`)
    const response = await post('/notes', { id: 50, body: '202' }, { prefer: 'return=representation' })
    expect(response.status).toBe(202)
    expect(response.headers.get('retry-after')).toBe('7')
    expect(await response.json()).toEqual([{ id: 50, body: '202', author: null }])
    expect((await rest.anon.from('notes').select()).status).toBe(200)
  })

  test.each([
    ['no status', { p_status: 'slow' }, 'PGRST112'],
    ['no headers', { p_headers: '{"a": "b"}' }, 'PGRST111'],
  ])('%s that HTTP knows: 500', async (_, args, code) => {
    const response = await post('/rpc/answer', args)
    expect({ status: response.status, code: (await response.json()).code }).toEqual({ status: 500, code })
  })

  test('an answer without a body has none', async () => {
    const response = await post('/rpc/answer', { p_status: '204' })
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 204, body: '' })
  })
})
