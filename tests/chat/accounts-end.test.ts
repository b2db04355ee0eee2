import { generateKeyPairSync } from 'node:crypto'
import { expect, inject, test } from 'vitest'
import { announce, callFunction, upload } from '../support/files.ts'
import { withDatabase } from '../support/jobs.ts'
import { connect, type Person, signUp } from '../support/people.ts'

async function call<T>(by: Person, name: string, args: Record<string, unknown>): Promise<T> {
  // The functions answer JSON, whatever its shape: the types say no more.
  const { data } = await by.client.rpc(name as 'get_rooms', args as never).throwOnError()
  return data as T
}

interface Room {
  id: string
  type: string
  topic: string
  unread_count: number
  last_message: { content: string; sender: null }
  participants: Array<{ id: string; role: string }>
}

test('an account that has everything ends by auth.admin.deleteUser, and others lose nothing', async () => {
  const [ana, ben, col] = (await Promise.all(['Ana', 'Ben', 'Col'].map(signUp))) as [Person, Person, Person]
  const group = await call<Room>(ana, 'create_group_chat', { p_title: 'Lounge', p_member_ids: [ben.id, col.id] })
  const direct = await call<Room>(ana, 'start_direct_chat', { p_user_id: ben.id, p_content: 'between us' })
  const alone = await call<Room>(ana, 'create_group_chat', { p_title: 'Alone', p_member_ids: [] })
  await call(ana, 'send_message', { p_room_id: group.id, p_content: 'from Ana' })
  await call(ben, 'block_user', { p_user_id: ana.id })
  await call(ana, 'block_user', { p_user_id: col.id })
  await call(ana, 'heartbeat', {})

  const service = connect(inject('stack').secretKey)
  expect((await service.auth.admin.deleteUser(ana.id)).error).toBeNull()

  const rooms = await call<Room[]>(ben, 'get_rooms', {})
  expect(rooms.map(({ id }) => id)).toEqual([group.id, direct.id])
  expect(rooms[0]).toMatchObject({ unread_count: 1, last_message: { content: 'from Ana', sender: null } })
  expect(rooms[0]?.topic).not.toBe(group.topic)
  expect(rooms[0]?.participants.filter(({ role }) => role === 'admin')).toHaveLength(1)
  expect(rooms[1]).toMatchObject({ last_message: { content: 'between us', sender: null } })
  expect(rooms[1]?.participants.map(({ id }) => id)).toEqual([ben.id])

  // Her token is not over yet; she is in no room.
  expect(await ana.client.rpc('send_message', { p_room_id: group.id, p_content: 'x' })).toMatchObject({
    status: 403,
    error: { details: 'not_a_member' },
  })
  // A room with nobody left is gone.
  const left = await service.from('chat_rooms').select('id').in('id', [alone.id, group.id])
  expect(left.data).toEqual([{ id: group.id }])
})

/** The columns of all our tables that hold the id of a person, or only those that refer to accounts. */
async function columnsWith(id: string, { referring }: { referring: boolean }): Promise<Map<string, number>> {
  return withDatabase(async (client) => {
    const { rows } = await client.query(
      `select a.attrelid::regclass::text as table, a.attname as column
       from pg_attribute as a
       join pg_class as c on c.oid = a.attrelid
       where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'p')
         and not c.relispartition and a.atttypid = 'uuid'::regtype and not a.attisdropped and a.attgenerated = ''
         and (not $1 or exists (
           select
           from pg_constraint as f
           where f.conrelid = c.oid and f.contype = 'f' and f.conkey = array[a.attnum]
             and f.confrelid in ('public.profiles'::regclass, 'auth.users'::regclass)
         ))`,
      [referring],
    )
    const found = new Map<string, number>()
    for (const { table, column } of rows) {
      const counted = await client.query(`select count(*)::int from ${table} where ${column} = $1`, [id])
      found.set(`${table}.${column}`, counted.rows[0].count)
    }
    return found
  })
}

const withSome = (columns: Map<string, number>) => [...columns].filter(([, rows]) => rows > 0).map(([name]) => name)

