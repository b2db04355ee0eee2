import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSessions, type Session, type Sessions } from '../support/sessions.ts'

let sessions: Sessions

beforeAll(async () => {
  sessions = await createSessions()
})

afterAll(() => sessions.close())

const people = (...names: string[]) => Promise.all(names.map((name) => sessions.signUp(name)))

const devices = (person: Session, count: number) =>
  Promise.all(Array.from({ length: count }, () => sessions.again(person)))

async function rows(sql: string, values: unknown[]): Promise<Array<Record<string, unknown>>> {
  return (await (await sessions.open()).query(sql, values)).rows
}

async function createGroup(owner: Session, ...members: Session[]): Promise<string> {
  const { rows } = await owner.client.query(`select public.create_group_chat('group', $1) ->> 'id' as id`, [
    members.map(({ id }) => id),
  ])
  return rows[0].id
}

const leave = ({ client, id }: Session, roomId: string) =>
  client.query('select public.remove_room_member($1, $2)', [roomId, id])

test('rooms.direct: 20 calls from both sides at once make one room, and charge for one', async () => {
  const [ana, ben] = (await people('racing_ana', 'racing_ben')) as [Session, Session]
  const callers = [...(await devices(ana, 10)), ...(await devices(ben, 10))]
  const answers = await Promise.all(
    callers.map(({ client, id }) =>
      client.query(`select public.start_direct_chat($1) ->> 'id' as id`, [id === ana.id ? ben.id : ana.id]),
    ),
  )
  expect(new Set(answers.map(({ rows }) => rows[0].id)).size).toBe(1)
  expect(await rows('select count(*)::int from public.chat_room_members where user_id = $1', [ana.id])).toEqual([
    { count: 1 },
  ])
  expect(
    await rows(
      `select (60 - min(tokens))::int as spent from private.rate_buckets where user_id = any ($1) and action = 'direct_room'`,
      [[ana.id, ben.id]],
    ),
  ).toEqual([{ spent: 1 }])
})

test('everybody leaves at once: the room is gone', async () => {
  const group = (await people('l1', 'l2', 'l3', 'l4', 'l5', 'l6')) as [Session, ...Session[]]
  const [owner, ...others] = group
  const roomId = await createGroup(owner, ...others)
  await Promise.all(group.map((person) => leave(person, roomId)))
  expect(await rows('select id from public.chat_rooms where id = $1', [roomId])).toEqual([])
})

test('two admins leave at the same moment: one of those who stay is an admin', async () => {
  for (let round = 0; round < 5; round += 1) {
    const [ana, ben, col] = (await people(`ana${round}`, `ben${round}`, `col${round}`)) as [Session, Session, Session]
    const roomId = await createGroup(ana, ben, col)
    await ana.client.query(`select public.set_member_role($1, $2, 'admin')`, [roomId, ben.id])
    await Promise.all([leave(ana, roomId), leave(ben, roomId)])
    expect(await rows('select user_id, role from public.chat_room_members where room_id = $1', [roomId])).toEqual([
      { user_id: col.id, role: 'admin' },
    ])
  }
})

test('two admins step down at the same moment: one is refused', async () => {
  const [ana, ben] = (await people('stepping_ana', 'stepping_ben')) as [Session, Session]
  const roomId = await createGroup(ana, ben)
  await ana.client.query(`select public.set_member_role($1, $2, 'owner')`, [roomId, ben.id])
  const results = await Promise.allSettled(
    [ana, ben].map(({ client, id }) => client.query(`select public.set_member_role($1, $2, 'member')`, [roomId, id])),
  )
  expect(results.filter(({ status }) => status === 'rejected')).toMatchObject([{ reason: { detail: 'last_admin' } }])
})

test('adding, leaving, writing, and ends of accounts cross each other: nothing deadlocks, and no group lacks an admin', async () => {
  const admin = await sessions.signUp('crossing_admin')
  const members = await people(...Array.from({ length: 8 }, (_, number) => `crossing${number}`))
  const staying = await sessions.signUp('crossing_staying')
  const roomIds: string[] = []
  for (let group = 0; group < 3; group += 1) roomIds.push(await createGroup(admin, staying, ...members))
  const owner = await sessions.open()
  await owner.query(`update private.limits set value = 100000 where name = 'messages_per_minute'`)

  await Promise.all(
    members.map(async (member, number) => {
      const [adding, writing, job] = await Promise.all([sessions.again(admin), sessions.again(member), sessions.open()])
      for (let turn = 0; turn < 10; turn += 1) {
        const roomId = roomIds[(number + turn) % 3] as string
        await Promise.all([
          leave(member, roomId).catch(refused),
          adding.client.query('select public.add_room_members($1, $2)', [roomId, [member.id]]).catch(refused),
          writing.client.query('select public.send_message($1, $2)', [roomId, 'x']).catch(refused),
          number % 2 === 0 && turn === 8 && job.query('delete from auth.users where id = $1', [member.id]),
        ])
      }
    }),
  )
  await owner.query('delete from auth.users where id = $1', [admin.id])

  const groups = await rows(
    `select id, count(*) filter (where role in ('owner', 'admin'))::int as admins
     from public.chat_rooms join public.chat_room_members on room_id = id where id = any ($1) group by id`,
    [roomIds],
  )
  expect(groups).toHaveLength(3)
  for (const { admins } of groups) expect(admins).toBeGreaterThan(0)
  const holes = await rows('select room_id from public.chat_messages group by room_id having max(seq) <> count(*)', [])
  expect(holes).toEqual([])
})

/** What the rules refuse is fine, and so is the policy's word on who was let in a moment ago; anything else is a fault. */
function refused(error: { code?: string }): void {
  if (!/^(PT4|42501$)/.test(error.code ?? '')) throw error
}
