import type { FeedEvent } from './feed.ts'
import type { Message } from './messages.ts'
import type { Client } from './project.ts'

/** An event as the messaging front end knows it, or nothing where it knows none. */
export async function messagingEvent(client: Client, { name, payload }: FeedEvent): Promise<object | undefined> {
  const { room_id: conversation_id, message } = payload
  switch (name) {
    case 'new-message':
    // It was taken off the screen.
    case 'message-restored':
      return { type: 'new_message', message: toMessage(message as Message) }
    case 'message-edited':
      return { type: 'message_edited', message: toMessage(message as Message) }
    case 'message-deleted':
      return { type: 'message_deleted', message_id: payload.message_id, conversation_id }
    case 'message-reaction': {
      const { message_id, user_id, emoji: reaction_type, action, reactions } = payload
      return {
        type: 'reaction_updated',
        reaction: { message_id, conversation_id, user_id, reaction_type, action, reactions },
      }
    }
    case 'messages-seen': {
      const { user_id, user_name, seen_at: read_at } = payload.seen_by ?? {}
      const message_id = payload.message_ids?.at(-1) ?? (await messageIdAt(client, conversation_id, payload.up_to_seq))
      return { type: 'read_receipt', read_receipt: { conversation_id, message_id, user_id, user_name, read_at } }
    }
    default:
      return undefined
  }
}

/** As `GET /api/messaging/conversations/{id}/` shows it. */
function toMessage({ room_id, metadata, ...message }: Message) {
  const content = message.content ?? metadata.file_key ?? null
  const { id, sender, message_type, reply_to, attachments, reactions, mentions } = message
  const { is_edited, edited_at, is_deleted, client_id, created_at } = message
  return {
    ...{ id, conversation_id: room_id, sender, content, message_type, reply_to, attachments, reactions, mentions },
    ...{ is_edited, edited_at, is_deleted, client_id, created_at },
  }
}

// Everything up to a message was read: this one and those before it.
async function messageIdAt(client: Client, roomId = '', seq = 0): Promise<string | undefined> {
  const { data } = await client.from('chat_messages').select('id').match({ room_id: roomId, seq }).maybeSingle()
  return data?.id
}
