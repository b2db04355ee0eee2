import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSessions, type Session, type Sessions } from '../support/sessions.ts'

const rounds = 30

let sessions: Sessions
let owner: pg.Client
let ana: Session
let anasPhone: Session
let ben: Session

beforeAll(async () => {
  sessions = await createSessions()
  owner = await sessions.open()
  await owner.query(`update private.limits set value = 1000000 where name = 'messages_per_minute'`)
  ana = await sessions.signUp('ana')
  anasPhone = await sessions.again(ana)
  ben = await sessions.signUp('ben')
})

afterAll(() => sessions.close())

async function createRoom(): Promise<string> {
  const { rows } = await owner.query(
    `insert into public.chat_rooms (type, title) values ('group', 'lounge') returning id`,
  )
  await owner.query(
    `insert into public.chat_room_members (room_id, user_id, role) values ($1, $2, 'member'), ($1, $3, 'owner')`,
    [rows[0].id, ana.id, ben.id],
  )
  return rows[0].id
}

async function send(roomId: string): Promise<string> {
  const { rows } = await ana.client.query(
    `insert into public.chat_messages (room_id, content) values ($1, 'hello') returning id`,
    [roomId],
  )
  return rows[0].id
}

/** How it went: `done`, or the code of the refusal. Whatever is no refusal of ours, as a deadlock, fails the test. */
async function attempt({ client }: Session, sql: string, values: unknown[]): Promise<string> {
  try {
    await client.query(sql, values)
    return 'done'
  } catch (error) {
    const { code, detail } = error as pg.DatabaseError
    if (!code?.startsWith('PT4') || !detail) throw error
    return detail
  }
}

const remove = (session: Session, id: string) => attempt(session, 'select public.delete_message($1)', [id])
const undo = (session: Session, id: string) => attempt(session, 'select public.undo_delete_message($1)', [id])

/** What must agree whoever came first: the row, what is kept of it, the room's last message, what counts as unread. */
async function expectWhole(roomId: string): Promise<void> {
  const { rows } = await owner.query(
    `select
       (select count(*) from public.chat_messages where room_id = r.id and is_deleted <> (content = '[Message deleted]')) as torn,
       (select count(*) from public.chat_messages where room_id = r.id and is_deleted <> exists (
         select from private.deleted_messages where message_id = id
       )) as unkept,
       last_message_id is distinct from (
         select id from public.chat_messages where room_id = r.id and not is_deleted order by seq desc limit 1
       ) as lost,
       uncounted_messages - (select count(*) from public.chat_messages where room_id = r.id and is_deleted) as miscounted,
       last_change_seq - (select max(change_seq) from public.chat_messages where room_id = r.id) as unchanged
     from public.chat_rooms as r where id = $1`,
    [roomId],
  )
  expect(rows).toEqual([{ torn: '0', unkept: '0', lost: false, miscounted: '0', unchanged: '0' }])
}

test('of two who delete a message at once, one does, and one is told', async () => {
  const roomId = await createRoom()
  for (let round = 0; round < rounds; round++) {
    const id = await send(roomId)
    const results = await Promise.all([remove(ana, id), remove(ben, id)])
    expect(results.sort()).toEqual(['done', 'message_deleted'])
  }
  await expectWhole(roomId)
  const { rows } = await owner.query('select count(*) from public.message_audit where room_id = $1', [roomId])
  expect(rows).toEqual([{ count: String(rounds) }])
})

test('hotel.undo: a delete, its undo and the next delete race, and nothing is torn', async () => {
  const roomId = await createRoom()
  for (let round = 0; round < rounds; round++) {
    const id = await send(roomId)
    await remove(ana, id)
    const [undone, removed] = await Promise.all([undo(ana, id), remove(anasPhone, id)])
    expect(undone).toBe('done')
    expect(['done', 'message_deleted']).toContain(removed)
    await expectWhole(roomId)
  }
})

test('of two undos at once one brings the message back', async () => {
  const roomId = await createRoom()
  for (let round = 0; round < rounds; round++) {
    const id = await send(roomId)
    await remove(ana, id)
    const results = await Promise.all([undo(ana, id), undo(anasPhone, id)])
    expect(results.sort()).toEqual(['done', 'message_not_deleted'])
  }
  await expectWhole(roomId)
})

