import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { accessToken, createSandbox, type TestSandbox } from './support.ts'

let sandbox: TestSandbox
let authorization: string
beforeAll(async () => {
  sandbox = await createSandbox()
  authorization = `Bearer ${await accessToken(sandbox)}`
})
afterAll(() => sandbox.remove())
beforeEach(() => sandbox.control('DELETE', '/fcm'))

async function post(body: unknown, init: RequestInit = {}) {
  const answer = await fetch(`${sandbox.fcm.url}/v1/projects/${sandbox.fcm.serviceAccount.project_id}/messages:send`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  })
  // biome-ignore lint/suspicious/noExplicitAny: the answer is what is under test
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), body: (await answer.json()) as any }
}

const send = (message: object) => post({ message })
const script = (failure: object) => sandbox.control('POST', '/fcm/failures', failure)

test('a message is accepted, named and kept as it came', async () => {
  const message = {
    token: 'ana-phone',
    notification: { title: 'Reception', body: 'Your room is ready' },
    data: { room_id: '7' },
    android: { ttl: '3.5s', priority: 'high', notification: { tag: 'm1', notification_count: 3 } },
    apns: { headers: { 'apns-priority': '10' }, payload: { aps: { badge: 3, 'thread-id': 'r7' }, anything: [1] } },
    webpush: { headers: { Urgency: 'high' }, notification: { tag: 'm1', actions: [] }, fcmOptions: { link: '/r/7' } },
  }
  const { status, body } = await send(message)
  expect([status, body.name]).toEqual([200, expect.stringMatching(/^projects\/parley-sandbox\/messages\/[^/]+$/)])
  const { received } = await sandbox.look('/fcm')
  expect(received).toMatchObject([
    { name: body.name, token: 'ana-phone', message: { notification: message.notification } },
  ])
  expect(received[0].message.webpush.fcm_options).toEqual({ link: '/r/7' })
})

test('validate_only checks and delivers nothing', async () => {
  const { body } = await post({ validate_only: true, message: { token: 'ana-phone', data: {} } })
  expect(body.name).toBe('projects/parley-sandbox/messages/fake_message_id')
  expect((await post({ validateOnly: true, message: { token: 'ana-phone', data: { a: 1 } } })).status).toBe(400)
  expect((await sandbox.look('/fcm')).received).toEqual([])
})

describe('a malformed message is INVALID_ARGUMENT and names its fields', () => {
  const token = 'ana-phone'
  const long = 'x'.repeat(4096)
  const cases: [string, object, string, string][] = [
    [
      'a number in data',
      { token, data: { a: 'ok', b: 12 } },
      'message.data[1].value',
      "Invalid value at 'message.data[1].value' (TYPE_STRING), 12",
    ],
    [
      'a number in APNs headers',
      { token, apns: { headers: { 'apns-priority': 10 } } },
      'message.apns.headers[0].value',
      "Invalid value at 'message.apns.headers[0].value' (TYPE_STRING), 10",
    ],
    [
      'a time to live without unit',
      { token, android: { ttl: '60' } },
      'message.android.ttl',
      "Invalid value at 'message.android.ttl' (type.googleapis.com/google.protobuf.Duration), Field 'ttl', Illegal duration format; duration must end with 's'",
    ],
    [
      'a time to live beyond four weeks',
      { token, android: { ttl: '2419201s' } },
      'message.android.ttl',
      'Invalid ttl: must be between 0 and 2419200 seconds',
    ],
    [
      'an unknown field',
      { token, apns: { badge: 3 } },
      'message.apns',
      `Invalid JSON payload received. Unknown name "badge" at 'message.apns': Cannot find field.`,
    ],
    [
      'an unknown priority',
      { token, android: { priority: 'urgent' } },
      'message.android.priority',
      `Invalid value at 'message.android.priority' (type.googleapis.com/google.firebase.fcm.v1.AndroidConfig.AndroidMessagePriority), "urgent"`,
    ],
    [
      'two targets',
      { token, topic: 'news' },
      'message',
      "Invalid value at 'message' (oneof), oneof field 'target' is already set. Cannot set 'topic'",
    ],
    ['a reserved key', { token, data: { from: 'me' } }, 'message.data', 'Invalid data payload key: from'],
    [
      'a long collapse id',
      { token, apns: { headers: { 'apns-collapse-id': 'x'.repeat(65) } } },
      'message.apns.headers',
      'apns-collapse-id is longer than 64 bytes',
    ],
  ]
  test.each(cases)('%s', async (_, message, field, description) => {
    const { status, body } = await send(message)
    expect(status).toBe(400)
    expect(body.error).toEqual({
      code: 400,
      status: 'INVALID_ARGUMENT',
      message: description,
      details: [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field, description }] }],
    })
    expect((await sandbox.look('/fcm')).received).toEqual([])
  })

  const wrong: [string, object, string][] = [
    ['no target', { data: {} }, 'Recipient of the message is not set.'],
    [
      'a token that can be none',
      { token: 'two words' },
      'The registration token is not a valid FCM registration token',
    ],
    ['more than 4096 bytes', { token, data: { text: long } }, 'Android message is too big'],
    ['more than 4096 bytes for iOS', { token, apns: { payload: { text: long } } }, 'APNS message is too big'],
    [
      'more than 2048 bytes for a topic',
      { topic: 'news', data: { text: long.slice(2048) } },
      'Android message is too big',
    ],
  ]
  test.each(wrong)('%s', async (_, message, text) => {
    const { status, body } = await send(message)
    expect([status, body.error.status, body.error.message]).toEqual([400, 'INVALID_ARGUMENT', text])
    expect(body.error.details).toEqual([fcmDetail('INVALID_ARGUMENT')])
  })

  test('exactly 4096 bytes are taken', async () => {
    expect((await send({ token, data: { text: long.slice(4) } })).status).toBe(200)
  })

  test('bytes that are no JSON, and JSON that is no request', async () => {
    for (const body of ['{', '[]', '{}', '{"mesage": {}}']) expect((await post(body)).status).toBe(400)
  })
})

