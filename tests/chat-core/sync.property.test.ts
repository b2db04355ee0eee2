import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSessions, type Session, type Sessions } from '../support/sessions.ts'

const histories = Number(process.env.PARLEY_HISTORIES ?? 50)

interface Message {
  id: string
  room_id: string
  seq: number
}

interface Answer {
  messages: Message[]
  changed: Message[]
  gone_rooms: string[]
  reset: string[]
  cursors: Record<string, { seq: number; change_seq: number }>
  has_more: boolean
}

let sessions: Sessions
let owner: pg.Client
let ana: Session
let ben: Session
// Whose account ends, and who comes again with another.
let col: Session

beforeAll(async () => {
  sessions = await createSessions()
  owner = await sessions.open('supabase_admin')
  ana = await sessions.signUp('ana')
  ben = await sessions.signUp('ben')
  col = await sessions.signUp('col')
  await owner.query(`update private.limits set value = 1000000 where unit ~ 'bucket' or name ~ '_per_'`)
  // Few enough that some histories fall behind.
  await owner.query(`update private.limits set value = 12 where name = 'sync_messages_behind'`)
})

afterAll(() => sessions.close())

/** What a client of Ben's keeps on the device, with every broadcast lost: it only ever syncs. */
class Copy {
  readonly #rooms = new Map<string, Map<string, Message>>()
  #cursors: Answer['cursors'] = {}

