import pg from 'pg'
import { expect, inject, test, vi } from 'vitest'
import { listen } from '../support/channels.ts'
import { connect, type Person, signUp } from '../support/people.ts'

async function chatOf(from: Person, to: Person): Promise<{ id: string; topic: string }> {
  const { data } = await from.client.rpc('start_direct_chat', { p_user_id: to.id }).throwOnError()
  return data as unknown as { id: string; topic: string }
}

const send = (from: Person, roomId: string, content: string) =>
  from.client.rpc('send_message', { p_room_id: roomId, p_content: content }).throwOnError()

/** Broadcasts from the database, as only the database may. Comes after whatever was committed before. */
async function announce(topic: string, event: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('stack').databaseUrl })
  await client.connect()
  await client.query(`select realtime.send('{}', $1, $2, true)`, [event, topic])
  await client.end()
}

test('rooms.live: a message reaches both members as it is committed, and no stranger', async () => {
  const [ana, ben, eve] = [await signUp('Ana'), await signUp('Ben'), await signUp('Eve')]
  const room = await chatOf(ana, ben)
  const [hers, his] = [await listen(ana, room.topic), await listen(ben, room.topic)]
  await expect(listen(eve, room.topic)).rejects.toThrow('You do not have permissions to read from this Channel topic')

  await send(ana, room.id, 'Hello Ben!')
  for (const listener of [hers, his]) {
    expect(await listener.next('new-message')).toMatchObject({
      room_id: room.id,
      message: { content: 'Hello Ben!', seq: 1, sender: { first_name: 'Ana' } },
    })
  }
})