test.each([
  ['the function', 'select public.edit_message($1, $2)'],
  ['a plain update', 'update public.chat_messages set content = $2 where id = $1'],
])('an edit by %s and a delete never wait for each other, and what is deleted stays so', async (_, edit) => {
  const roomId = await createRoom()
  for (let round = 0; round < rounds; round++) {
    const id = await send(roomId)
    const [edited, removed] = await Promise.all([attempt(ana, edit, [id, `edit ${round}`]), remove(ben, id)])
    expect(removed).toBe('done')
    expect(['done', 'message_deleted']).toContain(edited)
  }
  await expectWhole(roomId)
})

const lockWaits = `select query from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`

test('a plain update locks the room before the message, as everybody does', async () => {
  const roomId = await createRoom()
  const id = await send(roomId)
  const watcher = await sessions.open()
  await owner.query('begin')
  await owner.query('select private.next_change_seq($1)', [roomId])
  const edited = attempt(ana, 'update public.chat_messages set content = $2 where id = $1', [id, 'edited'])
  await expect
    .poll(async () => (await watcher.query(lockWaits)).rows)
    .toEqual([{ query: expect.stringContaining('update public.chat_messages') }])
  // Held by nobody yet: whoever has the room may have it.
  await owner.query('select from public.chat_messages where id = $1 for update nowait', [id])
  await owner.query('commit')
  expect(await edited).toBe('done')
})

test('bulk deletes in opposite orders of rooms never wait for each other', async () => {
  const roomIds = [await createRoom(), await createRoom(), await createRoom(), await createRoom()] as const
  for (let round = 0; round < rounds; round++) {
    const ids: string[] = []
    for (const roomId of roomIds) ids.push(await send(roomId))
    const results = await Promise.all([
      attempt(ana, 'select public.delete_messages($1)', [ids]),
      attempt(ben, 'select public.delete_messages($1)', [ids.toReversed()]),
    ])
    expect(results.sort()).toEqual(['done', 'message_deleted'])
  }
  for (const roomId of roomIds) await expectWhole(roomId)
})

test('forwards in opposite orders of rooms, and sends beside them, never wait for each other', async () => {
  const roomIds = [await createRoom(), await createRoom(), await createRoom(), await createRoom()] as const
  const first = await send(roomIds[0])
  const last = await send(roomIds[3])
  const forward = 'select public.forward_message($1, $2)'
  for (let round = 0; round < rounds; round++) {
    const results = await Promise.all([
      attempt(ana, forward, [first, roomIds]),
      attempt(ben, forward, [last, roomIds.toReversed()]),
      attempt(anasPhone, 'select public.send_message($1, $2)', [roomIds[round % 4], 'meanwhile']),
    ])
    expect(results).toEqual(['done', 'done', 'done'])
  }
  const { rows } = await owner.query(
    'select forwarded_count, (select count(*) from public.chat_messages where forwarded_from = m.id) as copies from public.chat_messages as m where id = any ($1)',
    [[first, last]],
  )
  const copies = String(rounds * roomIds.length)
  expect(rows).toEqual([
    { forwarded_count: copies, copies },
    { forwarded_count: copies, copies },
  ])
  const holes = await owner.query(
    'select id from public.chat_rooms as r where last_seq <> (select count(*) from public.chat_messages where room_id = r.id)',
  )
  expect(holes.rows).toEqual([])
})

test('a wipe and an undo race: what comes back is whole', async () => {
  const roomId = await createRoom()
  const job = { id: '', client: await sessions.open() }
  for (let round = 0; round < rounds; round++) {
    const id = await send(roomId)
    await ben.client.query('select public.add_reaction($1, $2)', [id, '👍'])
    await remove(ana, id)
    await owner.query('update private.deleted_messages set undo_until = clock_timestamp() + $2 where message_id = $1', [
      id,
      `${round % 3} milliseconds`,
    ])
    const [undone] = await Promise.all([undo(ana, id), attempt(job, 'select private.wipe_deleted_messages()', [])])
    expect(['done', 'undo_window_over']).toContain(undone)
    const { rows } = await owner.query(
      'select content, (select count(*) from public.message_reactions where message_id = id) as reactions from public.chat_messages where id = $1',
      [id],
    )
    if (undone === 'done') expect(rows).toEqual([{ content: 'hello', reactions: '1' }])
    else expect(rows).toMatchObject([{ content: '[Message deleted]' }])
  }
})
