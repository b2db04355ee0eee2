import type { TokenMessage } from 'firebase-admin/messaging'

/** A message as SQL tells the push function of it. */
export interface PushedMessage {
  id: string
  room_id: string
  room_type: 'direct' | 'group' | 'guest'
  room_name: string | null
  sender_id: string | null
  sender_name: string | null
  /** Null when encrypted, or when there are files alone. */
  preview: string | null
  file_count: number
}

export interface Device {
  device_id: string
  user_id: string
  target: string
  show_preview: boolean
}

const dayMs = 24 * 60 * 60 * 1000

/**
 * What one device shows. A repeat of the same message replaces the one that is shown: Android and browsers by the tag,
 * iOS by its collapse id. iOS groups by the room; Android groups an app's own by itself.
 *
 * @param badge everything that the device's owner has not read
 */
export function notificationFor(message: PushedMessage, device: Device, badge: number): TokenMessage {
  const { id, room_id, room_type, sender_id } = message
  return {
    token: device.target,
    notification: wording(message, device),
    // Enough for the app to open the right chat at the right message.
    data: { type: 'new-message', room_id, room_type, message_id: id, ...(sender_id && { sender_id }) },
    android: {
      priority: 'high',
      ttl: dayMs,
      notification: { tag: id, channelId: 'messages', notificationCount: badge },
    },
    apns: {
      headers: {
        'apns-collapse-id': id,
        'apns-priority': '10',
        'apns-expiration': String(Math.floor((Date.now() + dayMs) / 1000)),
      },
      payload: { aps: { badge, sound: 'default', threadId: room_id } },
    },
    webpush: {
      // At most 32 characters of base64url.
      headers: { TTL: String(dayMs / 1000), Urgency: 'high', Topic: id.replaceAll('-', '') },
      // A browser's `badge` is a picture: the number is for the page.
      notification: { tag: id, data: { room_id, message_id: id, badge } },
    },
  }
}

function wording(message: PushedMessage, device: Device): { title: string; body: string } {
  const sender = message.sender_name ?? 'Somebody'
  const text = device.show_preview ? (message.preview ?? describeFiles(message.file_count)) : 'New message'
  return message.room_type === 'direct'
    ? { title: sender, body: text }
    : { title: message.room_name ?? sender, body: `${sender}: ${text}` }
}

function describeFiles(count: number): string {
  if (count === 0) return 'New message'
  return count === 1 ? 'Sent a file' : `Sent ${count} files`
}
