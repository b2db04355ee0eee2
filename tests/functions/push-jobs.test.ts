import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createJobGround, type JobGround, named } from '../support/job-ground.ts'
import type { Session } from '../support/sessions.ts'

let ground: JobGround
let ana: Session
let ben: Session
let roomId: string

beforeAll(async () => {
  ground = await createJobGround()
  ana = await ground.sessions.signUp('ana')
  ben = await ground.sessions.signUp('ben')
  const { rows } = await ground.owner.query(
    `with room as (insert into public.chat_rooms (type, title) values ('group', 'lounge') returning id)
     insert into public.chat_room_members (room_id, user_id) select id, unnest($1::uuid[]) from room returning room_id`,
    [[ana.id, ben.id]],
  )
  roomId = rows[0].room_id
})

afterAll(() => ground.close())

beforeEach(async () => {
  await ground.owner.query(`truncate public.user_devices, pgmq.q_push, pgmq.a_push`)
  await ground.sandbox.control('DELETE', '/fcm')
  ground.lines.length = 0
})

async function device(kind: string): Promise<string> {
  const target = `${randomUUID()}:${kind}`
  await ground.owner.query(`insert into public.user_devices (user_id, target, platform) values ($1, $2, 'android')`, [
    ben.id,
    target,
  ])
  return target
}

async function write(count: number): Promise<void> {
  await ground.owner.query(
    `insert into public.chat_messages (room_id, sender_id, content)
     select $1, $2, 'message ' || n from generate_series(1, $3::int) as n`,
    [roomId, ana.id, count],
  )
}

async function shown(target: string): Promise<{ tag: string; names: string[] }[]> {
  return (await ground.sandbox.look('/fcm')).devices[target]?.shown ?? []
}

async function targets(): Promise<string[]> {
  const { rows } = await ground.owner.query('select target from public.user_devices order by target')
  return rows.map(({ target }) => target)
}

async function failures(): Promise<string[]> {
  const { rows } = await ground.owner.query(`select message ->> 'failure' as failure from pgmq.a_push`)
  return rows.map(({ failure }) => failure)
}

const push = () => ground.call('push-notifications')

test.each(
  named([
    { path: '/rpc/read_jobs', when: 'after' },
    { path: '/rpc/drop_devices', when: 'before' },
    { path: '/rpc/drop_devices', when: 'after' },
    { path: '/rpc/fail_job', when: 'before' },
    { path: '/rpc/fail_job', when: 'after' },
    { path: '/rpc/finish_jobs', when: 'before' },
    { path: '/rpc/finish_jobs', when: 'after' },
  ]),
)('staff.push: killed %s: nothing is lost, and nothing shown twice', async (_, step) => {
  const kinds = ['android', 'fail-internal-once', 'fail-unregistered']
  const [good, failing] = [await device('android'), await device('fail-internal-once')]
  await device('fail-unregistered')
  await write(kinds.length)
  ground.killAt(step)
  await ground.drain('push-notifications', 'push')
  expect(ground.wasKilled()).toBe(true)
  for (const target of [good, failing]) expect(await shown(target)).toHaveLength(3)
  expect(await targets()).toEqual([good, failing].sort())
  expect(await ground.counts('push')).toEqual({ left: 0, archived: 0 })
})

test('staff.push: killed while FCM has the messages and its answers are on their way: each is shown once', async () => {
  const phones = [await device('android'), await device('ios'), await device('web')]
  await write(3)
  await ground.fail('fcm', { operation: 'send', when: 'after', hang: true, times: 9 })
  const call = push()
  await expect.poll(async () => (await ground.sandbox.look('/fcm')).received.length, { timeout: 10_000 }).toBe(9)
  await ground.kill()
  expect((await call).status).toBe(500)
  await ground.drain('push-notifications', 'push')
  for (const phone of phones) expect((await shown(phone)).map(({ names }) => names.length)).toEqual([2, 2, 2])
})

test('staff.push: a thousand jobs, two workers at once: each is sent once', { timeout: 120_000 }, async () => {
  const phone = await device('android')
  for (let batch = 0; batch < 10; batch++) await write(100)
  await ground.drainTogether('push-notifications')
  const all = await shown(phone)
  expect(all).toHaveLength(1000)
  expect(all.filter(({ names }) => names.length > 1)).toEqual([])
  expect(await ground.counts('push')).toEqual({ left: 0, archived: 0 })
})

test('staff.push: more devices than one call may tell are told by several, and those that fail are told again alone', async () => {
  await ground.owner.query(
    `insert into public.user_devices (user_id, target, platform)
     select $1, gen_random_uuid() || ':phone', 'android' from generate_series(1, 498)`,
    [ben.id],
  )
  const failing = [await device('fail-internal-once'), await device('fail-quota-once')]
  await write(1)
  for (const [answer, received] of [
    [{ done: 0, failed: 0, continues: 1 }, 400],
    [{ done: 0, failed: 1, continues: 0 }, 498],
    [{ done: 1, failed: 0, continues: 0 }, 500],
  ]) {
    await ground.owner.query('update pgmq.q_push set vt = clock_timestamp()')
    expect(await (await push()).json()).toEqual({ success: true, ...(answer as object) })
    expect((await ground.sandbox.look('/fcm')).received).toHaveLength(received as number)
  }
  for (const target of failing) expect(await shown(target)).toHaveLength(1)
})

test.each([
  ['500', { operation: 'send', status: 500, times: 1 }, 'messaging/internal-error'],
  ['quota', { operation: 'send', code: 'QUOTA_EXCEEDED', times: 1 }, 'messaging/message-rate-exceeded'],
  ['the wrong sender', { operation: 'send', code: 'SENDER_ID_MISMATCH', times: 1 }, 'messaging/mismatched-credential'],
  ['an access token that is no good', { operation: 'send', status: 401, times: 1 }, 'messaging/third-party-auth-error'],
  ['no answer', { operation: 'send', hang: true, times: 1 }, 'There was no answer within 10000 ms.'],
])(
  'staff.push: FCM answers with %s: the job waits, the device stays, and the log says why',
  async (_, script, reason) => {
    const phone = await device('android')
    await write(1)
    await ground.fail('fcm', script)
    expect(await (await push()).json()).toEqual({ success: true, done: 0, failed: 1, continues: 0 })
    await expect.poll(() => ground.lines.join('\n')).toContain(reason)
    expect(await ground.counts('push')).toEqual({ left: 1, archived: 0 })
    expect(await targets()).toEqual([phone])
    await ground.drain('push-notifications', 'push')
    expect(await shown(phone)).toHaveLength(1)
  },
)

test('staff.push: what fails as often as it may is archived with the reason, and tells nobody what was written', async () => {
  await device('fail-internal')
  await write(1)
  await ground.drain('push-notifications', 'push')
  expect(await ground.counts('push')).toEqual({ left: 0, archived: 1 })
  expect(await failures()).toEqual(['1 devices failed: messaging/internal-error'])
  expect(ground.lines.join('\n')).not.toContain('message 1')
})
