import { z } from 'zod'

/** What all documents show alike, and what SQL says of it. */

export const timestamp = z.iso.datetime()

export const user = z.object({
  id: z.uuid(),
  username: z.string(),
  first_name: z.string().nullable(),
  last_name: z.string().nullable(),
  email: z.string().nullable(),
  avatar_url: z.string().nullable(),
})
export type User = z.infer<typeof user>

export const attachment = z.object({
  id: z.uuid(),
  file_name: z.string(),
  mime_type: z.string(),
  size_bytes: z.number(),
  url: z.string().nullable(),
  thumbnail_url: z.string().nullable(),
})

export const reaction = z.object({ emoji: z.string(), count: z.number(), user_ids: z.array(z.uuid()) })

const replyPreview = z.object({ id: z.uuid(), sender_id: z.uuid().nullable(), content: z.string().nullable() })

/** A message as SQL tells of it, with its times as the documents write them. */
export const message = z.object({
  id: z.uuid(),
  room_id: z.uuid(),
  seq: z.number(),
  change_seq: z.number(),
  sender_id: z.uuid().nullable(),
  sender: user.nullable(),
  message_type: z.string(),
  content: z.string().nullable(),
  reply_to: replyPreview.nullable(),
  forwarded_from: z.uuid().nullable(),
  forwarded_count: z.number(),
  is_edited: z.boolean(),
  edited_at: timestamp.nullable(),
  is_deleted: z.boolean(),
  is_encrypted: z.boolean(),
  encryption_key_id: z.string().nullable(),
  encrypted_content: z.string().nullable(),
  attachments: z.array(attachment),
  reactions: z.array(reaction),
  mentions: z.array(z.uuid()),
  metadata: z.record(z.string(), z.unknown()),
  client_id: z.uuid().nullable(),
  created_at: timestamp,
})
export type Message = z.infer<typeof message>

/** One of a page that is shown with who has read it. */
export const readMessage = message.extend({ is_read: z.boolean() })
export type ReadMessage = z.infer<typeof readMessage>

const participant = user.extend({ role: z.string() })

export const room = z.object({
  id: z.uuid(),
  type: z.enum(['direct', 'group', 'guest']),
  title: z.string().nullable(),
  name: z.string().nullable(),
  description: z.string().nullable(),
  avatar_url: z.string().nullable(),
  organization_id: z.uuid().nullable(),
  related_product: z.string().nullable(),
  room_number: z.string().nullable(),
  created_by: z.uuid().nullable(),
  created_at: timestamp,
  updated_at: timestamp,
  last_seq: z.number(),
  last_message: message.nullable(),
  participants: z.array(participant),
  member_count: z.number(),
  topic: z.string(),
  unread_count: z.number(),
  is_archived: z.boolean(),
  archived_at: timestamp.nullable(),
  is_muted: z.boolean(),
  muted_until: timestamp.nullable(),
  last_read_message_id: z.uuid().nullable(),
  last_read_seq: z.number(),
})
export type Room = z.infer<typeof room>

// Bad input, as the documents' fields have it.

/** Text as Postgres can hold it: without zero bytes, and of whole characters. */
export const text = z.string().refine((value) => !value.includes('\0') && value.isWellFormed(), 'Not a text.')

/** A number in a query. */
export const integer = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'Not a number.')
    .transform(Number)
    .pipe(z.number().min(least).max(most))

export const flag = z.enum(['true', 'false']).transform((value) => value === 'true')
