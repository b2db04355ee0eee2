import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSessions, one, type Session, type Sessions, waitsForALock } from '../support/sessions.ts'

let sessions: Sessions
let owner: pg.Client

beforeAll(async () => {
  sessions = await createSessions()
  owner = await sessions.open()
})

afterAll(() => sessions.close())

const endAccount = (client: pg.Client, { id }: Session) => client.query('delete from auth.users where id = $1', [id])

const first = '00000000-0000-7000-8000-000000000001'
const last = 'ffffffff-ffff-7000-8000-000000000001'

/** What of somebody's an account's end touches in a room that this person is no longer in. */
const traces = {
  'the rooms that somebody made': 'update public.chat_rooms set created_by = $2 where id = $1',
  messages: `insert into public.chat_messages (room_id, sender_id, content) values ($1, $2, 'hello')`,
  mentions: `with message as (
    insert into public.chat_messages (room_id, content) values ($1, 'hello') returning id
  ) insert into public.message_mentions (message_id, user_id, room_id) select id, $2, $1 from message`,
  reactions: `insert into public.message_reactions (message_id, user_id, emoji)
    select id, $2, '👍' from public.chat_messages where room_id = $1 limit 1`,
}

test.each(Object.entries(traces))('an account that ends locks rooms in their order: %s', async (_, trace) => {
  const [ana, ben] = [await sessions.signUp('ana'), await sessions.signUp('ben')]
  // The one that comes last in the order of locks comes first in the table.
  for (const id of [last, first]) {
    await owner.query(`insert into public.chat_rooms (id, type, title) values ($1, 'group', 'room')`, [id])
    await owner.query('insert into public.chat_room_members (room_id, user_id) values ($1, $2)', [id, ben.id])
    await owner.query(`insert into public.chat_messages (room_id, content) values ($1, 'welcome')`, [id])
    await owner.query(trace, [id, ana.id])
  }

  const [ending, writing] = [await sessions.open(), ben.client]
  await writing.query('begin')
  await writing.query('select public.send_message($1, $2)', [first, 'holds this room'])
  const end = endAccount(ending, ana)
  await waitsForALock(owner, ending)
  await writing.query('select public.send_message($1, $2)', [last, 'and waits for nobody here'])
  await writing.query('commit')
  await end

  expect(await one(owner, 'select count(*)::int from public.profiles where id = $1', [ana.id])).toBe(0)
  await owner.query('delete from public.chat_rooms where id = any ($1)', [[first, last]])
})

test('of two admins whose accounts end at the same moment the second hands the hotel to the staff', async () => {
  const [ana, ben, col] = [await sessions.signUp('ana'), await sessions.signUp('ben'), await sessions.signUp('col')]
  const { id } = await one<{ id: string }>(ana.client, `select public.create_organization('Grand', 'grand')`)
  await ana.client.query(`select public.add_organization_member($1, $2, 'admin')`, [id, ben.id])
  await ana.client.query(`select public.add_organization_member($1, $2, 'staff')`, [id, col.id])

  const [hers, his] = [await sessions.open(), await sessions.open()]
  await hers.query('begin')
  await endAccount(hers, ana)
  const end = endAccount(his, ben)
  await waitsForALock(owner, his)
  await hers.query('commit')
  await end

  const { rows } = await owner.query(
    'select user_id, role from public.organization_members where organization_id = $1',
    [id],
  )
  expect(rows).toEqual([{ user_id: col.id, role: 'admin' }])
})
