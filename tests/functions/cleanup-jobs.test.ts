import { randomUUID } from 'node:crypto'
import { v2 as cloudinary } from 'cloudinary'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { localKeys } from '../../src/stack/keys.ts'
import { createJobGround, type JobGround, named } from '../support/job-ground.ts'
import type { Session } from '../support/sessions.ts'

let ground: JobGround
let ana: Session
let roomId: string

beforeAll(async () => {
  ground = await createJobGround()
  ana = await ground.sessions.signUp('ana')
  const { rows } = await ground.owner.query(
    `with room as (insert into public.chat_rooms (type, title) values ('group', 'lounge') returning id)
     insert into public.chat_room_members (room_id, user_id) select id, unnest($1::uuid[]) from room returning room_id`,
    [[ana.id]],
  )
  roomId = rows[0].room_id
})

afterAll(() => ground.close())

beforeEach(async () => {
  await ground.owner.query(`truncate pgmq.q_media_cleanup, pgmq.a_media_cleanup`)
  await ground.sandbox.control('DELETE', '/cloudinary')
  ground.lines.length = 0
})

const cleanUp = (body?: object) => ground.call('cloudinary-cleanup', body)
const picture = 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7'

/** Pictures that messages show, at Cloudinary. Their public ids. */
async function upload(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => `parley/${roomId}/${randomUUID()}`)
  const queue = ids.values()
  const uploader = async () => {
    for (const id of queue) await uploadOne(id)
  }
  await Promise.all(Array.from({ length: 10 }, uploader))
  await insert('cloudinary', ids)
  return ids
}

async function uploadOne(public_id: string, kind = 'image'): Promise<void> {
  const { apiKey, apiSecret, cloudName, url } = ground.sandbox.cloudinary
  const params = { public_id, type: 'authenticated', timestamp: String(Math.floor(Date.now() / 1000)) }
  const signature = cloudinary.utils.api_sign_request(params, apiSecret)
  const body = new URLSearchParams({ ...params, api_key: apiKey, signature, file: picture })
  const response = await fetch(`${url}/v1_1/${cloudName}/${kind}/upload`, { method: 'POST', body })
  expect(response.status).toBe(200)
}

/** Uploads a file to Storage, or reads it. */
const object = (name: string, method: 'POST' | 'GET') =>
  fetch(`${ground.url}/storage/v1/object/chat-attachments/${name}`, {
    method,
    headers: { apikey: localKeys.secret, authorization: `Bearer ${localKeys.secret}`, 'content-type': 'image/gif' },
    ...(method === 'POST' && { body: 'GIF89a' }),
  })

async function insert(provider: string, ids: string[]): Promise<void> {
  await ground.owner.query(
    `insert into public.media_assets
       (provider, public_id, resource_type, file_name, declared_mime_type, declared_size_bytes, mime_type, size_bytes)
     select $1, id, 'image', 'a.gif', 'image/gif', 1, 'image/gif', 1 from unnest($2::text[]) as id`,
    [provider, ids],
  )
  await ground.owner.query(`update public.media_assets set state = 'verified' where public_id = any ($1)`, [ids])
  await ground.owner.query(`update public.media_assets set state = 'attached' where public_id = any ($1)`, [ids])
}

async function giveUp(ids: string[]): Promise<void> {
  await ground.owner.query(`update public.media_assets set state = 'delete_requested' where public_id = any ($1)`, [
    ids,
  ])
}

async function states(ids: string[]): Promise<string[]> {
  const { rows } = await ground.owner.query(
    'select distinct state::text from public.media_assets where public_id = any ($1)',
    [ids],
  )
  return rows.map(({ state }) => state)
}

async function stored(): Promise<string[]> {
  const { resources } = await ground.sandbox.look('/cloudinary')
  return resources.map(({ public_id }: { public_id: string }) => public_id)
}

test.each(
  named([
    { path: '/rpc/read_jobs', when: 'after' },
    { path: '/media_assets', method: 'PATCH', when: 'before' },
    { path: '/media_assets', method: 'PATCH', when: 'after' },
    { path: '/rpc/finish_jobs', when: 'before' },
    { path: '/rpc/finish_jobs', when: 'after' },
  ]),
)('hotel.delete.files: killed %s: the file is gone and its row says so', async (_, step) => {
  const [gone = '', kept] = await upload(2)
  await giveUp([gone])
  ground.killAt(step)
  await ground.drain('cloudinary-cleanup', 'media_cleanup')
  expect(ground.wasKilled()).toBe(true)
  expect(await stored()).toEqual([kept])
  expect(await states([gone])).toEqual(['gone'])
  expect(await ground.counts('media_cleanup')).toEqual({ left: 0, archived: 0 })
})

