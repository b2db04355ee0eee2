import { expect, test } from 'vitest'
import { signUp } from '../support/people.ts'
import { call } from './http.ts'

test('rooms.direct, rooms.send, rooms.messages, rooms.list', async () => {
  const [john, jane] = await Promise.all([signUp('John'), signUp('Jane')])
  const { status, body: room } = await call(john, 'POST', '/api/chat/rooms/create_direct_chat/', { user_id: jane.id })
  expect({ status, room }).toMatchObject({
    status: 200,
    room: { type: 'direct', name: 'Jane', last_message: null, unread_count: 0 },
  })
  const again = await call(jane, 'POST', '/api/chat/rooms/create_direct_chat/', { user_id: john.id })
  expect(again.body.id).toBe(room.id)

  const sent = await call(john, 'POST', '/api/chat/messages/', { room: room.id, content: 'Hello there!' })
  expect(sent).toMatchObject({
    status: 201,
    body: { room: room.id, sender: { id: john.id, first_name: 'John' }, content: 'Hello there!', is_read: false },
  })
  await call(john, 'POST', '/api/chat/messages/', { room: room.id, content: 'How are you?' })

  const { body } = await call(jane, 'GET', `/api/chat/messages/?room_id=${room.id}`)
  expect(body.results.map(({ content }: { content: string }) => content)).toEqual(['Hello there!', 'How are you?'])
  const { body: list } = await call(jane, 'GET', '/api/chat/rooms/')
  expect(list.results).toMatchObject([
    { id: room.id, unread_count: 2, last_message: { content: 'How are you?', is_read: false } },
  ])
})

test('messages without a room, without a token, with a wrong method, at no address', async () => {
  const john = await signUp('John')
  expect(await call(john, 'GET', '/api/chat/messages/')).toMatchObject({
    status: 400,
    body: { success: false, error: 'invalid_input', fields: { room_id: expect.any(String) } },
  })
  expect(await call(undefined, 'GET', '/api/chat/rooms/')).toMatchObject({
    status: 401,
    body: { error: 'not_signed_in' },
  })
  const wrong = await call(john, 'PUT', '/api/chat/rooms/')
  expect(wrong).toMatchObject({ status: 405, body: { error: 'method_not_allowed' } })
  expect(wrong.headers.get('allow')).toBe('GET')
  expect(await call(john, 'GET', '/api/chat/nothing/')).toMatchObject({ status: 404, body: { error: 'not_found' } })
})
