import { generateKeyPairSync, randomUUID } from 'node:crypto'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSessions, type Session, type Sessions } from '../support/sessions.ts'

/** A function that clients may call, from the catalog. */
interface Callable {
  name: string
  arguments: Array<{ name: string; type: string; optional: boolean }>
  refusals: Set<string>
}

type Arguments = Record<string, unknown>

interface Outcome {
  answer?: unknown
  refusal?: string
}

let sessions: Sessions
let owner: pg.Client
let ana: Session
let callables: Callable[]
/** A value of each argument with which a call of Ana's goes well, and the like of somebody with whom she has nothing to do. */
let good: Arguments
let foreign: Arguments
/** Where a function wants another value than its like. */
let goodFor: Record<string, Arguments>

beforeAll(async () => {
  sessions = await createSessions()
  owner = await sessions.open()
  await owner.query(
    `update private.limits set value = 1000000 where name like '%\\_per\\_%' and unit !~ 'at once|used'`,
  )
  ana = await sessions.signUp('ana')
  const [ben, col, eve] = [await sessions.signUp('ben'), await sessions.signUp('col'), await sessions.signUp('eve')]
  good = await makeWorld(ana, ben, 'hotel')
  foreign = await makeWorld(eve, await sessions.signUp('fay'), 'secret')
  await owner.query(`insert into public.organization_members values ($1, $2, 'staff')`, [
    good.p_organization_id,
    ben.id,
  ])
  goodFor = {
    add_organization_member: { p_user_id: col.id, p_role: 'staff' },
    add_room_members: { p_user_ids: [col.id] },
    block_user: { p_user_id: col.id },
    calculate_unread_count: { p_user_id: ana.id },
    create_organization: { p_slug: 'another' },
    join_as_guest: { p_room_number: '101' },
    locate_organization: { p_slug: 'hotel' },
    mark_message_read: { p_message_id: good.p_their_message_id },
    remove_organization_member: { p_user_id: ben.id },
    send_message: { p_content: 'hello' },
    revoke_encryption_key: { p_key_id: good.p_my_key_id },
    set_organization_role: { p_role: 'manager' },
    undo_delete_message: { p_message_id: good.p_deleted_message_id },
  }
  callables = await readCallables()
})

afterAll(() => sessions.close())

const publicKey = () => generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString()

/** Something of everything: a group, messages, a file, keys, and a hotel with a guest room. */
async function makeWorld(mine: Session, theirs: Session, name: string): Promise<Arguments> {
  const call = async <T>(by: Session, sql: string, values: unknown[]): Promise<T> => {
    const { rows } = await by.client.query(`select ${sql} as answer`, values)
    return rows[0].answer
  }
  const send = async (by: Session, room: string, attachment: string | null) =>
    (
      await call<{ message_id: string }>(by, 'public.send_message($1, $2, p_attachment_ids => $3)', [
        room,
        `a ${name} message`,
        attachment === null ? null : [attachment],
      ])
    ).message_id
  const upload = async (room: string) => {
    const { rows } = await owner.query(
      `select public.create_attachments($1, $2, '[{"file_name": "a.png", "mime_type": "image/png", "size_bytes": 9}]')
         #>> '{uploads,0,attachment_id}' as id`,
      [mine.id, room],
    )
    await owner.query(`select public.verify_attachment($1, 'image/png', 9)`, [rows[0].id])
    return rows[0].id as string
  }

  const group = (title: string) => call<{ id: string }>(mine, 'public.create_group_chat($1, $2)', [title, [theirs.id]])
  const room = await group(name)
  const other = await group(`another ${name}`)
  const hotel = await call<{ id: string }>(mine, 'public.create_organization($1, $1)', [name])
  const stay = await call<{ stay_id: string; code: string }>(mine, `public.check_in_guest($1, '101', $2)`, [
    hotel.id,
    `a ${name} guest`,
  ])
  const attachment = await upload(room.id)
  const message = await send(mine, room.id, attachment)
  const deleted = await send(mine, room.id, null)
  await call(mine, 'public.delete_message($1)', [deleted])
  const key = (by: Session) =>
    call<{ key_id: string; fingerprint: string }>(by, `public.upload_encryption_key($1, 'phone', $2)`, [
      publicKey(),
      `key of ${by.id}`,
    ])
  const [myKey, theirKey] = [await key(mine), await key(theirs)]

  return {
    p_room_id: room.id,
    p_room_ids: [other.id],
    p_user_id: theirs.id,
    p_user_ids: [theirs.id],
    p_member_ids: [theirs.id],
    p_organization_id: hotel.id,
    p_stay_id: stay.stay_id,
    p_message_id: message,
    p_message_ids: [message],
    p_reply_to_id: message,
    p_attachment_id: attachment,
    p_attachment_ids: [attachment],
    p_their_message_id: await send(theirs, room.id, null),
    p_deleted_message_id: deleted,
    p_my_key_id: myKey.key_id,
    p_key_id: theirKey.key_id,
    p_fingerprint: theirKey.fingerprint,
    p_device_id: 'phone',
    p_public_key: publicKey(),
    p_hotel_slug: name,
    p_room_number: '102',
    p_guest_name: 'Somebody',
    p_code: stay.code,
    p_role: 'admin',
    p_emoji: '👍',
    p_content: 'hello',
    p_title: 'A title',
    p_name: 'A name',
    p_slug: name,
    p_query: 'message',
    p_reason: 'just so',
    p_target: `telephone of ${mine.id}`,
    p_platform: 'ios',
    p_seq: 1,
    p_calls: 1,
  }
}

