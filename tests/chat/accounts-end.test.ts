import { expect, inject, test } from 'vitest'
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
