import { randomUUID } from 'node:crypto'
import { expect, inject, test } from 'vitest'
import { callJobFunction, sandbox, scriptFailure, withDatabase } from '../support/jobs.ts'
import { type Person, signUp } from '../support/people.ts'

interface Shown {
  tag: string
  title: string
  body: string
  badge: number
  thread?: string
  data: Record<string, string>
  names: string[]
}

const patience = { timeout: 25_000, interval: 100 }

/** A device of somebody's; the sandbox reads its platform, and how it fails, from its name. */
async function device(person: Person, kind: string, platform = 'android'): Promise<string> {
  const target = `${randomUUID()}:${kind}`
  await person.client.rpc('register_device', { p_target: target, p_platform: platform }).throwOnError()
  return target
}

async function shown(target: string): Promise<Shown[]> {
  return (await sandbox('fcm')).devices[target]?.shown ?? []
}

async function startGroup(owner: Person, ...others: Person[]): Promise<string> {
  const { data } = await owner.client
    .rpc('create_group_chat', { p_title: 'Reception', p_member_ids: others.map(({ id }) => id) })
    .throwOnError()
  return (data as { id: string }).id
}

async function send(from: Person, roomId: string, content: string): Promise<string> {
  const { data } = await from.client.rpc('send_message', { p_room_id: roomId, p_content: content }).throwOnError()
  return (data as { message_id: string }).message_id
}

async function devicesOf(person: Person): Promise<string[]> {
  const { data } = await person.client.from('user_devices').select('target').throwOnError()
  return data.map(({ target }) => target)
}

test('staff.push: an offline member sees group, sender and preview on every platform, and the sender nothing', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const room = await startGroup(ana, ben)
  const [phone, tablet, browser, own] = await Promise.all([
    device(ben, 'android'),
    device(ben, 'ios', 'ios'),
    device(ben, 'web', 'web'),
    device(ana, 'android'),
  ])
  const id = await send(ana, room, 'The taxi is here')

  const expected = {
    tag: id,
    title: 'Reception',
    body: 'Ana: The taxi is here',
    data: { type: 'new-message', room_id: room, room_type: 'group', message_id: id, sender_id: ana.id },
  }
  await expect.poll(() => shown(phone), patience).toMatchObject([{ ...expected, badge: 1 }])
  await expect.poll(() => shown(tablet), patience).toMatchObject([{ ...expected, badge: 1, thread: room }])
  await expect.poll(() => shown(browser), patience).toHaveLength(1)
  expect(await shown(browser)).toMatchObject([{ tag: id, title: 'Reception', body: 'Ana: The taxi is here' }])
  expect(await shown(own)).toEqual([])
})

test('staff.push: a token that FCM no longer knows is dropped, and no other', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const room = await startGroup(ana, ben)
  const [gone, mismatched, good] = [
    await device(ben, 'fail-unregistered'),
    await device(ben, 'fail-mismatch'),
    await device(ben, 'android'),
  ]
  await send(ana, room, 'hello')
  await expect.poll(() => devicesOf(ben), patience).not.toContain(gone)
  expect((await devicesOf(ben)).sort()).toEqual([good, mismatched].sort())
  expect(await shown(good)).toHaveLength(1)
})

test('staff.push: what failed for one device is tried again for that one alone', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const room = await startGroup(ana, ben)
  const [failing, good] = [await device(ben, 'fail-internal-once'), await device(ben, 'android')]
  await send(ana, room, 'hello')
  await expect.poll(() => shown(failing), patience).toHaveLength(1)
  expect((await shown(good))[0]?.names).toHaveLength(1)
})

test('staff.push: delivered with no answer, it is sent again and replaces the one that is shown', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const room = await startGroup(ana, ben)
  const phone = await device(ben, 'ios', 'ios')
  await scriptFailure('fcm', { operation: 'send', target: phone, status: 500, when: 'after' })
  const id = await send(ana, room, 'hello')
  await expect.poll(async () => (await shown(phone))[0]?.names.length, patience).toBe(2)
  expect(await shown(phone)).toMatchObject([{ tag: id }])
})

test('staff.push: a thousand jobs and two workers at once: each message is sent once', {
  timeout: 120_000,
}, async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const room = await startGroup(ana, ben)
  const phone = await device(ben, 'android')
  await withDatabase(async (client) => {
    for (let batch = 0; batch < 10; batch++) {
      await client.query(
        `insert into public.chat_messages (room_id, sender_id, content)
         select $1, $2, 'message ' || n from generate_series(1, 100) as n`,
        [room, ana.id],
      )
    }
  })
  const worker = async () => {
    for (let done = 1; done > 0; ) {
      const response = await callJobFunction('push-notifications')
      const counts = (await response.json()) as { done: number; failed: number }
      expect(response.status).toBe(200)
      expect(counts.done + counts.failed).toBeLessThanOrEqual(100)
      done = counts.done
    }
  }
  await Promise.all([worker(), worker()])
  // The database called it too, and may be at the last ones still.
  await expect.poll(async () => (await shown(phone)).length, { timeout: 60_000, interval: 500 }).toBe(1000)
  expect((await shown(phone)).filter(({ names }) => names.length > 1)).toEqual([])
})

test('only the database calls it', async () => {
  const url = `${inject('stack').url}/functions/v1/push-notifications`
  const { publishableKey, secretKey } = inject('stack')
  for (const headers of [
    {},
    { 'x-job-secret': 'wrong' },
    { authorization: `Bearer ${secretKey}`, apikey: publishableKey },
  ]) {
    const response = await fetch(url, { method: 'POST', headers })
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ success: false, error: 'wrong_job_secret' })
  }
})
