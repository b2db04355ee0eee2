import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDatabase, type Database } from '../support/database.ts'

// In CI 2,000; PARLEY_HISTORIES=100000 for a night.
const histories = Number(process.env.PARLEY_HISTORIES ?? 2000)
// Two cores, two connections.
const connections = 2

let database: Database

beforeAll(async () => {
  database = await createDatabase({ migrated: true })
  const admin = await connect('supabase_admin')
  // What is told to whom is no part of this, and most of the time that a history takes.
  await admin.query('alter table public.chat_messages disable trigger announce_message')
  await admin.query(`
    create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true)
    returns void language sql as ''`)
  await admin.query("update private.limits set value = 1000000 where name = 'messages_per_minute'")
  await admin.end()
})

afterAll(() => database.drop())

async function connect(role: 'postgres' | 'supabase_admin' = 'postgres'): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url(role) })
  await client.connect()
  return client
}

/** Four people whom nobody else's history holds up. */
async function makePeople(client: pg.Client): Promise<string[]> {
  const people = Array.from({ length: 4 }, () => randomUUID())
  await client.query(
    "insert into auth.users (id, email) select id, id || '@example.com' from unnest($1::uuid[]) as id",
    [people],
  )
  return people
}

/** What happens in a history. A person or a message that is not there makes nothing happen. */
const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('send'), who: fc.nat(3), count: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('send'), who: fc.nat(3), count: fc.integer({ min: 4, max: 24 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('system'), who: fc.option(fc.nat(3)) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('delete', 'undo', 'wipe'), back: fc.nat(9) }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('read'), who: fc.nat(3), back: fc.option(fc.nat(9)) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constantFrom('markUnread', 'clear', 'leave', 'join'),
      who: fc.nat(3),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('endAccount'), who: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('clearForEveryone') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('removeCleared'), limit: fc.integer({ min: 1, max: 60 }) }) },
)
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never

interface Member {
  isMember: boolean
  hasAccount: boolean
  hidden: number
  read: number
  isMarked: boolean
}

/** The oracle: it keeps every message, and counts them. */
class Room {
  readonly id = randomUUID()
  readonly messages: { seq: number; sender: number | null; isDeleted: boolean; isSystem: boolean }[] = []
  readonly people: string[]
  readonly members: Member[]
  readonly keepsHistory: boolean
  lastSeq: number
  floor: number

  constructor(people: string[], startSeq: number, keepsHistory: boolean) {
    this.people = people
    this.lastSeq = startSeq
    this.floor = startSeq
    this.keepsHistory = keepsHistory
    this.members = people.map((_, i) => ({
      isMember: i < 3,
      hasAccount: true,
      hidden: 0,
      read: startSeq,
      isMarked: false,
    }))
  }

  member(who: number): Member {
    const member = this.members[who]
    if (!member) throw new Error(`There is no person ${who}.`)
    return member
  }

  counted(who: number): number {
    const { hidden, read } = this.member(who)
    const cursor = Math.max(hidden, read, this.floor)
    return this.messages.filter((m) => m.seq > cursor && !m.isDeleted && !m.isSystem && m.sender !== who).length
  }

  unread(who: number): number {
    return Math.max(this.counted(who), this.member(who).isMarked ? 1 : 0)
  }

  add(sender: number | null, isSystem: boolean): void {
    this.lastSeq += 1
    this.messages.push({ seq: this.lastSeq, sender, isDeleted: false, isSystem })
  }

  /** The SQL that makes the room: the messages up to where it starts were cleared long ago, and are removed. */
  create(): string {
    return `
      insert into public.chat_rooms (id, type, title, created_by, last_seq, floor_seq, history_for_new_members)
      values ('${this.id}', 'group', 'history', '${this.people[0]}', ${this.lastSeq}, ${this.floor}, ${this.keepsHistory});
      insert into public.chat_room_members (room_id, user_id)
      select '${this.id}', unnest('{${this.people.slice(0, 3)}}'::uuid[])`
  }