  async sync(limit: number): Promise<void> {
    for (let page = 0; page < 1000; page += 1) {
      const answer = await call<Answer>(ben, 'sync_messages', { p_cursors: this.#cursors, p_limit: limit })
      for (const room of answer.gone_rooms) this.#rooms.delete(room)
      for (const room of answer.reset) {
        const messages = await readAll(room)
        this.#rooms.set(room, new Map(messages.map((message) => [message.id, message])))
      }
      for (const message of answer.messages) {
        const known = this.#room(message.room_id)
        if (known.has(message.id)) throw new Error(`Message ${message.seq} came twice.`)
        const newest = Math.max(0, ...[...known.values()].map(({ seq }) => seq))
        if (message.seq <= newest) throw new Error(`Message ${message.seq} came after ${newest}.`)
        known.set(message.id, message)
      }
      for (const message of answer.changed) {
        if (!this.#room(message.room_id).has(message.id))
          throw new Error(`A change of ${message.seq}, which is not there.`)
        this.#room(message.room_id).set(message.id, message)
      }
      // A room heard of for the first time starts at what was delivered last: what is older is fetched when it is opened.
      for (const [room, { seq }] of Object.entries(answer.cursors).filter(([room]) => !this.#cursors[room])) {
        for (const message of await readAll(room)) {
          if (message.seq <= seq && !this.#room(room).has(message.id)) this.#room(room).set(message.id, message)
        }
      }
      this.#cursors = answer.cursors
      if (!answer.has_more) return
    }
    throw new Error('There is always more.')
  }

  messages(room: string): Message[] {
    return [...(this.#rooms.get(room)?.values() ?? [])].sort((a, b) => a.seq - b.seq)
  }

  #room(room: string): Map<string, Message> {
    const known = this.#rooms.get(room) ?? new Map()
    this.#rooms.set(room, known)
    return known
  }
}

/** What the server shows Ben of a room; nothing once he is no longer in it. */
async function readAll(room: string): Promise<Message[]> {
  const all: Message[] = []
  while (true) {
    const after = all.at(-1)?.seq ?? 0
    const page = await call<Message[]>(ben, 'get_messages', { p_room_id: room, p_after_seq: after, p_limit: 100 })
    all.push(...page)
    if (page.length < 100) return all
  }
}

type Action =
  | {
      does: 'write'
      how: 'send' | 'mention' | 'reply' | 'forward' | 'edit' | 'delete' | 'undo' | 'react'
      who: 'ana' | 'ben' | 'col'
      room: number
      nth: number
    }
  | { does: 'clear'; forEveryone: boolean; room: number }
  | { does: 'remove what was cleared' }
  | { does: 'end an account' }
  | { does: 'change'; how: 'leave' | 'join' | 'leave and join' | 'rename' | 'hide history'; room: number }
  | { does: 'sync'; limit: number }

const room = fc.nat(1)
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('write' as const),
      how: fc.constantFrom('send', 'send', 'mention', 'reply', 'reply', 'forward', 'edit', 'delete', 'undo', 'react'),
      who: fc.constantFrom('ana', 'ben', 'col'),
      room,
      // Most of what happens to a message happens while it is new.
      nth: fc.oneof({ weight: 4, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat(20) }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('clear' as const), forEveryone: fc.boolean(), room }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('remove what was cleared', 'end an account') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('change' as const),
      how: fc.constantFrom('leave', 'join', 'leave and join', 'rename', 'hide history'),
      room,
    }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('sync' as const), limit: fc.integer({ min: 1, max: 8 }) }) },
)

async function run(step: Action, rooms: string[], copy: Copy): Promise<void> {
  if (step.does === 'sync') return copy.sync(step.limit)
  if (step.does === 'remove what was cleared') {
    await owner.query('select private.remove_cleared_messages()')
    return
  }
  if (step.does === 'end an account') {
    await owner.query('delete from auth.users where id = $1', [col.id])
    await col.client.end()
    col = await sessions.signUp('col')
    for (const id of rooms) await call(ana, 'add_room_members', { p_room_id: id, p_user_ids: [col.id] })
    return
  }
  const id = rooms[step.room] as string
  if (step.does === 'clear') {
    return tryTo(step.forEveryone ? ana : ben, 'clear_chat', { p_room_id: id, p_for_everyone: step.forEveryone })
  }
  if (step.does === 'change') {
    if (/leave/.test(step.how)) await tryTo(ben, 'remove_room_member', { p_room_id: id, p_user_id: ben.id })
    if (/join/.test(step.how)) await tryTo(ana, 'add_room_members', { p_room_id: id, p_user_ids: [ben.id] })
    const column = {
      rename: 'title = title || 1',
      'hide history': 'history_for_new_members = not history_for_new_members',
    }
    const change = column[step.how as keyof typeof column]
    if (change) await ana.client.query(`update public.chat_rooms set ${change} where id = $1`, [id])
    return
  }
  const who = { ana, ben, col }[step.who]
  const content = step.how === 'mention' ? `@col, message ${step.nth}` : `message ${step.nth}`
  if (step.how === 'send' || step.how === 'mention') {
    return tryTo(who, 'send_message', { p_room_id: id, p_content: content })
  }
  const { rows } = await owner.query(
    'select id, sender_id from public.chat_messages where room_id = $1 order by seq desc offset $2 limit 1',
    [id, step.nth],
  )
  const message = { p_message_id: rows[0]?.id ?? randomUUID() }
  if (step.how === 'reply') {
    return tryTo(who, 'send_message', { p_room_id: id, p_content: content, p_reply_to_id: message.p_message_id })
  }
  if (step.how === 'forward') return tryTo(who, 'forward_message', { ...message, p_room_ids: rooms })
  const author = [ana, ben, col].find((person) => person.id === rows[0]?.sender_id) ?? who
  if (step.how === 'edit') return tryTo(author, 'edit_message', { ...message, p_content: `edited ${step.nth}` })
  if (step.how === 'delete') return tryTo(author, 'delete_message', message)
  if (step.how === 'undo') return tryTo(author, 'undo_delete_message', message)
  return tryTo(who, 'toggle_reaction', { ...message, p_emoji: '👍' })
}

async function call<Result>({ client }: Session, name: string, values: Record<string, unknown>): Promise<Result> {
  const names = Object.keys(values).map((key, at) => `${key} => $${at + 1}`)
  const given = Object.values(values).map((value) =>
    value !== null && typeof value === 'object' && !Array.isArray(value) ? JSON.stringify(value) : value,
  )
  const { rows } = await client.query(`select public.${name}(${names.join(', ')}) as answer`, given)
  return rows[0].answer
}

/** What the rules refuse is fine: the history goes on. */
async function tryTo(who: Session, name: string, values: Record<string, unknown>): Promise<void> {
  try {
    await call(who, name, values)
  } catch (error) {
    if (!/^PT4/.test((error as pg.DatabaseError).code ?? '')) throw error
  }
}

test('whatever happened while away, and however often: syncing ends with what the server shows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 50, size: 'max' }), async (steps) => {
      const rooms: string[] = []
      for (const title of ['lounge', 'bar']) {
        const made = await call<{ id: string }>(ana, 'create_group_chat', {
          p_title: title,
          p_member_ids: [ben.id, col.id],
        })
        rooms.push(made.id)
      }
      const copy = new Copy()
      for (const step of steps) await run(step, rooms, copy)
      await copy.sync(5)
      for (const id of rooms) {
        const { rows } = await owner.query('select private.is_room_member($1, $2) as mine', [id, ben.id])
        expect(copy.messages(id)).toEqual(rows[0].mine ? await readAll(id) : [])
      }
      // The next history starts without these rooms.
      await owner.query('delete from public.chat_rooms where id = any ($1)', [rooms])
    }),
    { numRuns: histories },
  )
}, 300_000)