test("a member's forged new-message reaches nobody, over the socket and over REST; their typing reaches the others", async () => {
  const [ana, ben] = [await signUp('Ana'), await signUp('Ben')]
  const room = await chatOf(ana, ben)
  const [hers, his] = [await listen(ana, room.topic), await listen(ben, room.topic)]
  const herself = await listen(ana, `user:${ana.id}`)
  const [herTyping, hisTyping] = [await listen(ana, `${room.topic}:typing`), await listen(ben, `${room.topic}:typing`)]

  const forged = { room_id: room.id, message: { content: 'forged' } }
  await his.channel.send({ type: 'broadcast', event: 'new-message', payload: forged })
  await expect(his.channel.httpSend('new-message', forged)).rejects.toThrow('Unauthorized')
  const typing = { user_id: ben.id, is_typing: true }
  const messages = [
    { topic: room.topic, event: 'new-message', payload: forged, private: true },
    { topic: `user:${ana.id}`, event: 'new-message', payload: forged, private: true },
    { topic: `${room.topic}:typing`, event: 'typing', payload: typing, private: true },
  ]
  const { data } = await ben.client.auth.getSession()
  const response = await fetch(`${inject('stack').url}/realtime/v1/api/broadcast`, {
    method: 'POST',
    headers: {
      apikey: inject('stack').publishableKey,
      authorization: `Bearer ${data.session?.access_token}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ messages }),
  })
  expect(response.status).toBe(202)
  expect(await herTyping.next('typing')).toEqual(typing)
  expect(await hisTyping.next('typing')).toEqual(typing)

  // Comes after the forged ones, had they come.
  await send(ana, room.id, 'real')
  await announce(`user:${ana.id}`, 'marker')
  await Promise.all([hers.next('new-message'), his.next('new-message'), herself.next('marker')])
  expect(JSON.stringify([hers.heard, his.heard, herself.heard])).not.toContain('forged')
})

test('a removed member who keeps the socket open hears nothing that is sent afterwards', async () => {
  const [ana, ben] = [await signUp('Ana'), await signUp('Ben')]
  const room = await chatOf(ana, ben)
  const [hers, herself] = [await listen(ana, room.topic), await listen(ana, `user:${ana.id}`)]
  const [his, himself] = [await listen(ben, room.topic), await listen(ben, `user:${ben.id}`)]
  const hisTyping = await listen(ben, `${room.topic}:typing`)
  // Those who are online are told where the room has moved; others find its topic when they come.
  for (const { client } of [ana, ben]) await client.rpc('heartbeat').throwOnError()
  await send(ana, room.id, 'before')
  await Promise.all([hers.next('new-message'), his.next('new-message')])

  const service = connect(inject('stack').secretKey)
  await service.from('chat_room_members').delete().match({ room_id: room.id, user_id: ben.id }).throwOnError()
  const moved = await herself.next('room-topic')
  expect(moved).toMatchObject({ room_id: room.id, topic: `${room.topic}:1` })
  const there = await listen(ana, moved.topic as string)
  const typingThere = await listen(ana, `${moved.topic}:typing`)
  for (const topic of [moved.topic, `${moved.topic}:typing`]) {
    await expect(listen(ben, topic as string)).rejects.toThrow('You do not have permissions')
  }

  await send(ana, room.id, 'after')
  expect(await there.next('new-message')).toMatchObject({ message: { content: 'after' } })
  await typingThere.channel.send({ type: 'broadcast', event: 'typing', payload: { user_id: ana.id, is_typing: true } })
  await announce(`user:${ben.id}`, 'marker')
  await himself.next('marker')
  expect(his.heard.map(({ payload }) => payload.message)).toEqual([expect.objectContaining({ content: 'before' })])
  expect(JSON.stringify(himself.heard)).toContain('before')
  expect(JSON.stringify(himself.heard)).not.toContain('after')
  expect(hisTyping.heard).toEqual([])
})

test('whoever is online hears of a message without having joined its room, and whoever is not does not', async () => {
  const [ana, ben, eve] = [await signUp('Ana'), await signUp('Ben'), await signUp('Eve')]
  const room = await chatOf(ana, ben)
  const [himself, stranger] = [await listen(ben, `user:${ben.id}`), await listen(eve, `user:${eve.id}`)]
  await send(ana, room.id, 'while he is away')
  for (const { client } of [ben, eve]) await client.rpc('heartbeat').throwOnError()
  await send(ana, room.id, 'Hello Ben!')
  expect(await himself.next('new-message')).toMatchObject({ room_id: room.id, message: { content: 'Hello Ben!' } })
  await announce(`user:${eve.id}`, 'marker')
  await stranger.next('marker')
  expect(stranger.heard.map(({ event }) => event)).toEqual(['marker'])
})

test('two people see who of them is there, on how many devices, and who goes', async () => {
  const [ana, ben] = [await signUp('Ana'), await signUp('Ben')]
  const room = await chatOf(ana, ben)
  const [hers, his] = [await listen(ana, room.topic), await listen(ben, room.topic)]
  expect(await his.channel.track({ device: 'phone' })).toBe('ok')
  expect(await hers.channel.track({ device: 'desk' })).toBe('ok')
  const both = { [ana.id]: [{ device: 'desk' }], [ben.id]: [{ device: 'phone' }] }
  for (const { channel } of [hers, his]) {
    await vi.waitFor(() => expect(channel.presenceState()).toMatchObject(both), { timeout: 10_000 })
  }

  const tablet = { ...ben, client: connect() }
  const { data } = await ben.client.auth.getSession()
  await tablet.client.realtime.setAuth(data.session?.access_token ?? null)
  const there = await listen(tablet, room.topic)
  await there.channel.track({ device: 'tablet' })
  const devices = () => hers.channel.presenceState<{ device: string }>()[ben.id]?.map(({ device }) => device)
  await vi.waitFor(() => expect(devices()?.toSorted()).toEqual(['phone', 'tablet']), { timeout: 10_000 })

  // The telephone's connection is cut, without a goodbye.
  await ben.client.realtime.disconnect()
  await vi.waitFor(() => expect(devices()).toEqual(['tablet']), { timeout: 10_000 })
  await tablet.client.removeAllChannels()
  await vi.waitFor(() => expect(Object.keys(hers.channel.presenceState())).toEqual([ana.id]), { timeout: 10_000 })
})

test('members see each other typing, and strangers do not', async () => {
  const [ana, ben, eve] = [await signUp('Ana'), await signUp('Ben'), await signUp('Eve')]
  const room = await chatOf(ana, ben)
  const topic = `${room.topic}:typing`
  const [hers, his] = [await listen(ana, topic), await listen(ben, topic)]
  await expect(listen(eve, topic)).rejects.toThrow('You do not have permissions to read from this Channel topic')
  for (const is_typing of [true, false]) {
    await his.channel.send({ type: 'broadcast', event: 'typing', payload: { user_id: ben.id, is_typing } })
    expect(await hers.next('typing')).toEqual({ user_id: ben.id, is_typing })
  }
})

test("one person's topic is closed to others", async () => {
  const [ana, ben] = [await signUp('Ana'), await signUp('Ben')]
  await chatOf(ana, ben)
  await listen(ana, `user:${ana.id}`)
  await expect(listen(ben, `user:${ana.id}`)).rejects.toThrow('You do not have permissions')
})