  /** Does it here, and answers the SQL that does it there, with what that is to answer. */
  play(action: Action): { sql: string; answer?: object } | null {
    const as = (who: number) => `set local request.jwt.claims = '{"sub": "${this.people[who]}"}';`
    const asOwner = "set local request.jwt.claims = '';"
    const member = 'who' in action && action.who !== null ? this.member(action.who) : null
    const message = 'back' in action && action.back !== null ? this.messages.at(-1 - action.back) : null
    const change = (set: string) =>
      `${asOwner} select private.next_change_seq('${this.id}');
       update public.chat_messages set ${set} where room_id = '${this.id}' and seq = ${message?.seq}`

    switch (action.type) {
      case 'send': {
        const { who, count } = action as { who: number; count: number }
        if (!member?.isMember) return null
        for (let i = 0; i < count; i++) this.add(who, false)
        return {
          sql: `${as(who)} insert into public.chat_messages (room_id, content)
                select '${this.id}', 'hello' from generate_series(1, ${count})`,
        }
      }
      case 'system': {
        const { who } = action as { who: number | null }
        if (member && !member.hasAccount) return null
        this.add(who, true)
        return {
          sql: `${asOwner} insert into public.chat_messages (room_id, sender_id, message_type, content)
                values ('${this.id}', ${who === null ? 'null' : `'${this.people[who]}'`}, 'system', 'renamed')`,
        }
      }
      case 'delete':
        if (!message) return null
        message.isDeleted = true
        return { sql: change('is_deleted = true, deleted_at = now()') }
      case 'wipe':
        // What is deleted cannot be edited: it is wiped as it is deleted.
        if (!message || message.isDeleted) return null
        message.isDeleted = true
        return { sql: change('is_deleted = true, deleted_at = now(), content = null') }
      case 'undo':
        if (!message) return null
        message.isDeleted = false
        return { sql: change('is_deleted = false, deleted_at = null') }
      case 'read': {
        const { who, back } = action as { who: number; back: number | null }
        if (!member?.isMember) return null
        if (back !== null && (!message || message.seq <= Math.max(member.hidden, this.floor))) return null
        const before = this.counted(who)
        member.read = Math.max(member.read, message?.seq ?? this.lastSeq)
        member.isMarked = false
        const id = message
          ? `, (select id from public.chat_messages where room_id = '${this.id}' and seq = ${message.seq})`
          : ''
        return {
          sql: `${as(who)} select public.mark_read('${this.id}'${id}) as answer`,
          answer: { unread_count: this.counted(who), updated_count: before - this.counted(who) },
        }
      }
      case 'clearForEveryone':
        if (this.floor < this.lastSeq) {
          this.floor = this.lastSeq
          for (const one of this.members.filter(({ isMember }) => isMember)) {
            one.hidden = this.floor
            one.isMarked = false
          }
        }
        return { sql: `${as(0)} select public.clear_chat('${this.id}', true)` }
      case 'removeCleared':
        return { sql: `${asOwner} select private.remove_cleared_messages(${(action as { limit: number }).limit})` }
    }

    const { who } = action as { who: number }
    if (!member?.hasAccount || (action.type === 'join') === member.isMember) return null
    switch (action.type) {
      case 'markUnread':
        member.isMarked = true
        return {
          sql: `${as(who)} select public.mark_unread('${this.id}') as answer`,
          answer: { unread_count: this.unread(who) },
        }
      case 'clear':
        member.hidden = this.lastSeq
        member.isMarked = false
        return { sql: `${as(who)} select public.clear_chat('${this.id}')` }
      case 'join':
        member.isMember = true
        member.hidden = Math.max(member.hidden, this.keepsHistory ? this.floor : this.lastSeq)
        member.read = Math.max(member.read, this.lastSeq)
        member.isMarked = false
        return {
          sql: `${asOwner} insert into public.chat_room_members (room_id, user_id) values ('${this.id}', '${this.people[who]}')`,
        }
      case 'leave':
        // Somebody stays, so that the room does.
        if (who === 0) return null
        member.isMember = false
        return { sql: `${asOwner} select private.leave_room('${this.id}', '${this.people[who]}')` }
      case 'endAccount':
        if (who === 0) return null
        member.isMember = false
        member.hasAccount = false
        for (const one of this.messages) if (one.sender === who) one.sender = null
        return { sql: `${asOwner} delete from auth.users where id = '${this.people[who]}'` }
    }
    return null
  }

