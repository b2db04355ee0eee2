import { z } from 'zod'
import { message as anyMessage, type Message, type Room, timestamp, user } from '../shapes.ts'
import { utc } from '../time.ts'

export const message = anyMessage
  .pick({
    id: true,
    sender: true,
    content: true,
    message_type: true,
    reply_to: true,
    attachments: true,
    reactions: true,
    mentions: true,
    is_edited: true,
    edited_at: true,
    is_deleted: true,
    client_id: true,
    created_at: true,
  })
  .extend({ conversation_id: z.uuid() })

export function toMessage(sent: Message): z.infer<typeof message> {
  return {
    id: sent.id,
    conversation_id: sent.room_id,
    sender: sent.sender,
    content: contentOf(sent),
    message_type: sent.message_type,
    reply_to: sent.reply_to,
    attachments: sent.attachments,
    reactions: sent.reactions,
    mentions: sent.mentions,
    is_edited: sent.is_edited,
    edited_at: utc(sent.edited_at),
    is_deleted: sent.is_deleted,
    client_id: sent.client_id,
    created_at: utc(sent.created_at),
  }
}

// Here the content of a file is its key, which is no text for other front ends.
function contentOf({ content, metadata }: Message): string | null {
  return content ?? (typeof metadata.file_key === 'string' ? metadata.file_key : null)
}

export const listedConversation = z.object({
  id: z.uuid(),
  title: z.string(),
  participants: z.array(user),
  last_message: z
    .object({ content: z.string().nullable(), sender_id: z.uuid().nullable(), created_at: timestamp })
    .nullable(),
  unread_count: z.number(),
})

export const conversation = listedConversation.extend({
  related_product: z.union([z.string(), z.number()]).nullable(),
  created_at: timestamp,
  updated_at: timestamp,
})

export function toListedConversation(room: Room): z.infer<typeof listedConversation> {
  const { id, name, participants, last_message: last, unread_count } = room
  return {
    id,
    title: name ?? 'Conversation',
    participants: participants.map(({ role: _, ...person }) => person),
    last_message: last && { content: contentOf(last), sender_id: last.sender_id, created_at: utc(last.created_at) },
    unread_count,
  }
}

export function toConversation(room: Room): z.infer<typeof conversation> {
  return {
    ...toListedConversation(room),
    related_product: room.related_product && toProductId(room.related_product),
    created_at: utc(room.created_at),
    updated_at: utc(room.updated_at),
  }
}

// Products are the front end's own: a number is answered with the number that it sent.
function toProductId(product: string): string | number {
  return String(Number(product)) === product && Number.isSafeInteger(Number(product)) ? Number(product) : product
}
