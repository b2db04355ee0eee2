import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSessions, type Sessions } from '../support/sessions.ts'

let sessions: Sessions

beforeAll(async () => {
  sessions = await createSessions()
})

afterAll(() => sessions.close())

test('mobile.connect: a lease that is being renewed is not ended, and nobody waits for it', async () => {
  const owner = await sessions.open()
  const [ana, ben] = [await sessions.signUp('ana'), await sessions.signUp('ben')]
  for (const { client } of [ana, ben]) await client.query('select public.heartbeat()')
  await owner.query(
    "update public.user_presence set last_activity = now() - interval '36 seconds', online_until = now()",
  )

  await ana.client.query('begin')
  await ana.client.query('select public.heartbeat()')
  // Her heartbeat holds her row until it commits: the job must pass by, or it would never come to this line's end.
  await owner.query('select private.end_leases()')
  await ana.client.query('commit')

  const statuses = await owner.query<{ user_id: string; status: string }>(
    'select user_id, status from public.user_presence',
  )
  expect(new Map(statuses.rows.map((row) => [row.user_id, row.status]))).toEqual(
    new Map([
      [ana.id, 'online'],
      [ben.id, 'offline'],
    ]),
  )
})

test('staff.push: a device that two people register at once is one of theirs', async () => {
  const owner = await sessions.open()
  const people = await Promise.all(['col', 'dan', 'eve', 'fay'].map((name) => sessions.signUp(name)))
  await Promise.all(people.map(({ client }) => client.query("select public.register_device('tablet', 'web')")))
  const { rows } = await owner.query("select user_id from public.user_devices where target = 'tablet'")
  expect(people.map(({ id }) => id)).toContain(rows[0].user_id)
  expect(rows).toHaveLength(1)
})
