import { deepStrictEqual as equal } from 'node:assert'
import { notificationFor, type PushedMessage } from './notification.ts'

const message: PushedMessage = {
  id: '01940000-0000-7000-8000-000000000001',
  room_id: '01940000-0000-7000-8000-000000000002',
  room_type: 'group',
  room_name: 'Reception',
  sender_id: '01940000-0000-7000-8000-000000000003',
  sender_name: 'Ana',
  preview: 'The taxi is here',
  file_count: 0,
}
const device = { device_id: '1', user_id: '2', target: 'token', show_preview: true }

function wording(changes: Partial<PushedMessage>, show_preview = true): string {
  const { notification } = notificationFor({ ...message, ...changes }, { ...device, show_preview }, 3)
  return `${notification?.title} | ${notification?.body}`
}

Deno.test('staff.push: group name, sender, preview', () => {
  equal(wording({}), 'Reception | Ana: The taxi is here')
  equal(wording({ room_name: null }), 'Ana | Ana: The taxi is here')
  equal(wording({ room_type: 'guest', room_name: 'Room 12' }), 'Room 12 | Ana: The taxi is here')
  equal(wording({ room_type: 'direct', room_name: null }), 'Ana | The taxi is here')
  equal(wording({ sender_id: null, sender_name: null }), 'Reception | Somebody: The taxi is here')
})

Deno.test('staff.push: files are counted where there is no text', () => {
  equal(wording({ preview: null, file_count: 1 }), 'Reception | Ana: Sent a file')
  equal(wording({ preview: null, file_count: 3 }), 'Reception | Ana: Sent 3 files')
})

Deno.test('staff.push: nothing of it where no preview is wanted, or none can be', () => {
  equal(wording({}, false), 'Reception | Ana: New message')
  equal(wording({ preview: null, file_count: 2 }, false), 'Reception | Ana: New message')
  equal(wording({ preview: null }), 'Reception | Ana: New message')
})

Deno.test('staff.push: every platform replaces by message and counts what is unread; iOS groups by room', () => {
  const { android, apns, webpush, data, token } = notificationFor(message, device, 3)
  equal(token, 'token')
  equal(data, {
    type: 'new-message',
    room_id: message.room_id,
    room_type: 'group',
    message_id: message.id,
    sender_id: message.sender_id,
  })
  equal(android?.notification?.tag, message.id)
  equal(android?.notification?.notificationCount, 3)
  equal(apns?.headers?.['apns-collapse-id'], message.id)
  equal(apns?.payload?.aps.threadId, message.room_id)
  equal(apns?.payload?.aps.badge, 3)
  equal(webpush?.notification?.tag, message.id)
  equal(webpush?.headers?.Topic, '01940000000070008000000000000001')
})