async function readCallables(): Promise<Callable[]> {
  const { rows: codes } = await owner.query('select code from private.error_codes')
  const { rows } = await owner.query(
    `select
       p.proname as name,
       coalesce(obj_description(p.oid, 'pg_proc'), '') as comment,
       (
         select coalesce(json_agg(json_build_object(
           'name', p.proargnames[nth], 'type', format_type(type, null), 'optional', nth > p.pronargs - p.pronargdefaults
         ) order by nth), '[]')
         from unnest(p.proargtypes) with ordinality as a (type, nth)
       ) as arguments
     from pg_proc as p
     where p.pronamespace = 'public'::regnamespace and has_function_privilege('authenticated', p.oid, 'execute')
     order by (p.proname ~ '^(delete|remove|revoke|check_out|renew)'), p.proname`,
  )
  const known = new Set(codes.map(({ code }) => code))
  const refusalsOf = (name: string): string[] => {
    const words = rows.find((row) => row.name === name)?.comment.split('Refusals: ')[1] ?? ''
    const others = [...words.matchAll(/those of (\w+)/g)].flatMap(([, other]) => refusalsOf(other as string))
    return [...(words.match(/\w+/g) ?? []).filter((word: string) => known.has(word)), ...others]
  }
  return rows.map((row) => ({ ...row, refusals: new Set(refusalsOf(row.name)) }))
}

/** What is wrong with a value of each type, but for belonging to somebody else. */
function badValues(type: string): Record<string, unknown> {
  const nothing = { null: null }
  switch (type) {
    case 'uuid':
      return { ...nothing, gone: randomUUID() }
    case 'uuid[]':
      return {
        ...nothing,
        empty: [],
        'a null': [null],
        gone: [randomUUID()],
        huge: Array.from({ length: 20_000 }, () => randomUUID()),
        'two dimensions': [[randomUUID()], [randomUUID()]],
      }
    case 'text':
      return {
        ...nothing,
        empty: '',
        blank: ' \n\t',
        huge: 'x '.repeat(500_000),
        odd: `\u202e🏳️‍🌈'";--\\%_&|!:*(ﷺ\u0301`,
      }
    case 'integer':
      return { ...nothing, zero: 0, negative: -1, huge: 2147483647 }
    case 'bigint':
      return { ...nothing, zero: 0, negative: -1, huge: '9223372036854775807' }
    case 'timestamp with time zone':
      return { ...nothing, 'the end of time': 'infinity', 'its beginning': '-infinity', ancient: '4000-01-01 BC' }
    case 'boolean':
      return nothing
    case 'jsonb':
      return {
        ...nothing,
        'a null of JSON': 'null',
        'a list': '[]',
        'a number': '1e400',
        deep: `${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}`,
        huge: JSON.stringify({ a: 'x'.repeat(1_000_000) }),
        'an odd cursor': JSON.stringify({ [good.p_room_id as string]: { seq: -1, change_seq: 'x' } }),
      }
    default:
      throw new Error(`Say what is wrong with a ${type}.`)
  }
}

const goodArguments = (of: Callable): Arguments =>
  Object.fromEntries(
    of.arguments
      .filter(({ name, optional }) => !optional || goodFor[of.name]?.[name])
      .map(({ name }) => {
        const value = goodFor[of.name]?.[name] ?? good[name]
        if (value === undefined) throw new Error(`Say what a good ${name} of ${of.name} is.`)
        return [name, value]
      }),
  )