describe('scripted failures', () => {
  const errors: [string, string, number, string][] = [
    ['unregistered', 'UNREGISTERED', 404, 'NOT_FOUND'],
    ['invalid', 'INVALID_ARGUMENT', 400, 'INVALID_ARGUMENT'],
    ['mismatch', 'SENDER_ID_MISMATCH', 403, 'PERMISSION_DENIED'],
    ['thirdparty', 'THIRD_PARTY_AUTH_ERROR', 401, 'UNAUTHENTICATED'],
    ['quota', 'QUOTA_EXCEEDED', 429, 'RESOURCE_EXHAUSTED'],
    ['unavailable', 'UNAVAILABLE', 503, 'UNAVAILABLE'],
    ['internal', 'INTERNAL', 500, 'INTERNAL'],
  ]
  test.each(errors)('a token named fail-%s answers %s, every time', async (name, errorCode, code, status) => {
    for (const token of [`ana:fail-${name}`, `ana:fail-${name}`]) {
      const answer = await send({ token })
      expect(answer.status).toBe(code)
      expect(answer.body.error).toMatchObject({ code, status, details: [fcmDetail(errorCode)] })
      expect(answer.retryAfter).toBe(name === 'quota' ? '60' : null)
    }
    expect((await sandbox.look('/fcm')).received).toEqual([])
  })

  test.each(errors)('a script for one token answers %s by its code', async (_, code, http) => {
    await script({ target: 'ana-phone', code, times: 1 })
    expect((await send({ token: 'ben-phone' })).status).toBe(200)
    expect((await send({ token: 'ana-phone' })).status).toBe(http)
    expect((await send({ token: 'ana-phone' })).status).toBe(200)
  })

  test('a token may fail once, or three times', async () => {
    const statuses = async (token: string) => {
      const answers = []
      for (let count = 0; count < 4; count++) answers.push((await send({ token })).status)
      return answers
    }
    expect(await statuses('ana:fail-unavailable-once')).toEqual([503, 200, 200, 200])
    expect(await statuses('ana:fail-quota-3x')).toEqual([429, 429, 429, 200])
  })

  test('Retry-After is what the script says', async () => {
    await script({ operation: 'send', status: 503, retry_after: 7 })
    expect((await send({ token: 'ana-phone' })).retryAfter).toBe('7')
  })

  test('a plain 401 is about the access token', async () => {
    await script({ operation: 'send', status: 401 })
    const { body } = await send({ token: 'ana-phone' })
    expect(body.error.details[0]).toMatchObject({ reason: 'ACCESS_TOKEN_EXPIRED' })
  })

  test('an answer may be lost after the message went out', async () => {
    await script({ operation: 'send', status: 500, when: 'after' })
    expect((await send({ token: 'ana-phone' })).status).toBe(500)
    expect((await sandbox.look('/fcm')).received).toHaveLength(1)
  })

  test('a token may never answer', async () => {
    const request = post({ message: { token: 'ana:fail-timeout' } }, { signal: AbortSignal.timeout(50) })
    await expect(request).rejects.toThrow(/timeout/)
  })

  test('a code that FCM does not have is refused', async () => {
    expect((await script({ code: 'OUT_OF_LUCK' })).status).toBe(400)
  })
})

function fcmDetail(errorCode: string) {
  return { '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }
}
