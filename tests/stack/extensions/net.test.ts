import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startNet } from '../../../src/stack/extensions/net.ts'
import { createDatabase, type Database } from '../../support/database.ts'
import { type Client, connect } from './client.ts'

interface Received {
  method: string | undefined
  url: string | undefined
  headers: IncomingMessage['headers']
  body: string
}

interface Response {
  status_code: number | null
  content_type: string | null
  headers: Record<string, string> | null
  content: string | null
  timed_out: boolean
  error_msg: string | null
}

let database: Database
let postgres: Client
let net: { close(): Promise<void> }
let logged: string[]
let server: Server
let origin: string
let received: Received[]
let respond: (response: ServerResponse, request: Received) => void

beforeAll(async () => {
  database = await createDatabase({ migrated: false })
  postgres = await connect(database.url('postgres'))
  server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { method, url, headers } = request
    received.push({ method, url, headers, body })
    respond(response, { method, url, headers, body })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await postgres.end()
  await database.drop()
})
beforeEach(async () => {
  logged = []
  received = []
  respond = (response) => response.writeHead(200, { 'Content-Type': 'text/plain' }).end('hello')
  net = await start()
  await postgres.sql('create extension pg_net with schema extensions')
})
afterEach(async () => {
  await net.close()
  await postgres.sql('drop extension pg_net')
  expect(logged).toEqual([])
})

const start = () => startNet({ url: database.url('postgres'), log: (message) => logged.push(message) })

async function send(call: string): Promise<string> {
  const [row] = await postgres.sql<{ id: string }>(`select ${call.replaceAll('ORIGIN', origin)} as id`)
  return row?.id ?? ''
}

const responseTo = (id: string) => postgres.until<Response>('select * from net._http_response where id = $1', [id])

test('the interface is pg_net 0.19.5', async () => {
  const functions = await postgres.sql<{ signature: string }>(
    `select proname || '(' || pg_get_function_arguments(oid) || ') ' || pg_get_function_result(oid) as signature
     from pg_proc where pronamespace = 'net'::regnamespace and proname <> '_encode_url' order by 1`,
  )
  expect(functions.map((row) => row.signature)).toEqual([
    '_await_response(request_id bigint) boolean',
    '_encode_url_with_params_array(url text, params_array text[]) text',
    '_http_collect_response(request_id bigint, async boolean DEFAULT true) net.http_response_result',
    '_urlencode_string(string character varying) text',
    'check_worker_is_up() void',
    'http_collect_response(request_id bigint, async boolean DEFAULT true) net.http_response_result',
    `http_delete(url text, params jsonb DEFAULT '{}'::jsonb, headers jsonb DEFAULT '{}'::jsonb, timeout_milliseconds integer DEFAULT 5000, body jsonb DEFAULT NULL::jsonb) bigint`,
    `http_get(url text, params jsonb DEFAULT '{}'::jsonb, headers jsonb DEFAULT '{}'::jsonb, timeout_milliseconds integer DEFAULT 5000) bigint`,
    `http_post(url text, body jsonb DEFAULT '{}'::jsonb, params jsonb DEFAULT '{}'::jsonb, headers jsonb DEFAULT '{"Content-Type": "application/json"}'::jsonb, timeout_milliseconds integer DEFAULT 5000) bigint`,
    'wait_until_running() void',
    'wake() void',
    'worker_restart() boolean',
  ])
})

test('a post arrives with its body, parameters and headers, and the response is stored', async () => {
  const id = await send(
    `net.http_post('ORIGIN/hook?a=1', '{"text": "grüezi"}', '{"b c": "&"}', '{"Authorization": "Bearer x"}')`,
  )
  expect(await responseTo(id)).toMatchObject({
    status_code: 200,
    content_type: 'text/plain',
    content: 'hello',
    headers: { 'Content-Type': 'text/plain' },
    timed_out: false,
    error_msg: null,
  })
  expect(received).toMatchObject([
    {
      method: 'POST',
      url: '/hook?a=1&b%20c=%26',
      headers: { authorization: 'Bearer x', 'content-type': 'application/json', 'user-agent': 'pg_net/0.19.5' },
      body: '{"text": "grüezi"}',
    },
  ])
  expect(await postgres.sql('select * from net.http_request_queue')).toEqual([])
})

