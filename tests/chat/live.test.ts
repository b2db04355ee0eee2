import pg from 'pg'
import { afterEach, expect, inject, test, vi } from 'vitest'
import { listen } from '../support/channels.ts'
import { connect, type Person, signUp } from '../support/people.ts'

const people: Person[] = []

afterEach(async () => {
  for (const { client } of people.splice(0)) await client.removeAllChannels()
})

async function person(name: string): Promise<Person> {
  const one = await signUp(name)
  people.push(one)
  return one
}

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
  const [ana, ben, eve] = [await person('Ana'), await person('Ben'), await person('Eve')]
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

test("a member's forged new-message reaches nobody, over the socket and over REST", async () => {
  const [ana, ben] = [await person('Ana'), await person('Ben')]
  const room = await chatOf(ana, ben)
  const [hers, his] = [await listen(ana, room.topic), await listen(ben, room.topic)]

  const forged = { room_id: room.id, message: { content: 'forged' } }
  await his.channel.send({ type: 'broadcast', event: 'new-message', payload: forged })
  const { data } = await ben.client.auth.getSession()
  const response = await fetch(`${inject('stack').url}/realtime/v1/api/broadcast`, {
    method: 'POST',
    headers: {
      apikey: inject('stack').publishableKey,
      authorization: `Bearer ${data.session?.access_token}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ messages: [{ topic: room.topic, event: 'new-message', payload: forged, private: true }] }),
  })
  expect(response.status).toBe(202)

  // Comes after the forged ones, had they come.
  await send(ana, room.id, 'real')
  await hers.next('new-message')
  await his.next('new-message')
  expect(JSON.stringify([hers.heard, his.heard])).not.toContain('forged')
})

test('a removed member who keeps the socket open hears nothing that is sent afterwards', async () => {
  const [ana, ben] = [await person('Ana'), await person('Ben')]
  const room = await chatOf(ana, ben)
  const [hers, herself] = [await listen(ana, room.topic), await listen(ana, `user:${ana.id}`)]
  const [his, himself] = [await listen(ben, room.topic), await listen(ben, `user:${ben.id}`)]
  await send(ana, room.id, 'before')
  await Promise.all([hers.next('new-message'), his.next('new-message')])

  const service = connect(inject('stack').secretKey)
  await service.from('chat_room_members').delete().match({ room_id: room.id, user_id: ben.id }).throwOnError()
  const moved = await herself.next('room-topic')
  expect(moved).toMatchObject({ room_id: room.id, topic: `${room.topic}:1` })
  const there = await listen(ana, moved.topic as string)
  await expect(listen(ben, moved.topic as string)).rejects.toThrow('You do not have permissions')

  await send(ana, room.id, 'after')
  expect(await there.next('new-message')).toMatchObject({ message: { content: 'after' } })
  await announce(`user:${ben.id}`, 'marker')
  await himself.next('marker')
  expect(his.heard.map(({ payload }) => payload.message)).toEqual([expect.objectContaining({ content: 'before' })])
  expect(JSON.stringify(himself.heard)).not.toContain('after')
})

test('members see each other present and typing', async () => {
  const [ana, ben] = [await person('Ana'), await person('Ben')]
  const room = await chatOf(ana, ben)
  const [hers, his] = [await listen(ana, room.topic), await listen(ben, room.topic)]
  await his.channel.track({ device: 'phone' })
  await vi.waitFor(() => expect(hers.channel.presenceState()).toHaveProperty(ben.id))

  const [herTyping, hisTyping] = [await listen(ana, `${room.topic}:typing`), await listen(ben, `${room.topic}:typing`)]
  await hisTyping.channel.send({ type: 'broadcast', event: 'typing', payload: { user_id: ben.id, is_typing: true } })
  expect(await herTyping.next('typing')).toEqual({ user_id: ben.id, is_typing: true })

  await ben.client.removeAllChannels()
  await vi.waitFor(() => expect(hers.channel.presenceState()).not.toHaveProperty(ben.id))
})

test("one person's topic is closed to others", async () => {
  const [ana, ben] = [await person('Ana'), await person('Ben')]
  await chatOf(ana, ben)
  await expect(listen(ben, `user:${ana.id}`)).rejects.toThrow('You do not have permissions')
})
