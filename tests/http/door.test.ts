import { request } from 'node:http'
import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, inject, test } from 'vitest'
import { chatOf } from '../support/chats.ts'
import { withDatabase } from '../support/jobs.ts'
import { signUp } from '../support/people.ts'
import { call, openApi, tokenOf } from './http.ts'

const door = () => `${inject('stack').url}/functions/v1/api`

test('the OpenAPI document is a valid one, and names each call once', async () => {
  const document = await openApi()
  expect(await new Validator().validate(structuredClone(document) as never)).toMatchObject({ valid: true })
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path)) as { operationId?: string }[]
  const ids = operations.map(({ operationId }) => operationId)
  expect(ids).toHaveLength(new Set(ids).size)
  expect(ids.length).toBeGreaterThan(50)
})

test('a preflight is answered for every path, with and without its slash', async () => {
  const { paths } = await openApi()
  const served = [...Object.keys(paths), '/api/nothing/'].flatMap((path) => [path, path.replace(/\/$/, '')])
  for (const path of served) {
    const response = await fetch(`${door().replace(/\/api$/, '')}${path.replaceAll(/\{\w+\}/g, 'x')}`, {
      method: 'OPTIONS',
      headers: { origin: 'https://front-end.example', 'access-control-request-method': 'DELETE' },
    })
    expect(response.ok, path).toBe(true)
    expect(response.headers.get('access-control-allow-origin'), path).toBe('*')
    expect(response.headers.get('access-control-allow-methods'), path).toContain('DELETE')
    expect(response.headers.get('access-control-allow-headers'), path).toMatch(/authorization.*x-hotel-slug/)
  }
})

test('whoever calls too often is told for how long to wait, and others are not', async () => {
  const [eager, calm] = await Promise.all([signUp('Eager'), signUp('Calm')])
  await call(eager, 'GET', '/api/chat/online-users/')
  await withDatabase((client) =>
    client.query(
      `update private.rate_buckets set tokens = -1000, filled_at = clock_timestamp() where user_id = $1 and action = 'call'`,
      [eager.id],
    ),
  )
  // Ten calls are counted together, beside the tenth; and no more than ten others go on before that is answered.
  let refused = await call(eager, 'GET', '/api/chat/online-users/')
  for (let calls = 1; refused.status === 200 && calls < 21; calls++) {
    refused = await call(eager, 'GET', '/api/chat/online-users/')
  }
  expect(refused).toMatchObject({ status: 429, body: { success: false, error: 'too_many_requests' } })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await call(calm, 'GET', '/api/chat/online-users/')).status).toBe(200)
})

test('both words for a token are taken', async () => {
  const ana = await signUp('Ana')
  const token = await tokenOf(ana)
  for (const authorization of [`Token ${token}`, `Bearer ${token}`, `bearer ${token}`]) {
    expect((await call(undefined, 'GET', '/api/chat/online-users/', undefined, { authorization })).status).toBe(200)
  }
  const apiKeyAlone = { authorization: `Bearer ${inject('stack').publishableKey}` }
  expect((await call(undefined, 'GET', '/api/chat/online-users/', undefined, apiKeyAlone)).status).toBe(401)
})

test('links to other pages begin where the project is configured to be, whatever Host is sent', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const id = await chatOf(ana, ben)
  for (const p_content of ['one', 'two', 'three']) {
    await ana.client.rpc('send_message', { p_room_id: id, p_content }).throwOnError()
  }
  const target = `${door()}/messaging/conversations/${id}/?page_size=2`
  const headers = {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    authorization: `Token ${await tokenOf(ana)}`,
  }
  const page = await new Promise<{ next: string; previous: null }>((resolve, reject) => {
    request(target, { headers }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve(JSON.parse(text)))
    })
      .on('error', reject)
      .end()
  })
  expect(page.next).toMatch(new RegExp(`^${door()}/messaging/conversations/${id}/\\?`))
  expect(page.previous).toBeNull()
})

test('a walk over pages has no doubles and no holes while messages arrive', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const id = await chatOf(ana, ben)
  const say = (p_content: string) => ana.client.rpc('send_message', { p_room_id: id, p_content }).throwOnError()
  for (let number = 1; number <= 7; number++) await say(String(number))

  const seen: string[] = []
  let next: string | null = `/api/messaging/conversations/${id}/?page_size=3`
  let last = ''
  for (let page = 1; next; page++) {
    const { body } = await call(ben, 'GET', next)
    seen.push(...body.messages.map(({ content }: { content: string }) => content))
    last = body.previous
    next = body.next?.slice(body.next.indexOf('/api/'))
    await say(`late ${page}`)
  }
  expect(seen).toEqual(['7', '6', '5', '4', '3', '2', '1'])
  const { body } = await call(ben, 'GET', last.slice(last.indexOf('/api/')))
  expect(body.messages.map(({ content }: { content: string }) => content)).toEqual(['4', '3', '2'])
})
