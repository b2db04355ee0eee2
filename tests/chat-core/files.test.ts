import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSessions, type Session, type Sessions } from '../support/sessions.ts'

const rounds = 30

let sessions: Sessions
let owner: pg.Client
let job: pg.Client
let ana: Session
let anasPhone: Session
let ben: Session
let roomId: string
let otherRoomId: string

beforeAll(async () => {
  sessions = await createSessions()
  owner = await sessions.open()
  job = await sessions.open()
  await owner.query(
    `update private.limits set value = 1000000 where name in ('messages_per_minute', 'uploads_per_minute')`,
  )
  ana = await sessions.signUp('ana')
  anasPhone = await sessions.again(ana)
  ben = await sessions.signUp('ben')
  roomId = await createRoom('lounge')
  otherRoomId = await createRoom('bar')
})

afterAll(() => sessions.close())

async function createRoom(title: string): Promise<string> {
  const { rows } = await owner.query(`insert into public.chat_rooms (type, title) values ('group', $1) returning id`, [
    title,
  ])
  await owner.query(`insert into public.chat_room_members (room_id, user_id) values ($1, $2), ($1, $3)`, [
    rows[0].id,
    ana.id,
    ben.id,
  ])
  return rows[0].id
}

/** A file of Ana's that has arrived. */
async function upload(): Promise<string> {
  const { rows } = await owner.query(
    `select public.create_attachments(
       $1, $2, '[{"file_name": "a.png", "mime_type": "image/png", "size_bytes": 9}]'
     ) #>> '{uploads,0,attachment_id}' as id`,
    [ana.id, roomId],
  )
  await owner.query(`select public.verify_attachment($1, 'image/png', 9)`, [rows[0].id])
  return rows[0].id
}

/** How it went: `done`, or the code of the refusal. Whatever is no refusal of ours, as a deadlock, fails the test. */
async function attempt(client: pg.Client, sql: string, values: unknown[]): Promise<string> {
  try {
    await client.query(sql, values)
    return 'done'
  } catch (error) {
    const { code, detail } = error as pg.DatabaseError
    if (!code?.startsWith('PT4') || !detail) throw error
    return detail
  }
}

const send = ({ client }: Session, ids: string[], clientId?: string) =>
  attempt(client, `select public.send_message($1, p_attachment_ids => $2, p_client_id => $3)`, [roomId, ids, clientId])

async function stateOf(assetId: string): Promise<string> {
  const { rows } = await owner.query('select state from public.media_assets where id = $1', [assetId])
  return rows[0].state
}

async function cleanupsOf(assetId: string): Promise<number> {
  const { rows } = await owner.query(
    `select count(*)::int from pgmq.q_media_cleanup where message ->> 'asset_id' = $1`,
    [assetId],
  )
  return rows[0].count
}

async function messageOf(attachmentId: string): Promise<string> {
  const { rows } = await owner.query('select message_id from public.message_attachments where id = $1', [attachmentId])
  return rows[0].message_id
}

test('of two sends that race for a file, one has it', async () => {
  for (let round = 0; round < rounds; round++) {
    const [one, two, three] = [await upload(), await upload(), await upload()]
    const outcomes = await Promise.all([send(ana, [one, two]), send(anasPhone, [three, two])])
    expect(outcomes.sort()).toEqual(['attachment_used', 'done'])
    // The other one sent nothing: what it named besides is still to be sent.
    const states = [await stateOf(one), await stateOf(three)]
    expect(states.sort()).toEqual(['attached', 'verified'])
    expect(await stateOf(two)).toBe('attached')
  }
})

test('a send of files that is retried while the first is on its way is one message', async () => {
  for (let round = 0; round < rounds; round++) {
    const id = await upload()
    const clientId = crypto.randomUUID()
    expect(await Promise.all([send(ana, [id], clientId), send(anasPhone, [id], clientId)])).toEqual(['done', 'done'])
    const { rows } = await owner.query('select count(*)::int from public.chat_messages where client_id = $1', [
      clientId,
    ])
    expect(rows[0].count).toBe(1)
  }
})

test('a file that is sent as the sweep comes is either sent or swept', async () => {
  for (let round = 0; round < rounds; round++) {
    const id = await upload()
    await owner.query(`update public.media_assets set created_at = now() - interval '25 hours' where id = $1`, [id])
    const [outcome] = await Promise.all([send(ana, [id]), job.query('select private.sweep_uploads()')])
    if (outcome === 'done') {
      expect(await stateOf(id)).toBe('attached')
      expect(await cleanupsOf(id)).toBe(0)
    } else {
      expect(['attachment_not_found', 'attachment_not_verified']).toContain(outcome)
      expect(await stateOf(id)).toBe('delete_requested')
      expect(await cleanupsOf(id)).toBe(1)
    }
  }
})

test('of two messages that give up one file at the same moment, one gives it up for good', async () => {
  for (let round = 0; round < rounds; round++) {
    const id = await upload()
    await send(ana, [id])
    await ana.client.query('select public.forward_message($1, $2)', [await messageOf(id), [otherRoomId]])
    const { rows } = await owner.query('select message_id from public.message_attachments where asset_id = $1', [id])
    expect(rows).toHaveLength(2)
    await Promise.all(
      [owner, job].map((client, n) =>
        client.query('select private.wipe_messages(array[$1::uuid])', [rows[n].message_id]),
      ),
    )
    expect(await stateOf(id)).toBe('delete_requested')
    expect(await cleanupsOf(id)).toBe(1)
  }
})

test('a file that is forwarded as its message is deleted for good stays where it is shown', async () => {
  await owner.query(`update public.chat_room_members set role = 'admin' where user_id = $1`, [ben.id])
  for (let round = 0; round < rounds; round++) {
    const id = await upload()
    await send(ana, [id])
    const messageId = await messageOf(id)
    const [forwarded, deleted] = await Promise.all([
      attempt(ana.client, 'select public.forward_message($1, $2)', [messageId, [otherRoomId]]),
      attempt(ben.client, 'select public.delete_message($1, true)', [messageId]),
    ])
    expect(deleted).toBe('done')
    expect(['done', 'message_deleted']).toContain(forwarded)
    expect(await stateOf(id)).toBe(forwarded === 'done' ? 'attached' : 'delete_requested')
  }
})

test('two who take files off one message at the same moment leave no message without anything', async () => {
  for (let round = 0; round < rounds; round++) {
    const ids = [await upload(), await upload()]
    await send(ana, ids)
    const messageId = await messageOf(ids[0] as string)
    const take = ({ client }: Session, id?: string) => attempt(client, 'select public.delete_attachment($1)', [id])
    expect(await Promise.all([take(ana, ids[0]), take(anasPhone, ids[1])])).toEqual(['done', 'done'])
    const { rows } = await owner.query('select is_deleted, content from public.chat_messages where id = $1', [
      messageId,
    ])
    expect(rows).toEqual([{ is_deleted: true, content: '[File deleted]' }])
  }
})