  /** The counts there, of everybody who is in the room. */
  counts(): string {
    const present = this.people.filter((_, i) => this.member(i).isMember)
    return `
      select json_object_agg(who, (select unread_count from private.unread_counts(who, array['${this.id}'::uuid]))) as counts
      from unnest('{${present}}'::uuid[]) as who`
  }

  expectedCounts(): Record<string, number> {
    return Object.fromEntries(this.people.flatMap((id, i) => (this.member(i).isMember ? [[id, this.unread(i)]] : [])))
  }
}

/** Whether what is summed of uncounted messages is what counting the rows gives; the same for all senders left. */
const wrongSums = `
  with counted as (
    select room_id, owner, size, seq / size as block, count(*) as messages
    from public.chat_messages,
      unnest(array[64, 4096, 262144]) as size,
      unnest(array['00000000-0000-0000-0000-000000000000', sender_id]) as owner
    where owner is not null and (is_deleted or message_type = 'system')
    group by 1, 2, 3, 4
  )
  select *
  from counted
  full join private.uncounted_messages as sums
    on (sums.room_id, sums.sender_id, sums.block_size, sums.block) = (counted.room_id, owner, size, counted.block)
  where coalesce(counted.messages, 0) <> coalesce(sums.messages, 0)
    and exists (select from public.profiles where id = coalesce(owner, sender_id) union all select where owner = '00000000-0000-0000-0000-000000000000')
  union all
  select id, null, null, null, null, null, null, null, null, uncounted_messages
  from public.chat_rooms as r
  where uncounted_messages <> (
    select count(*) from public.chat_messages as m where m.room_id = r.id and (is_deleted or message_type = 'system')
  )`

describe.concurrent('unread is what counting the messages gives', () => {
  const start = fc.constantFrom(0, 60, 4090, 8190, 262_140)
  const history = fc.tuple(start, fc.boolean(), fc.array(action, { minLength: 3, maxLength: 20 }))

  // What chance seldom makes.
  const examples: [[number, boolean, Action[]]][] = [
    [
      [
        0,
        true,
        [
          { type: 'markUnread', who: 1 },
          { type: 'leave', who: 1 },
          { type: 'join', who: 1 },
        ],
      ],
    ],
  ]

  test.each(Array.from({ length: connections }, (_, i) => i + 1))(
    'over random histories, connection %i',
    async () => {
      const client = await connect()
      const people = await makePeople(client)
      try {
        await fc.assert(
          fc.asyncProperty(history, async ([startSeq, keepsHistory, actions]) => {
            const room = new Room(people, startSeq, keepsHistory)
            const statements = [room.create()]
            const expected: object[] = []
            for (const one of actions) {
              const step = room.play(one)
              if (!step) continue
              statements.push(step.sql, room.counts())
              if (step.answer) expected.push(step.answer)
              expected.push(room.expectedCounts())
            }
            statements.push(wrongSums)

            await client.query('begin')
            try {
              const results = (await client.query(statements.join(';\n'))) as unknown as pg.QueryResult[]
              const found = results.flatMap(({ rows }) => rows.flatMap((row) => row.answer ?? row.counts ?? []))
              expect(found).toEqual(expected.map((one) => expect.objectContaining(one)))
              expect(results.at(-1)?.rows).toEqual([])
            } finally {
              await client.query('rollback')
            }
          }),
          { numRuns: Math.ceil(histories / connections), examples },
        )
      } finally {
        await client.end()
      }
    },
    600_000,
  )
})

