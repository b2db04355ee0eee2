import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { demoGuest, demoPeople } from '../../src/commands/demo-people.ts'
import { listen } from '../support/channels.ts'
import { connect, type Person, signUp } from '../support/people.ts'

interface Stay {
  stay_id: string
  room_id: string
  code: string
}

interface Room {
  id: string
  topic: string
  type: string
}

/** Somebody with a phone and no account. */
async function stranger(): Promise<Person> {
  const client = connect()
  const { data, error } = await client.auth.signInAnonymously()
  if (error || !data.user) throw error ?? new Error('Nobody was signed in.')
  return { id: data.user.id, email: '', client }
}

/** A hotel of its own, and who runs it. */
async function hotel(): Promise<{ ana: Person; id: string; slug: string }> {
  const ana = await signUp('Ana')
  const slug = `hotel-${randomUUID()}`
  const { data } = await ana.client.rpc('create_organization', { p_name: 'Grand', p_slug: slug }).throwOnError()
  return { ana, slug, id: (data as unknown as { id: string }).id }
}

async function checkIn(staff: Person, hotelId: string, number: string): Promise<Stay> {
  const { data } = await staff.client
    .rpc('check_in_guest', { p_organization_id: hotelId, p_room_number: number, p_guest_name: 'Maria Lopez' })
    .throwOnError()
  return data as unknown as Stay
}

const join = (guest: Person, slug: string, number: string, code: string) =>
  guest.client.rpc('join_as_guest', { p_hotel_slug: slug, p_room_number: number, p_code: code })

const send = (from: Person, roomId: string, content: string) =>
  from.client.rpc('send_message', { p_room_id: roomId, p_content: content })

test('hotel.guest: a stay, from check-in to check-out', async () => {
  const { ana, id, slug } = await hotel()
  const ben = await signUp('Ben')
  await ana.client
    .rpc('add_organization_member', { p_organization_id: id, p_user_id: ben.id, p_role: 'staff' })
    .throwOnError()
  const stay = await checkIn(ana, id, '101')
  expect(
    await ben.client.rpc('check_in_guest', { p_organization_id: id, p_room_number: '101', p_guest_name: 'Nina' }),
  ).toMatchObject({ status: 409, error: { code: 'PT409', details: 'room_occupied' } })

  const maria = await stranger()
  const joined = await join(maria, slug, '101', stay.code).throwOnError()
  const room = joined.data as unknown as Room
  expect(room).toMatchObject({ id: stay.room_id, type: 'guest', room_number: '101' })

  // The guest and staff who have never opened the room, live.
  const [hers, his] = [await listen(maria, room.topic), await listen(ben, room.topic)]
  await send(maria, room.id, 'Towels, please').throwOnError()
  expect(await his.next('new-message')).toMatchObject({
    message: { content: 'Towels, please', sender: { first_name: 'Maria Lopez' } },
  })
  await send(ben, room.id, 'On their way').throwOnError()
  await hers.next('new-message')
  expect(await hers.next('new-message')).toMatchObject({ message: { content: 'On their way' } })

  // The same phone, opened again.
  expect(await join(maria, slug, '101', stay.code)).toMatchObject({ status: 200, data: { id: room.id } })

  await ana.client.rpc('check_out_guest', { p_stay_id: stay.stay_id }).throwOnError()
  expect(await send(maria, room.id, 'Wait!')).toMatchObject({ status: 403, error: { details: 'not_a_member' } })
  expect(await maria.client.rpc('get_messages', { p_room_id: room.id })).toMatchObject({ status: 403 })
  expect((await maria.client.from('chat_messages').select()).data).toEqual([])
  await maria.client.removeChannel(hers.channel)
  await expect(listen(maria, room.topic)).rejects.toThrow('You do not have permissions')
  expect(await join(maria, slug, '101', stay.code)).toMatchObject({ status: 403, error: { details: 'wrong_code' } })

  // The next guest of the same hotel room; the hotel keeps what the last one wrote.
  const next = await checkIn(ana, id, '101')
  const nina = await stranger()
  await join(nina, slug, '101', next.code).throwOnError()
  expect((await nina.client.rpc('get_messages', { p_room_id: next.room_id })).data).toEqual([])
  expect((await ben.client.rpc('get_messages', { p_room_id: room.id })).data).toHaveLength(2)
})

