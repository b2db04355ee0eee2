import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { png } from '../stack/sandbox/images.ts'
import { listen } from '../support/channels.ts'
import { chatOf, groupOf } from '../support/chats.ts'
import { callFunction, upload } from '../support/files.ts'
import { type Person, signUp } from '../support/people.ts'

const picture = png(640, 480)

let ana: Person
let ben: Person
let eve: Person

beforeAll(async () => {
  ;[ana, ben, eve] = await Promise.all([signUp('Ana'), signUp('Ben'), signUp('Eve')])
})

async function send(who: Person, roomId: string, content: string, ...attachmentIds: string[]): Promise<string> {
  const { data } = await who.client
    .rpc('send_message', { p_room_id: roomId, p_content: content, p_attachment_ids: attachmentIds })
    .throwOnError()
  return (data as { message_id: string }).message_id
}

const forward = (who: Person | null, messageId: string, ...roomIds: string[]) =>
  callFunction(who, 'forward-message', { message_id: messageId, target_room_ids: roomIds })

async function contents(who: Person, roomId: string) {
  const { data } = await who.client.from('chat_messages').select('content').eq('room_id', roomId).throwOnError()
  return data.map(({ content }) => content).filter((content) => content?.startsWith('look'))
}

test('mobile.forward: text and files to several chats at once, with links, and live in each', async () => {
  const lounge = await groupOf('Lounge', ana, ben)
  const [pool, spa] = [await groupOf('Pool', ben, eve), await groupOf('Spa', ben, eve)]
  const original = await send(ana, lounge, 'look', await upload(ana, lounge, 'sea.png', 'image/png', picture))
  const heard = await listen(eve, `room:${pool}`)

  const { status, body } = await forward(ben, original, pool, spa)
  expect(status).toBe(200)
  const copy = (roomId: string) => ({
    id: expect.stringMatching(/^[\w-]{36}$/),
    room_id: roomId,
    sender_id: ben.id,
    content: 'look',
    forwarded_from: original,
    created_at: expect.stringMatching(/Z$|\+00:00$/),
    attachments: [{ file_name: 'sea.png', url: expect.stringMatching(/^http/) }],
  })
  expect(body).toMatchObject({
    success: true,
    message: 'Message forwarded successfully',
    data: { original_message_id: original, forwarded_to: [pool, spa], forwarded_messages: [copy(pool), copy(spa)] },
  })
  const [{ attachments }] = body.data.forwarded_messages
  for (const url of [attachments[0].url, attachments[0].thumbnail_url]) {
    expect(Buffer.from(await (await fetch(url)).arrayBuffer())).toEqual(picture)
  }
  expect((await heard.next('new-message')).message).toMatchObject({ forwarded_from: original, content: 'look' })
  const { data } = await ana.client.from('chat_messages').select('forwarded_count').eq('id', original).single()
  expect(data).toEqual({ forwarded_count: 2 })
})

test('mobile.forward: to all of the chats or to none', async () => {
  const [mine, other, theirs] = [
    await groupOf('Mine', ana, ben),
    await groupOf('Other', ana, ben),
    await groupOf('Theirs', eve, ben),
  ]
  const original = await send(ana, mine, 'look here')
  expect(await forward(ana, original, other, theirs)).toMatchObject({
    status: 403,
    body: { success: false, error: 'not_a_member' },
  })
  expect(await contents(ana, other)).toEqual([])
  expect(await forward(ana, original, other, randomUUID())).toMatchObject({
    status: 404,
    body: { error: 'room_not_found' },
  })
  expect(await contents(ana, other)).toEqual([])
  expect((await forward(ana, original, other)).status).toBe(200)
  expect(await contents(ana, other)).toEqual(['look here'])
})

test('mobile.forward: what is refused', async () => {
  const room = await groupOf('Room', ana, ben)
  const theirs = await groupOf('Theirs', eve)
  const original = await send(ana, room, 'look')
  const secret = await send(eve, theirs, 'secret')
  const direct = await chatOf(ana, eve)
  await eve.client.rpc('block_user', { p_user_id: ana.id }).throwOnError()
  const gone = await send(ana, room, 'look away')
  await ana.client.rpc('delete_message', { p_message_id: gone }).throwOnError()

  for (const [who, messageId, rooms, status, error] of [
    [null, original, [room], 401, 'not_signed_in'],
    [eve, original, [theirs], 403, 'not_a_member'],
    [ana, secret, [room], 403, 'not_a_member'],
    [ana, randomUUID(), [room], 404, 'message_not_found'],
    [ana, original, [direct], 403, 'blocked'],
    [ana, gone, [room], 409, 'message_deleted'],
    [ana, original, [], 400, 'room_count_out_of_range'],
    [ana, original, Array.from({ length: 11 }, () => randomUUID()), 400, 'room_count_out_of_range'],
    [ana, 'msg_123', [room], 400, 'invalid_input'],
    [ana, original, ['room_456'], 400, 'invalid_input'],
  ] as const) {
    const answer = await forward(who, messageId, ...rooms)
    expect([error, answer.status, answer.body.success, answer.body.error]).toEqual([error, status, false, error])
  }
  expect(await contents(ana, room)).toEqual(['look'])
  expect(await callFunction(ana, 'forward-message')).toMatchObject({
    status: 405,
    body: { error: 'method_not_allowed' },
  })
})
