import type { FeedEvent } from './feed.ts'
import type { Message } from './messages.ts'

/** An event as the rooms' front end knows it, `{type, data}`, or nothing where it knows none. */
export function roomEvent({ name, payload }: FeedEvent, roomId: string): object | undefined {
  const { room_id: room = roomId, message } = payload
  if (room !== roomId) return undefined
  switch (name) {
    case 'new-message':
    case 'message-restored':
      return { type: 'new_message', data: toMessage(message as Message) }
    case 'typing':
      return { type: 'typing', data: { room, user_id: payload.user_id, is_typing: payload.is_typing } }
    case 'messages-seen':
      return { type: 'message_read', data: { room, ...payload.seen_by, message_ids: payload.message_ids } }
    case 'user-status': {
      const { user_id, status, last_seen } = payload
      return { type: 'user_status', data: { user_id, status, last_seen } }
    }
    default:
      return undefined
  }
}

function toMessage({ id, room_id: room, sender, content, created_at }: Message) {
  return { id, room, sender, content, created_at, is_read: false }
}
