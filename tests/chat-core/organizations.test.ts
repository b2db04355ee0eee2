import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSessions, one, type Sessions, waitsForALock } from '../support/sessions.ts'

let sessions: Sessions
let owner: pg.Client

beforeAll(async () => {
  sessions = await createSessions()
  owner = await sessions.open()
})

afterAll(() => sessions.close())

test.each([
  ['leave', 'select public.remove_organization_member($1, $2)'],
  ['step down', `select public.set_organization_role($1, $2, 'staff')`],
])('of two admins who %s at the same moment, one stays', async (_, sql) => {
  const [ana, ben] = [await sessions.signUp('ana'), await sessions.signUp('ben')]
  const slug = `hotel-${ana.id}`
  const { id } = await one<{ id: string }>(ana.client, 'select public.create_organization($1, $1)', [slug])
  await ana.client.query(`select public.add_organization_member($1, $2, 'admin')`, [id, ben.id])

  await ana.client.query('begin')
  await ana.client.query(sql, [id, ana.id])
  const his = ben.client.query(sql, [id, ben.id])
  const refused = expect(his).rejects.toMatchObject({ code: 'PT409', detail: 'last_admin' })
  await waitsForALock(owner, ben.client)
  await ana.client.query('commit')
  await refused

  expect(
    await one(
      owner,
      `select array_agg(user_id) from public.organization_members where organization_id = $1 and role = 'admin'`,
      [id],
    ),
  ).toEqual([ben.id])
})

test('of two hotels that want a slug at the same moment, one gets it', async () => {
  const [ana, ben] = [await sessions.signUp('ana'), await sessions.signUp('ben')]
  await ana.client.query('begin')
  await ana.client.query(`select public.create_organization('Grand', 'grand')`)
  const his = expect(ben.client.query(`select public.create_organization('Grand', 'grand')`)).rejects.toMatchObject({
    code: 'PT409',
    detail: 'slug_taken',
  })
  await waitsForALock(owner, ben.client)
  await ana.client.query('commit')
  await his
})