test('hotel.delete.files: killed while Cloudinary has destroyed it and the answer is on its way: it is gone', async () => {
  const ids = await upload(1)
  await giveUp(ids)
  await ground.fail('cloudinary', { operation: 'destroy', when: 'after', hang: true })
  const call = cleanUp()
  await expect.poll(async () => (await stored()).length, { timeout: 10_000 }).toBe(0)
  await ground.kill()
  expect((await call).status).toBe(500)
  expect(await states(ids)).toEqual(['delete_requested'])
  await ground.drain('cloudinary-cleanup', 'media_cleanup')
  expect(await states(ids)).toEqual(['gone'])
})

test('hotel.delete.files: a thousand files, two workers at once: each is destroyed once', {
  timeout: 120_000,
}, async () => {
  const there = await upload(100)
  const absent = Array.from({ length: 900 }, () => `parley/${roomId}/${randomUUID()}`)
  await insert('cloudinary', absent)
  const ids = [...there, ...absent]
  await giveUp(ids)
  await ground.drainTogether('cloudinary-cleanup')
  const { resources, requests } = await ground.sandbox.look('/cloudinary')
  expect(resources).toEqual([])
  expect(requests.destroy).toBe(1000)
  expect(await states(ids)).toEqual(['gone'])
  expect(await ground.counts('media_cleanup')).toEqual({ left: 0, archived: 0 })
})

test.each([
  ['500', { status: 500 }, 'Cloudinary answered 500.'],
  ['too many calls', { status: 420 }, 'Cloudinary answered 420.'],
  ['a wrong signature', { status: 401 }, 'Cloudinary answered 401.'],
  ['an outage', { status: 503 }, 'Cloudinary answered 503.'],
  ['no answer', { hang: true }, 'Cloudinary gave no answer within 10000 ms.'],
])(
  'hotel.delete.files: Cloudinary answers with %s: the file waits, and the log says why',
  async (_, script, reason) => {
    const [failing = '', fine = ''] = await upload(2)
    await giveUp([failing, fine])
    await ground.fail('cloudinary', { operation: 'destroy', target: failing, ...script })
    expect(await (await cleanUp()).json()).toEqual({ success: true, done: 1, failed: 1, continues: 0 })
    expect(await states([failing])).toEqual(['delete_requested'])
    expect(await states([fine])).toEqual(['gone'])
    await expect.poll(() => ground.lines.join('\n')).toContain(reason)
    expect(ground.lines.join('\n')).not.toContain(ground.sandbox.cloudinary.apiSecret)
    await ground.drain('cloudinary-cleanup', 'media_cleanup')
    expect(await states([failing])).toEqual(['gone'])
    expect(await stored()).toEqual([])
  },
)

test('hotel.delete.files: slow is no failure, and a file that is not there is one that is gone', async () => {
  const [slow = ''] = await upload(1)
  const absent = `parley/${roomId}/${randomUUID()}`
  await insert('cloudinary', [absent])
  await giveUp([slow, absent])
  await ground.fail('cloudinary', { operation: 'destroy', target: slow, delay_ms: 1000 })
  expect(await (await cleanUp()).json()).toEqual({ success: true, done: 2, failed: 0, continues: 0 })
  expect(await states([slow, absent])).toEqual(['gone'])
})

test('hotel.delete.files: what fails as often as it may is archived with the reason, and tried again in the night', async () => {
  const ids = await upload(1)
  await giveUp(ids)
  await ground.fail('cloudinary', { operation: 'destroy', status: 500, times: 10 })
  await ground.drain('cloudinary-cleanup', 'media_cleanup')
  expect(await ground.counts('media_cleanup')).toEqual({ left: 0, archived: 1 })
  const { rows } = await ground.owner.query(`select message ->> 'failure' as failure from pgmq.a_media_cleanup`)
  expect(rows).toEqual([{ failure: 'Error: Cloudinary answered 500.' }])
  expect(await states(ids)).toEqual(['delete_requested'])
  await ground.owner.query('select private.purge_jobs()')
  await ground.drain('cloudinary-cleanup', 'media_cleanup')
  expect(await states(ids)).toEqual(['gone'])
})

test('hotel.delete.files: files in Storage go too, and no others', async () => {
  const names = ['gone', 'absent', 'kept'].map((name) => `${ana.id}/${randomUUID()}/${name}.gif`)
  const [gone = '', absent = '', kept = ''] = names
  await insert('supabase', names)
  for (const name of [gone, kept]) expect((await object(name, 'POST')).status).toBe(200)
  await giveUp([gone, absent])
  expect(await (await cleanUp()).json()).toEqual({ success: true, done: 2, failed: 0, continues: 0 })
  expect(await states([gone, absent])).toEqual(['gone'])
  expect((await object(gone, 'GET')).status).not.toBe(200)
  expect((await object(kept, 'GET')).status).toBe(200)
})