/** A call of Ana's; she is not asked to wait. Whatever is no refusal of the list is an error. */
async function call(client: pg.Client, { name, refusals }: Callable, values: Arguments): Promise<Outcome> {
  const names = Object.keys(values).map((key, at) => `${key} => $${at + 1}`)
  try {
    const { rows } = await client.query(`select public.${name}(${names.join(', ')}) as answer`, Object.values(values))
    // A refusal that has to count is answered.
    const refusal = rows[0].answer?.details as string | undefined
    return refusal ? { refusal } : { answer: rows[0].answer }
  } catch (error) {
    const { code, detail, message } = error as pg.DatabaseError
    if (/^PT4/.test(code ?? '') && refusals.has(detail as string)) return { refusal: detail as string }
    throw new Error(`${name}: ${code} ${detail ?? ''} ${message}`, { cause: error })
  }
}

/** Does what it does, and undoes it. */
async function undone<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin')
  try {
    return await work()
  } finally {
    await client.query('rollback')
  }
}

/** All that belongs to the others, in one word. */
async function othersProperty(client: pg.Client = owner): Promise<string> {
  const { rows } = await client.query(
    `select md5(jsonb_build_array(
       (select jsonb_agg(to_jsonb(r) order by id) from public.chat_rooms as r where id = any ($1) or organization_id = $2),
       (select jsonb_agg(to_jsonb(m) order by id) from public.chat_messages as m where room_id = any ($1)),
       (select jsonb_agg(to_jsonb(m) order by user_id, room_id) from public.chat_room_members as m where room_id = any ($1)),
       (select jsonb_agg(to_jsonb(a) order by id) from public.media_assets as a where room_id = any ($1)),
       (select jsonb_agg(to_jsonb(s) order by id) from public.guest_stays as s where organization_id = $2),
       (select jsonb_agg(to_jsonb(m) order by user_id) from public.organization_members as m where organization_id = $2),
       (select jsonb_agg(to_jsonb(k) order by id) from public.user_encryption_keys as k where user_id = $3)
     )::text) as digest`,
    [[foreign.p_room_id, ...(foreign.p_room_ids as string[])], foreign.p_organization_id, foreign.p_user_id],
  )
  return rows[0].digest
}

test('every function goes well with good values', async () => {
  for (const callable of callables) {
    const outcome = await undone(ana.client, () => call(ana.client, callable, goodArguments(callable)))
    expect(outcome, callable.name).toHaveProperty('answer')
  }
})

test('null, empty, huge, odd and gone: what cannot be is refused in the words of the documentation', async () => {
  const errors: string[] = []
  for (const callable of callables) {
    for (const { name, type } of callable.arguments) {
      for (const [what, value] of Object.entries(badValues(type))) {
        const values = { ...goodArguments(callable), [name]: value }
        await undone(ana.client, () => call(ana.client, callable, values)).catch((error) =>
          errors.push(`${error.message} (${name}: ${what})`),
        )
      }
    }
  }
  expect(errors).toEqual([])
})

test("somebody else's: nothing is told of it, and nothing changes there", async () => {
  const errors: string[] = []
  const before = await othersProperty()
  for (const callable of callables) {
    for (const { name } of callable.arguments.filter(({ name }) => name in foreign && /_ids?$/.test(name))) {
      const values = { ...goodArguments(callable), [name]: foreign[name] }
      const outcome = await undone(ana.client, async () => {
        const answered = await call(ana.client, callable, values)
        if ('refusal' in answered) return answered
        await ana.client.query(`select set_config('role', 'postgres', true)`)
        return (await othersProperty(ana.client)) === before ? answered : { ...answered, changed: 'a secret' }
      }).catch((error) => {
        errors.push(`${error.message} (${name})`)
      })
      if (JSON.stringify(outcome ?? '').includes('secret'))
        errors.push(`${callable.name} (${name}) tells ${JSON.stringify(outcome)}`)
    }
  }
  expect(errors).toEqual([])
})

test('a value of another type is refused before we begin', async () => {
  for (const callable of callables) {
    for (const { name } of callable.arguments.filter(({ type }) => type !== 'text')) {
      const values = { ...goodArguments(callable), [name]: 'no such value' }
      await expect(call(ana.client, callable, values), `${callable.name}, ${name}`).rejects.toMatchObject({
        cause: { code: expect.stringMatching(/^22P02|22007$/) },
      })
    }
  }
})

test('the same call twice, and two at once: both are answered, or refused in the words of the documentation', async () => {
  const phone = await sessions.again(ana)
  const before = await othersProperty()
  for (const callable of callables) {
    const values = goodArguments(callable)
    await undone(ana.client, async () => {
      const first = await call(ana.client, callable, values)
      if ('answer' in first) await call(ana.client, callable, values)
    })
    // For good: functions that take something away come last.
    await Promise.all([call(ana.client, callable, values), call(phone.client, callable, values)])
  }
  expect(await othersProperty()).toBe(before)
})