test('an account with a row in every table ends: what is its own goes, what others see stays', async () => {
  const [ana, ben, eve] = (await Promise.all(['Ana', 'Ben', 'Eve'].map(signUp))) as [Person, Person, Person]
  const service = connect(inject('stack').secretKey)
  const slug = (name: string) => `${name}-${ana.id}`
  const username = (await ana.client.from('profiles').select('username').eq('id', ana.id).single().throwOnError()).data
    .username

  // A hotel whose only admin she is, with a guest; and she is a guest in another
  const hotel = await call<{ id: string }>(ana, 'create_organization', { p_name: 'Grand', p_slug: slug('grand') })
  await call(ana, 'add_organization_member', { p_organization_id: hotel.id, p_user_id: ben.id, p_role: 'staff' })
  const stay = await call<{ stay_id: string; room_id: string }>(ana, 'check_in_guest', {
    p_organization_id: hotel.id,
    p_room_number: '101',
    p_guest_name: 'Maria',
  })
  const inn = await call<{ id: string }>(eve, 'create_organization', { p_name: 'Inn', p_slug: slug('inn') })
  const { code } = await call<{ code: string }>(eve, 'check_in_guest', {
    p_organization_id: inn.id,
    p_room_number: '7',
    p_guest_name: 'Ana',
  })
  await call(ana, 'join_as_guest', { p_hotel_slug: slug('inn'), p_room_number: '7', p_code: code })

  // Messages, a file that was sent and one that was not, reactions, mentions, readings, downloads, reports
  const room = await call<Room>(ana, 'create_group_chat', {
    p_title: 'Desk',
    p_member_ids: [ben.id],
    p_organization_id: hotel.id,
  })
  const file = await upload(ana, room.id, 'menu.txt', 'text/plain', Buffer.from('Soup, then fish.'))
  const pending = await announce(ana, room.id, 'never-sent.txt', 'text/plain', 9)
  const send = async (by: Person, args: Record<string, unknown>) =>
    (await call<{ message_id: string }>(by, 'send_message', { p_room_id: room.id, ...args })).message_id
  const hers = await send(ana, { p_content: 'the menu', p_attachment_ids: [file] })
  const his = await send(ben, { p_content: `@${username}, thank you` })
  const deleted = await send(ana, { p_content: 'a slip' })
  await call(ana, 'delete_message', { p_message_id: deleted })
  await call(ana, 'add_reaction', { p_message_id: his, p_emoji: '👍' })
  await call(ana, 'mark_read', { p_room_id: room.id })
  await call(ana, 'track_download', { p_message_id: hers, p_attachment_ids: [file] })
  await call(ana, 'report_message', { p_message_id: his, p_reason: 'just so' })
  await call(ben, 'report_message', { p_message_id: hers, p_reason: 'just so' })

  // Keys that are compared, devices, wishes, blocks
  const key = (by: Person) => {
    const p_public_key = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' })
    return call<{ fingerprint: string }>(by, 'upload_encryption_key', { p_public_key, p_device_id: 'd', p_key_id: 'k' })
  }
  for (const [by, of] of [
    [ana, ben],
    [ben, ana],
  ] as const) {
    const { fingerprint } = await key(of)
    await call(by, 'verify_encryption_key', { p_user_id: of.id, p_key_id: 'k', p_fingerprint: fingerprint })
  }
  for (const who of [ana, ben]) {
    await call(who, 'register_device', { p_target: `telephone-${who.id}`, p_platform: 'ios' })
  }
  await ana.client.from('notification_preferences').insert({ show_preview: false }).throwOnError()
  await call(ana, 'heartbeat', {})
  await call(ana, 'block_user', { p_user_id: eve.id })
  await call(eve, 'block_user', { p_user_id: ana.id })

  const before = await columnsWith(ana.id, { referring: true })
  expect([...before.keys()].filter((name) => !before.get(name))).toEqual([])
  expect((await service.auth.admin.deleteUser(ana.id)).error).toBeNull()

  // What stays names her by an id that is nobody's: for admins, and how busy she was until that is forgotten.
  expect(withSome(await columnsWith(ana.id, { referring: false })).sort()).toEqual([
    'chat_messages.deleted_by',
    'message_audit.actor_id',
    'message_reports.reporter_id',
    'message_reports.sender_id',
    'private.rate_buckets.user_id',
  ])
  const keys = await service.from('key_verifications').select('verifier_user_id').eq('verifier_user_id', ben.id)
  expect(keys.data).toEqual([])

  // Ben keeps what he saw, opens her file, and has the hotel now, with its guest.
  const messages = await call<Array<Record<string, unknown>>>(ben, 'get_messages', { p_room_id: room.id })
  expect(messages).toMatchObject([
    { id: deleted, sender: null, content: '[Message deleted]' },
    { id: his, mentions: [], reactions: [] },
    { id: hers, sender: null, content: 'the menu', attachments: [{ id: file, file_name: 'menu.txt' }] },
  ])
  const { body } = await callFunction(ben, 'attachments/sign', { attachment_ids: [file] })
  expect(await (await fetch(body.urls[0].url)).text()).toBe('Soup, then fish.')
  await ben.client.from('organizations').update({ name: 'His' }).eq('id', hotel.id).throwOnError()
  const reports = await ben.client.from('message_reports').select('message_id').throwOnError()
  expect(reports.data.map(({ message_id }) => message_id).sort()).toEqual([hers, his].sort())
  await call(ben, 'check_out_guest', { p_stay_id: stay.stay_id })

  // Her push still goes out, and her upload that was never sent is given up.
  const push = await call<{ deliveries: unknown[] }>({ ...ben, client: service }, 'push_deliveries', {
    p_jobs: [{ job_id: 1, message_id: hers }],
    p_limit: 10,
  })
  expect(push.deliveries).toMatchObject([{ message: { id: hers, sender_id: null }, devices: [{ user_id: ben.id }] }])
  await withDatabase((client) => client.query('select private.sweep_uploads()'))
  const asset = await service.from('media_assets').select('state').eq('id', pending.attachment_id).single()
  expect(asset.data?.state).toMatch(/delete_requested|gone/)
})
