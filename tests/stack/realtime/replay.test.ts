import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { RawClient } from './raw-client.ts'
import { keys, type Served, serve } from './serve.ts'

let served: Served
/** Hears everything on its topic: what the stream tells of comes in the order of the commits. */
let marker: RawClient

beforeAll(async () => {
  served = await serve()
})
beforeEach(async () => {
  await served.adminSql('truncate realtime.messages')
  marker = await served.raw()
  await marker.join('realtime:marker')
})
afterAll(() => served.close())

const den = 'realtime:den'

/** Joins as the service, which may read everything. */
async function join(replay: unknown, isPrivate = true) {
  const client = await served.raw(`vsn=2.0.0&apikey=${keys.secret}`)
  const response = await client.join(den, { private: isPrivate, broadcast: { replay } })
  return { client, response }
}

/** Returns once the stream has told of it: what comes to a channel that is joined later was replayed. */
async function insert(event: string, secondsAgo: number, more = { private: true, extension: 'broadcast' }) {
  await served.sql(
    `insert into realtime.messages (topic, extension, event, private, payload, inserted_at)
     values ('den', $1, $2, $3, '{"n": 1}', now() at time zone 'utc' - make_interval(secs => $4))`,
    [more.extension, event, more.private, secondsAgo],
  )
  await served.sql(`select realtime.send('{}', 'mark', 'marker', false)`)
  await marker.next()
}

const minuteAgo = () => Date.now() - 60_000
const events = (frames: unknown[]) => (frames as unknown[][]).map((frame) => (frame[4] as { event: string }).event)

test('what was broadcast since then is replayed, oldest first, and said to be', async () => {
  await insert('second', 10)
  await insert('first', 20)
  await insert('too old', 90)
  await insert('public', 10, { private: false, extension: 'broadcast' })
  await insert('presence', 10, { private: true, extension: 'presence' })
  const { client } = await join({ since: minuteAgo() })
  const frames = await client.settled()
  expect(events(frames)).toEqual(['first', 'second'])
  expect(frames[0]).toEqual([
    `join-${den}`,
    null,
    den,
    'broadcast',
    { type: 'broadcast', event: 'first', payload: { n: 1 }, meta: { replayed: true, id: expect.any(String) } },
  ])
})

test('the newest are replayed when there are more than the limit', async () => {
  for (const seconds of [30, 20, 10]) await insert(`${seconds}`, seconds)
  expect(events(await (await join({ since: minuteAgo(), limit: 2 })).client.settled())).toEqual(['20', '10'])
})

test('never more than 25', async () => {
  for (let i = 0; i < 26; i += 1) await insert(`${i}`, 30 - i)
  expect(await (await join({ since: minuteAgo(), limit: 1000 })).client.settled()).toHaveLength(25)
})

test('bytes are replayed as bytes', async () => {
  await served.sql(`select realtime.send_binary('\\xdead', 'hi', 'den', true)`)
  const frame = (await (await join({ since: minuteAgo() })).client.next()) as Buffer
  expect(frame.toString('latin1')).toContain('hi{"replayed":true,"id":"')
  expect(frame.subarray(-2)).toEqual(Buffer.from([0xde, 0xad]))
})

test('what is replayed does not come a second time from the stream', async () => {
  await served.sql(`select realtime.send('{}', 'before', 'den', true)`)
  const { client } = await join({ since: minuteAgo() })
  await served.sql(`select realtime.send('{}', 'after', 'den', true)`)
  expect(await client.next()).toMatchObject({ 4: { event: 'before' } })
  expect(String(await client.next())).toContain('after')
})

test.each([
  [{ limit: 5 }, 'Replay params are not valid'],
  [{ since: 'yesterday' }, 'Replay params are not valid'],
  [{ since: 0, limit: 'all' }, 'Replay params are not valid'],
  ['everything', 'Replay params are not valid'],
  [{ since: 9e15 * 1000 }, 'Realtime was unable to replay messages'],
])('%j cannot be replayed', async (replay, reason) => {
  const { response } = await join(replay)
  expect(response).toEqual({ status: 'error', response: { reason: `UnableToReplayMessages: ${reason}` } })
})

test('a public channel replays nothing', async () => {
  expect((await join({ since: 0 }, false)).response).toMatchObject({
    response: { reason: 'UnableToReplayMessages: Replay is not allowed for public channels' },
  })
})
