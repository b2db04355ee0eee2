import { randomUUID } from 'node:crypto'
import { expect, inject, test } from 'vitest'
import { groupOf } from '../support/chats.ts'
import { sandbox } from '../support/jobs.ts'
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

async function send(from: Person, roomId: string, content: string): Promise<string> {
  const { data } = await from.client.rpc('send_message', { p_room_id: roomId, p_content: content }).throwOnError()
  return (data as { message_id: string }).message_id
}

test('staff.push: an offline member sees group, sender and preview on every platform, and the sender nothing', async () => {
  const [ana, ben] = await Promise.all([signUp('Ana'), signUp('Ben')])
  const room = await groupOf('Reception', ana, ben)
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

test.each(['push-notifications', 'cloudinary-cleanup'])('only the database calls %s', async (name) => {
  const { url, publishableKey, secretKey } = inject('stack')
  for (const headers of [
    {},
    { 'x-job-secret': 'wrong' },
    { authorization: `Bearer ${secretKey}`, apikey: publishableKey },
  ]) {
    const response = await fetch(`${url}/functions/v1/${name}`, { method: 'POST', headers })
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ success: false, error: 'wrong_job_secret' })
  }
})