test('hotel.guest: wrong codes are an error to supabase-js, and count', async () => {
  const { ana, id, slug } = await hotel()
  const stay = await checkIn(ana, id, '101')
  const mallory = await stranger()
  for (let attempt = 0; attempt < 5; attempt++) {
    expect(await join(mallory, slug, '101', 'AAAAAAAAAA')).toMatchObject({
      status: 403,
      data: null,
      error: { code: 'PT403', details: 'wrong_code', hint: null, message: expect.any(String) },
    })
  }
  const { error, status } = await join(mallory, slug, '101', stay.code)
  expect({ status, details: error?.details }).toEqual({ status: 429, details: 'too_many_requests' })
  expect(Number(error?.hint)).toBeGreaterThan(14 * 60)
  expect(Number(error?.hint)).toBeLessThanOrEqual(15 * 60)

  // Somebody else is not held up by that.
  expect(await join(await stranger(), slug, '101', stay.code)).toMatchObject({ status: 200 })
})

test('hotel.guest: of 40 codes tried at once by one caller, five are looked at', async () => {
  const { ana, id, slug } = await hotel()
  await checkIn(ana, id, '101')
  const mallory = await stranger()
  const answers = await Promise.all(Array.from({ length: 40 }, () => join(mallory, slug, '101', 'AAAAAAAAAA')))
  const statuses = answers.map(({ status }) => status)
  expect(statuses.filter((status) => status === 403)).toHaveLength(5)
  expect(statuses.filter((status) => status === 429)).toHaveLength(35)
})

test('hotel.guest: of two phones that use a code at the same moment, one is in', async () => {
  const { ana, id, slug } = await hotel()
  for (const number of ['101', '102', '103']) {
    const stay = await checkIn(ana, id, number)
    const phones = [await stranger(), await stranger()]
    const answers = await Promise.all(phones.map((phone) => join(phone, slug, number, stay.code)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403])
  }
})

test('hotel.guest: of two receptionists who check in at the same moment, one gets the room', async () => {
  const { ana, id } = await hotel()
  const answers = await Promise.all(
    ['Maria', 'Nina', 'Olga'].map((name) =>
      ana.client.rpc('check_in_guest', { p_organization_id: id, p_room_number: '101', p_guest_name: name }),
    ),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409])
  const { data } = await ana.client.from('chat_rooms').select('title').throwOnError()
  expect(data).toHaveLength(1)
})

test('whoever is removed from the hotel hears its guests no longer', async () => {
  const { ana, id, slug } = await hotel()
  const ben = await signUp('Ben')
  await ana.client
    .rpc('add_organization_member', { p_organization_id: id, p_user_id: ben.id, p_role: 'staff' })
    .throwOnError()
  const stay = await checkIn(ana, id, '101')
  const maria = await stranger()
  const room = (await join(maria, slug, '101', stay.code).throwOnError()).data as unknown as Room
  const his = await listen(ben, room.topic)
  await send(maria, room.id, 'before').throwOnError()
  await his.next('new-message')

  await ana.client.rpc('remove_organization_member', { p_organization_id: id, p_user_id: ben.id }).throwOnError()
  const { data } = await maria.client.from('chat_rooms').select('topic').single().throwOnError()
  expect(data.topic).not.toBe(room.topic)
  const hers = await listen(maria, data.topic as string)
  await send(ana, room.id, 'after').throwOnError()
  expect(await hers.next('new-message')).toMatchObject({ message: { content: 'after' } })
  expect(JSON.stringify(his.heard)).not.toContain('after')
  expect(await send(ben, room.id, 'still here')).toMatchObject({ status: 403, error: { details: 'not_a_member' } })
})

test("the demo hotel's guest comes in with the code of the seed", async () => {
  const maria = await stranger()
  const room = (
    await join(maria, demoGuest.hotelSlug, demoGuest.roomNumber, demoGuest.code.toLowerCase()).throwOnError()
  ).data as unknown as Room
  const { data } = await maria.client.rpc('get_messages', { p_room_id: room.id }).throwOnError()
  expect(data).toMatchObject([{ content: 'Welcome, Maria! Write here whenever you need something.' }])

  const chloe = connect()
  await chloe.auth.signInWithPassword({ email: 'chloe@grand-hotel.example', password: demoPeople.password })
  const rooms = await chloe.from('chat_rooms').select('title, last_seq').order('title').throwOnError()
  expect(rooms.data).toEqual([
    { title: 'Front desk', last_seq: 3 },
    { title: 'Maria Lopez', last_seq: 1 },
  ])
})
