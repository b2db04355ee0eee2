import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSessions, type Session, type Sessions } from '../support/sessions.ts'

let sessions: Sessions
let owner: pg.Client

beforeAll(async () => {
  sessions = await createSessions()
  owner = await sessions.open()
})

afterAll(() => sessions.close())

async function hotelOf(admin: Session, slug: string): Promise<string> {
  const { rows } = await admin.client.query(`select public.create_organization($1, $1) ->> 'id' as id`, [slug])
  return rows[0].id
}

/** How many pages of the database a statement reads. */
async function pagesOf({ client }: Session, sql: string): Promise<number> {
  // The first run fills the caches of the connection.
  await client.query(sql)
  const { rows } = await client.query(`explain (analyze, buffers, format json) ${sql}`)
  const { Plan: plan } = rows[0]['QUERY PLAN'][0]
  return plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
}

test('what staff do costs no more after 5,000 past stays than after 20', async () => {
  const ana = await sessions.signUp('ana')
  const hotelId = await hotelOf(ana, 'grand')
  const addStays = async (prefix: string, stays: number, isPast: boolean) => {
    await owner.query(
      `with rooms as (
         insert into public.chat_rooms (type, organization_id, room_number, title, closed_at)
         select 'guest', $1, $2::text || n, 'Guest', case when $4::boolean then now() end from generate_series(1, $3::int) as n
         returning *
       ), stays as (
         insert into public.guest_stays (organization_id, room_id, room_number, guest_name, code_hash, checked_out_at)
         select organization_id, id, room_number, title, 'none', closed_at from rooms
       )
       insert into public.user_chat_preferences (user_id, room_id) select $5, id from rooms`,
      [hotelId, prefix, stays, isPast, ana.id],
    )
    await owner.query('vacuum analyze')
  }
  const statements = [
    'select private.my_room_ids()',
    'select private.my_hidden_seqs()',
    'select count(*) from public.chat_messages',
    `select public.list_guest_stays('${hotelId}')`,
    `select public.list_guest_stays('${hotelId}', false, 20)`,
  ]
  const measure = async () => {
    const pages: number[] = []
    for (const sql of statements) pages.push(await pagesOf(ana, sql))
    return pages
  }

  await addStays('open ', 20, false)
  await addStays('past ', 20, true)
  const before = await measure()
  await addStays('more ', 5000, true)
  const after = await measure()
  // An index may have grown by a level or two; 5,000 stays lie on over 200 pages.
  for (const [i, sql] of statements.entries()) expect(after[i], sql).toBeLessThan((before[i] as number) + 40)
})

test('guests come, write and are checked out while staff go: nothing deadlocks, and nobody stays who has left', async () => {
  const admin = await sessions.signUp('admin')
  const hotelId = await hotelOf(admin, 'busy')
  const [ben, chloe] = [await sessions.signUp('ben'), await sessions.signUp('chloe')]
  const guests = await Promise.all(['maria', 'nina', 'olga'].map((name) => sessions.signUp(name)))
  const front = await sessions.again(admin)
  // A refusal is an answer here; a deadlock or anything else is none.
  const answers: string[] = []
  const ask = async ({ client }: Session, sql: string, values: unknown[]) => {
    try {
      return (await client.query(sql, values)).rows[0]
    } catch (error) {
      answers.push(`${(error as pg.DatabaseError).code} ${(error as pg.DatabaseError).detail}`)
    }
  }

  for (let round = 0; round < 5; round++) {
    for (const staff of [ben, chloe])
      await ask(admin, `select public.add_organization_member($1, $2, 'staff')`, [hotelId, staff.id])
    const stays = await Promise.all(
      guests.map(async (guest, i) => {
        const row = await ask(admin, 'select public.check_in_guest($1, $2, $3) as stay', [
          hotelId,
          `${round}-${i}`,
          'X',
        ])
        return { guest, number: `${round}-${i}`, ...row.stay }
      }),
    )
    await Promise.all([
      ...stays.flatMap(({ guest, number, code, room_id, stay_id }) => [
        ask(guest, `select public.join_as_guest('busy', $1, $2)`, [number, code]),
        ask(guest, 'select public.send_message($1, $2)', [room_id, 'hello']),
        ask(ben, 'select public.send_message($1, $2)', [room_id, 'hello']),
        ask(front, 'select public.renew_guest_code($1)', [stay_id]),
        ask(guest, 'select public.send_message($1, $2)', [room_id, 'still here?']),
        ask(front, 'select public.check_out_guest($1)', [stay_id]),
      ]),
      ask(admin, 'select public.remove_organization_member($1, $2)', [hotelId, ben.id]),
      ask(chloe, 'select public.remove_organization_member($1, $2)', [hotelId, chloe.id]),
    ])
  }
  expect(new Set(answers)).not.toContain('40P01 null')
  expect(answers.filter((answer) => !/^PT403 not_a_member$|^PT409 stay_over$/.test(answer))).toEqual([])

  const { rows } = await owner.query(
    `select count(*)::int as rooms, count(closed_at)::int as closed,
       (select count(*)::int from public.chat_room_members as m join public.chat_rooms as r on r.id = m.room_id
        where r.organization_id = $1) as members
     from public.chat_rooms where organization_id = $1`,
    [hotelId],
  )
  expect(rows).toEqual([{ rooms: 15, closed: 15, members: 0 }])
})
