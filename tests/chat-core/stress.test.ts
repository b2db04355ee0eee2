import fc from 'fast-check'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSessions, type Sessions } from '../support/sessions.ts'

const writers = 16
const rooms = 4
const turns = 60

let sessions: Sessions
let owner: pg.Client

beforeAll(async () => {
  sessions = await createSessions()
  owner = await sessions.open('supabase_admin')
})

afterAll(() => sessions.close())

test('16 writers over shared rooms: no deadlock, no hole, no double, and every count exact', async () => {
  await owner.query(`update private.limits set value = 1000000 where name = 'messages_per_minute'`)
  const people = await Promise.all(Array.from({ length: writers }, (_, number) => sessions.signUp(`writer${number}`)))
  const roomIds: string[] = []
  for (let number = 0; number < rooms; number += 1) {
    const { rows } = await owner.query(
      `insert into public.chat_rooms (type, title) values ('group', $1) returning id`,
      [`room ${number}`],
    )
    roomIds.push(rows[0].id)
    await owner.query('insert into public.chat_room_members (room_id, user_id) select $1, unnest($2::uuid[])', [
      rows[0].id,
      people.map(({ id }) => id),
    ])
  }

  const refusals = new Map<string, number>()
  const attempt = async (client: pg.Client, sql: string, values: unknown[]) => {
    try {
      await client.query(sql, values)
    } catch (error) {
      const { code, detail, message } = error as pg.DatabaseError
      // What the rules refuse is fine: a delete that came twice, an edit of what was deleted. Anything else is a fault.
      if (!/^PT4/.test(code ?? '')) throw new Error(`${code} ${message} at: ${sql}`, { cause: error })
      refusals.set(detail ?? '', (refusals.get(detail ?? '') ?? 0) + 1)
    }
  }

  await Promise.all(
    people.map(async ({ id, client }, number) => {
      const numbers = fc.sample(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
        seed: number,
        numRuns: turns * 20,
      })
      const random = () => numbers.pop() ?? 0
      const pick = <T>(list: T[]) => list[Math.floor(random() * list.length)] as T
      const someMessage = async (mine: boolean) => {
        const { rows } = await client.query(
          `select id from public.chat_messages where room_id = $1 and ($2 or sender_id = $3) and not is_deleted
           order by seq desc limit 5`,
          [pick(roomIds), !mine, id],
        )
        return rows.length > 0 ? pick(rows).id : null
      }
      for (let turn = 0; turn < turns; turn += 1) {
        const room = pick(roomIds)
        const kind = random()
        if (kind < 0.35) {
          await attempt(client, 'select public.send_message($1, $2, p_client_id => gen_random_uuid())', [
            room,
            `${turn}`,
          ])
        } else if (kind < 0.5) {
          await attempt(
            client,
            `insert into public.chat_messages (room_id, content, client_id)
             select $1, n::text, gen_random_uuid() from generate_series(1, 5) as n`,
            [room],
          )
        } else if (kind < 0.6) {
          // An upsert that ignores duplicates, of which half are.
          const known = await client.query(
            'select client_id, content from public.chat_messages where room_id = $1 and sender_id = $2 and client_id is not null limit 3',
            [room, id],
          )
          await attempt(
            client,
            `insert into public.chat_messages (room_id, content, client_id)
             select $1, content, client_id from jsonb_to_recordset($2) as again (content text, client_id uuid)
             on conflict (room_id, sender_id, client_id) do nothing`,
            [room, JSON.stringify([...known.rows, { content: 'new', client_id: crypto.randomUUID() }])],
          )
        } else if (kind < 0.7) {
          const message = await someMessage(false)
          // Rooms in any order: the function takes them in its own.
          const targets = [...roomIds].sort(() => random() - 0.5).slice(0, 3)
          if (message) await attempt(client, 'select public.forward_message($1, $2)', [message, targets])
        } else if (kind < 0.8) {
          const message = await someMessage(true)
          if (message) await attempt(client, 'select public.delete_message($1)', [message])
          if (message && random() < 0.5) await attempt(client, 'select public.undo_delete_message($1)', [message])
        } else if (kind < 0.87) {
          const message = await someMessage(true)
          if (message) await attempt(client, 'select public.edit_message($1, $2)', [message, `edited ${turn}`])
        } else if (kind < 0.94) {
          const message = await someMessage(false)
          if (message) await attempt(client, 'select public.toggle_reaction($1, $2)', [message, pick(['👍', '🎉'])])
        } else {
          await attempt(client, 'select public.mark_read($1)', [room])
        }
      }
    }),
  )

  await expectNone(
    owner,
    'rooms whose seq has a hole or a double',
    `
    select r.id from public.chat_rooms as r
    where array(select seq from public.chat_messages where room_id = r.id order by seq)
      <> array(select generate_series(1, r.last_seq))`,
  )
  await expectNone(
    owner,
    'senders whose sender_seq has one',
    `
    select room_id, sender_id, sender_seq, place
    from (select *, row_number() over (partition by room_id, sender_id order by seq) as place from public.chat_messages) as m
    where sender_seq <> place`,
  )
  await expectNone(
    owner,
    'changes that share a number',
    `
    select room_id, change_seq from public.chat_messages where change_seq > 0 group by 1, 2 having count(*) > 1`,
  )
  await expectNone(
    owner,
    'rooms whose uncounted messages are miscounted',
    `
    select r.id from public.chat_rooms as r
    where uncounted_messages <> (select count(*) from public.chat_messages where room_id = r.id and is_deleted)`,
  )
  await expectNone(
    owner,
    'people whose unread count is not what counting rows gives',
    `
    select p.user_id, p.room_id from public.user_chat_preferences as p, private.unread_counts(p.user_id, array[p.room_id]) as told
    where told.unread_count <> (
      select count(*) from public.chat_messages as m
      where m.room_id = p.room_id and m.seq > p.cursor_seq and not m.is_deleted and m.sender_id <> p.user_id
    )`,
  )
  await expectNone(
    owner,
    'messages that were announced not once',
    `
    select m.id from public.chat_messages as m
    left join realtime.messages as event
      on event.event = 'new-message' and event.topic = 'room:' || m.room_id and event.payload #>> '{message,id}' = m.id::text
    group by m.id having count(event.id) <> 1`,
  )
  expect(
    [...refusals.keys()].filter((code) => !/message_deleted|message_not_found|already|undo|not_deleted/.test(code)),
  ).toEqual([])
}, 120_000)

async function expectNone(client: pg.Client, what: string, sql: string): Promise<void> {
  expect((await client.query(sql)).rows, what).toEqual([])
}