test('also when several write, read, delete and clear at once', async () => {
  const admin = await connect()
  const people = await makePeople(admin)
  const writers = await Promise.all(people.map(() => connect()))
  const step = fc.record({
    room: fc.nat(1),
    kind: fc.constantFrom('send', 'send', 'send', 'delete', 'undo', 'read', 'clear', 'clearAll', 'remove', 'rejoin'),
  })
  const script = fc.array(step, { minLength: 5, maxLength: 15 })

  try {
    await fc.assert(
      fc.asyncProperty(fc.tuple(script, script, script, script), async (scripts) => {
        const rooms = [randomUUID(), randomUUID()]
        await admin.query(
          `insert into public.chat_rooms (id, type, title, created_by, last_seq, floor_seq)
           select id, 'group', 'history', $2, 60, 60 from unnest($1::uuid[]) as id`,
          [rooms, people[0]],
        )
        await admin.query(
          `insert into public.chat_room_members (room_id, user_id, role)
           select room_id, user_id, 'admin' from unnest($1::uuid[]) as room_id, unnest($2::uuid[]) as user_id`,
          [rooms, people],
        )
        await Promise.all(
          scripts.map(async (steps, i) => {
            for (const { room, kind } of steps)
              await writers[i]?.query(concurrently(kind, rooms[room] ?? '', people[i] ?? ''))
          }),
        )

        const { rows } = await admin.query(
          `select member.user_id, member.room_id, counts.unread_count, counted.messages::int
           from public.chat_room_members as member
           join public.chat_rooms as r on r.id = member.room_id
           join public.user_chat_preferences as mine using (user_id, room_id)
           cross join private.unread_counts(member.user_id, array[member.room_id]) as counts
           cross join lateral (
             select count(*) as messages
             from public.chat_messages as m
             where m.room_id = r.id
               and m.seq > greatest(r.floor_seq, mine.visible_from_seq, mine.last_read_seq, mine.cleared_seq)
               and not m.is_deleted and m.message_type <> 'system'
               and m.sender_id is distinct from member.user_id
           ) as counted
           where r.id = any ($1)`,
          [rooms],
        )
        expect(rows).toHaveLength(rooms.length * people.length)
        expect(rows.filter(({ unread_count, messages }) => unread_count !== messages)).toEqual([])
        expect((await admin.query(wrongSums)).rows).toEqual([])
      }),
      { numRuns: Math.ceil(histories / 50) },
    )
  } finally {
    await Promise.all([admin, ...writers].map((client) => client.end()))
  }
}, 600_000)

/** A transaction of one of several who do things at once. */
function concurrently(kind: string, roomId: string, person: string): string {
  const asPerson = `set local request.jwt.claims = '{"sub": "${person}"}';`
  const change = (wanted: boolean) => `
    do $$ begin
      perform private.lock_rooms(array['${roomId}'::uuid]);
      update public.chat_messages
      set is_deleted = ${wanted}, deleted_at = ${wanted ? 'now()' : 'null'}, change_seq = private.next_change_seq(room_id)
      where id in (
        select id from public.chat_messages
        where room_id = '${roomId}' and is_deleted = ${!wanted} order by random() limit 1
      );
    end $$`
  switch (kind) {
    case 'delete':
      return change(true)
    case 'undo':
      return change(false)
    case 'read':
      return `begin; ${asPerson} select public.mark_read('${roomId}'); commit`
    case 'clear':
      return `begin; ${asPerson} select public.clear_chat('${roomId}'); commit`
    case 'clearAll':
      return `begin; ${asPerson} select public.clear_chat('${roomId}', true); commit`
    case 'remove':
      return 'select private.remove_cleared_messages(7)'
    case 'rejoin':
      return `begin; select private.leave_room('${roomId}', '${person}');
        insert into public.chat_room_members (room_id, user_id, role) values ('${roomId}', '${person}', 'admin'); commit`
    default:
      return `begin; ${asPerson} insert into public.chat_messages (room_id, content)
        select '${roomId}', 'hello' from generate_series(1, 3); commit`
  }
}
