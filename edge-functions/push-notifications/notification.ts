import type { TokenMessage } from 'firebase-admin/messaging'

/** A message that some devices are to show, as SQL tells it. */
export interface Delivery {
  message_id: string
  room_id: string
  room_type: 'direct' | 'group' | 'guest'
  room_name: string | null
  sender_id: string | null
  sender_name: string | null
  /** Null when encrypted, or when there are files alone. */
  preview: string | null
  file_count: number
  devices: Device[]
}

export interface Device {
  device_id: string
  target: string
  /** Everything that its owner has not read. */
  badge: number
  show_preview: boolean
}

const dayMs = 24 * 60 * 60 * 1000

/**
 * What one device shows. A repeat of the same message replaces the one that is shown: Android and browsers by the tag,
 * iOS by its collapse id.
 */
export function notificationFor(delivery: Delivery, device: Device): TokenMessage {
  const { message_id, room_id, room_type, sender_id } = delivery
  return {
    token: device.target,
    notification: wording(delivery, device),
    // Enough for the app to open the right chat at the right message.
    data: { type: 'new-message', room_id, room_type, message_id, ...(sender_id && { sender_id }) },
    android: {
      priority: 'high',
      ttl: dayMs,
      notification: { tag: message_id, channelId: 'messages', notificationCount: device.badge },
    },
    apns: {
      headers: {
        'apns-collapse-id': message_id,
        'apns-priority': '10',
        'apns-expiration': String(Math.floor((Date.now() + dayMs) / 1000)),
      },
      payload: { aps: { badge: device.badge, sound: 'default', threadId: room_id } },
    },
    webpush: {
      // At most 32 characters of base64url.
      headers: { TTL: String(dayMs / 1000), Urgency: 'high', Topic: message_id.replaceAll('-', '') },
      notification: { tag: message_id, data: { room_id, message_id, badge: device.badge } },
    },
  }
}

function wording(delivery: Delivery, device: Device): { title: string; body: string } {
  const sender = delivery.sender_name ?? 'Somebody'
  const text = device.show_preview ? (delivery.preview ?? describeFiles(delivery.file_count)) : 'New message'
  return delivery.room_type === 'direct'
    ? { title: sender, body: text }
    : { title: delivery.room_name ?? sender, body: `${sender}: ${text}` }
}

function describeFiles(count: number): string {
  if (count === 0) return 'New message'
  return count === 1 ? 'Sent a file' : `Sent ${count} files`
}