test('gets and deletes arrive too', async () => {
  await responseTo(await send(`net.http_get('ORIGIN')`))
  await responseTo(await send(`net.http_delete('ORIGIN/x', body := '{"a": 1}')`))
  expect(received).toMatchObject([
    { method: 'GET', url: '/', body: '' },
    { method: 'DELETE', url: '/x', body: '{"a": 1}' },
  ])
})

test('a redirect is followed', async () => {
  respond = (response, { url }) =>
    url === '/' ? response.writeHead(302, { Location: '/there' }).end() : response.end('arrived')
  expect(await responseTo(await send(`net.http_post('ORIGIN')`))).toMatchObject({
    status_code: 200,
    content: 'arrived',
  })
  expect(received.map(({ method, url }) => `${method} ${url}`)).toEqual(['POST /', 'GET /there'])
})

test('an error status is a response like any other, and an empty body is null', async () => {
  respond = (response) => response.writeHead(500).end()
  expect(await responseTo(await send(`net.http_get('ORIGIN')`))).toMatchObject({
    status_code: 500,
    content: null,
    error_msg: null,
  })
})

test('nothing is sent before the commit, and nothing after a rollback', async () => {
  await postgres.sql('begin')
  await send(`net.http_get('ORIGIN/rolled-back')`)
  await postgres.sql('rollback')
  await postgres.sql('begin')
  const id = await send(`net.http_get('ORIGIN/committed')`)
  await responseTo(await sendFromElsewhere('/meanwhile'))
  expect(received.map(({ url }) => url)).toEqual(['/meanwhile'])
  await postgres.sql('commit')
  await responseTo(id)
  expect(received.map(({ url }) => url)).toEqual(['/meanwhile', '/committed'])
})

async function sendFromElsewhere(path: string): Promise<string> {
  const other = await connect(database.url('postgres'))
  const [row] = await other.sql<{ id: string }>('select net.http_get($1) as id', [origin + path])
  await other.end()
  return row?.id ?? ''
}

test('more requests than fit at once are all made', async () => {
  await send(`(select max(net.http_get('ORIGIN')) from generate_series(1, 450))`)
  await postgres.until('select from net._http_response where status_code = 200 having count(*) = 450')
})

describe('failures', () => {
  test('a server that takes too long', async () => {
    respond = () => {}
    expect(await responseTo(await send(`net.http_get('ORIGIN', timeout_milliseconds := 50)`))).toMatchObject({
      status_code: null,
      content: null,
      timed_out: true,
      error_msg: expect.stringMatching(
        /^Timeout of 50 ms reached\. Total time: [\d.]+ ms \(DNS time: [\d.]+ ms, TCP\/SSL handshake time: [\d.]+ ms, HTTP Request\/Response time: [\d.]+ ms\)$/,
      ),
    })
  })

  test('a body that takes too long', async () => {
    respond = (response) => response.writeHead(200).write('and then')
    expect(await responseTo(await send(`net.http_get('ORIGIN', timeout_milliseconds := 200)`))).toMatchObject({
      status_code: null,
      timed_out: true,
    })
  })

  test('nobody listens', async () => {
    const closed = createServer()
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
    const { port } = closed.address() as AddressInfo
    await new Promise((resolve) => closed.close(resolve))
    for (const host of ['127.0.0.1', 'localhost']) {
      expect(await responseTo(await send(`net.http_get('http://${host}:${port}')`))).toMatchObject({
        status_code: null,
        timed_out: false,
        error_msg: "Couldn't connect to server",
      })
    }
  })

  test('the server hangs up', async () => {
    respond = (response) => response.socket?.destroy()
    expect(await responseTo(await send(`net.http_get('ORIGIN')`))).toMatchObject({
      error_msg: 'Server returned nothing (no headers, no data)',
    })
  })

  test('a header that cannot be sent', async () => {
    const id = await send(`net.http_get('ORIGIN', headers := '{"X-Bad": "a\\nb"}')`)
    expect(await responseTo(id)).toMatchObject({ status_code: null, error_msg: expect.stringContaining('header') })
  })

  test('calls that make no sense are refused at once', async () => {
    await expect(send(`net.http_get('localhost:6666')`)).rejects.toThrow('Unsupported URL scheme')
    await expect(send(`net.http_get('/relative')`)).rejects.toThrow('invalid URL "/relative"')
    await expect(send('net.http_get(null)')).rejects.toThrow('null value in column "url"')
    await expect(send(`net.http_post('ORIGIN', headers := '{"content-type": "text/plain"}')`)).rejects.toThrow(
      'Content-Type header must be "application/json"',
    )
  })
})

