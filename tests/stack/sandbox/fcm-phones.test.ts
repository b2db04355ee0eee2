import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { accessToken, createSandbox, type TestSandbox } from './support.ts'

let sandbox: TestSandbox
let authorization: string
beforeAll(async () => {
  sandbox = await createSandbox()
  authorization = `Bearer ${await accessToken(sandbox)}`
})
afterAll(() => sandbox.remove())
beforeEach(() => sandbox.control('DELETE', '/fcm'))

async function send(message: object): Promise<string> {
  const answer = await fetch(`${sandbox.fcm.url}/v1/projects/${sandbox.fcm.serviceAccount.project_id}/messages:send`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ message }),
  })
  expect(answer.status).toBe(200)
  return ((await answer.json()) as { name: string }).name
}

/** One notification with the mark by which each platform replaces. */
const push = (token: string, tag: string, body: string) =>
  send({
    token,
    notification: { title: 'Ana', body },
    android: { notification: { tag } },
    apns: { headers: { 'apns-collapse-id': tag }, payload: { aps: { badge: 2, 'thread-id': 'room' } } },
    webpush: { notification: { tag } },
  })

const device = async (token: string) => (await sandbox.look('/fcm')).devices[token]
const online = (token: string, online: boolean) => sandbox.control('PUT', `/fcm/devices/${token}`, { online })

test.each(['ana:android:1', 'ana:ios:1', 'ana:web:1'])(
  '%s shows one notification for a message sent twice',
  async (token) => {
    const first = await push(token, 'm1', 'hello')
    const second = await push(token, 'm1', 'hello again')
    await push(token, 'm2', 'another')
    const { shown } = await device(token)
    expect(shown).toMatchObject([
      { tag: 'm1', body: 'hello again', names: [first, second] },
      { tag: 'm2', body: 'another' },
    ])
    expect((await sandbox.look('/fcm')).received).toHaveLength(3)
  },
)

test('each platform reads its own mark, and no other', async () => {
  for (const token of ['ben:ios:1', 'ben:web:1']) {
    for (const body of ['one', 'two']) {
      await send({ token, notification: { title: 'Ben', body }, android: { notification: { tag: 'same' } } })
    }
    expect((await device(token)).shown).toHaveLength(2)
  }
})

test('the words of the platform win over the common ones', async () => {
  const message = {
    notification: { title: 'common', body: 'common' },
    android: { notification: { body: 'android', notification_count: 4 }, data: { a: '2' } },
    apns: { payload: { aps: { alert: { body: 'ios' }, badge: 5, 'thread-id': 'r1' } } },
    webpush: { notification: { body: 'web' } },
    data: { a: '1' },
  }
  for (const platform of ['android', 'ios', 'web']) await send({ ...message, token: `cleo:${platform}` })
  expect((await device('cleo:android')).shown).toMatchObject([
    { title: 'common', body: 'android', badge: 4, data: { a: '2' } },
  ])
  expect((await device('cleo:ios')).shown).toMatchObject([{ body: 'ios', badge: 5, thread: 'r1', data: { a: '1' } }])
  expect((await device('cleo:web')).shown).toMatchObject([{ body: 'web' }])
})

test('data alone arrives and shows nothing', async () => {
  await send({ token: 'ana:android:1', data: { kind: 'badge' } })
  expect(await device('ana:android:1')).toMatchObject({ shown: [], online: true })
})

test('collapse_key keeps the last message for a device that is away, and merges nothing on one that is there', async () => {
  const collapsing = (body: string) =>
    send({ token: 'dan:android', notification: { body }, android: { collapse_key: 'room-7' } })

  await online('dan:android', false)
  await collapsing('one')
  await collapsing('two')
  expect(await device('dan:android')).toMatchObject({ online: false, shown: [], pending: [{}] })
  await online('dan:android', true)
  expect((await device('dan:android')).shown).toMatchObject([{ body: 'two' }])

  await collapsing('three')
  expect((await device('dan:android')).shown).toMatchObject([{ body: 'two' }, { body: 'three' }])
})

test('a message with no time to live does not wait for a device that is away', async () => {
  await online('eve:android', false)
  await send({ token: 'eve:android', notification: { body: 'now or never' }, android: { ttl: '0s' } })
  await online('eve:android', true)
  expect((await sandbox.look('/fcm')).received).toEqual([])
})

test('messages to topics are kept, and reach no device', async () => {
  await send({ topic: 'news', notification: { title: 'hi' } })
  expect(await sandbox.look('/fcm')).toMatchObject({ topics: [{ message: { topic: 'news' } }], devices: {} })
})