test('what lies beside a file of ours, and what has come again, is found and destroyed as what it is', async () => {
  const [shown = '', gone = '', kept = ''] = await upload(3)
  await giveUp([gone])
  await ground.drain('cloudinary-cleanup', 'media_cleanup')
  expect(await states([gone])).toEqual(['gone'])
  await uploadOne(gone)
  // The same place by the same signature, which does not hold as what.
  await uploadOne(shown, 'raw')
  const foreign = `parley/${randomUUID()}`
  await uploadOne(foreign)

  await ground.owner.query('select private.compare_files()')
  await ground.fail('cloudinary', { operation: 'resources', status: 500 })
  expect(await (await cleanUp()).json()).toMatchObject({ done: 0, failed: 1 })
  await ground.drain('cloudinary-cleanup', 'media_cleanup')
  expect(await ground.counts('media_cleanup')).toEqual({ left: 0, archived: 0 })
  const { resources } = await ground.sandbox.look('/cloudinary')
  expect(
    resources.map(({ public_id, resource_type }: Record<string, string>) => `${resource_type} ${public_id}`).sort(),
  ).toEqual([shown, kept, foreign].map((id) => `image ${id}`).sort())
  expect(await states([gone])).toEqual(['gone'])
  expect((await states([shown])).sort()).toEqual(['attached', 'gone'])
})

test('what lies in Storage and is nobody’s goes after a day, and nothing that is somebody’s or new', async () => {
  const names = ['shown', 'pending', 'again', 'stray', 'new'].map((name) => `uploads/${randomUUID()}/${name}.gif`)
  const [shown = '', pending = '', again = '', stray = '', young = ''] = names
  await insert('supabase', [shown, again])
  await ground.owner.query(
    `insert into public.media_assets
       (provider, public_id, resource_type, file_name, declared_mime_type, declared_size_bytes, owner_id)
     values ('supabase', $1, 'image', 'a.gif', 'image/gif', 1, $2)`,
    [pending, ana.id],
  )
  await giveUp([again])
  await ground.drain('cloudinary-cleanup', 'media_cleanup')
  for (const name of names) expect((await object(name, 'POST')).status).toBe(200)
  await ground.owner.query(
    `update storage.objects set created_at = now() - interval '25 hours' where name = any ($1) and name <> $2`,
    [names, young],
  )

  await ground.owner.query('select private.give_up_stray_objects()')
  expect(await states([again, stray])).toEqual(['delete_requested'])
  expect(await ground.counts('media_cleanup')).toEqual({ left: 2, archived: 0 })
  await ground.drain('cloudinary-cleanup', 'media_cleanup')
  expect(await states([again, stray])).toEqual(['gone'])
  const there = await Promise.all(names.map(async (name) => [name, (await object(name, 'GET')).ok]))
  expect(there.flatMap(([name, isThere]) => (isThere ? [name] : []))).toEqual([shown, pending, young])
  // Nobody is asked for what is not there any more.
  await ground.owner.query('select private.give_up_stray_objects()')
  expect(await ground.counts('media_cleanup')).toEqual({ left: 0, archived: 0 })
  expect((await states([shown, pending])).sort()).toEqual(['attached', 'pending'])
})

test('reconciling shows what Cloudinary has and nobody knows, and the reverse, page by page', async () => {
  const known = await upload(2)
  const strays = await upload(2)
  const lost = Array.from({ length: 250 }, () => `parley/${roomId}/${randomUUID()}`)
  await insert('cloudinary', lost)
  await giveUp(strays)
  await ground.owner.query(`update public.media_assets set state = 'gone' where public_id = any ($1)`, [strays])

  const unknown: string[] = []
  const missing: string[] = []
  let pages = 0
  for (let page: string | null = 'image:'; page; pages++) {
    const response: Response = await cleanUp({ mode: 'reconcile', page })
    expect(response.status).toBe(200)
    const report = (await response.json()) as {
      unknown: { public_id: string }[]
      missing: { public_id: string }[]
      next: string | null
    }
    unknown.push(...report.unknown.map(({ public_id }) => public_id))
    missing.push(...report.missing.map(({ public_id }) => public_id))
    page = report.next
  }
  expect(pages).toBeGreaterThan(1)
  expect(unknown.sort()).toEqual(strays.sort())
  expect(missing.filter((id) => lost.includes(id)).sort()).toEqual(lost.sort())
  expect(missing.filter((id) => known.includes(id))).toEqual([])
  expect((await cleanUp({ mode: 'reconcile', page: 'elsewhere:' })).status).toBe(400)
})