test('a response can be collected, and a failure says so', async () => {
  const id = await send(`net.http_get('ORIGIN')`)
  expect(
    await postgres.sql(
      'select status, message, (response).status_code, (response).body from net._http_collect_response($1, false)',
      [id],
    ),
  ).toEqual([{ status: 'SUCCESS', message: 'ok', status_code: 200, body: 'hello' }])
  expect(await postgres.sql('select status, message from net.http_collect_response(0)')).toEqual([
    { status: 'ERROR', message: 'request matching request_id not found' },
  ])
})

test('responses are gone after six hours', async () => {
  await postgres.sql(
    `insert into net._http_response (id, created) values (-1, now() - interval '6 hours 1 second'), (-2, now() - interval '5 hours')`,
  )
  await postgres.sql('select net.wake()')
  await postgres.until('select where not exists (select from net._http_response where id = -1)')
  expect(await postgres.sql('select id from net._http_response')).toEqual([{ id: '-2' }])
})

test('the API roles may make requests, as on hosted', async () => {
  for (const role of ['anon', 'authenticated', 'service_role']) {
    await postgres.sql(`set role ${role}`)
    const id = await send(`net.http_get('ORIGIN/${role}')`)
    await postgres.sql('reset role')
    await responseTo(id)
  }
  expect(received.map(({ url }) => url)).toEqual(['/anon', '/authenticated', '/service_role'])
})

test("a trigger on pg_net's tables runs without a superuser's rights", async () => {
  await postgres.sql('create table public.seen (name text, can_be_superuser boolean)')
  await postgres.sql(
    `create function public.look() returns trigger language plpgsql as $$
     begin
       reset role;
       insert into public.seen select session_user, rolsuper from pg_roles where rolname = session_user;
       return null;
     end $$`,
  )
  await postgres.sql('set role authenticated')
  await postgres.sql(
    'create trigger look after insert on net._http_response for each row execute function public.look()',
  )
  await postgres.sql('reset role')
  await responseTo(await send(`net.http_get('ORIGIN')`))
  expect(await postgres.sql('select * from public.seen')).toEqual([{ name: 'postgres', can_be_superuser: false }])
})

test('whether the worker is up is known, and what was queued while it was down is sent when it is back', async () => {
  await postgres.sql('select net.check_worker_is_up()')
  await net.close()
  await postgres.until(
    `select where not exists (select from pg_stat_activity where datname = current_database() and application_name = 'pg_net worker')`,
  )
  await expect(postgres.sql('select net.check_worker_is_up()')).rejects.toThrow(
    'the pg_net background worker is not up',
  )
  const id = await send(`net.http_get('ORIGIN/waited')`)
  net = await start()
  await postgres.sql('select net.wait_until_running()')
  expect(await responseTo(id)).toMatchObject({ status_code: 200 })
})

test('closing puts an unanswered request back for the next worker', async () => {
  const arrived = new Promise<void>((resolve) => {
    respond = () => resolve()
  })
  const id = await send(`net.http_post('ORIGIN', '{"a": 1}')`)
  await arrived
  await net.close()
  expect(await postgres.sql('select id, method from net.http_request_queue')).toEqual([{ id, method: 'POST' }])
  respond = (response) => response.end('at last')
  net = await start()
  expect(await responseTo(id)).toMatchObject({ content: 'at last' })
  expect(received.map(({ body }) => body)).toEqual(['{"a": 1}', '{"a": 1}'])
})
