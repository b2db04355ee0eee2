import type { Client } from './project.ts'

/** A message as the database tells of it. */
export interface Message {
  id: string
  room_id: string
  seq: number
  change_seq: number
  sender_id: string | null
  sender: Record<string, unknown> | null
  message_type: string
  content: string | null
  reply_to: object | null
  is_edited: boolean
  edited_at: string | null
  is_deleted: boolean
  attachments: Attachment[]
  reactions: Reaction[]
  mentions: string[]
  metadata: Record<string, unknown>
  client_id: string | null
  created_at: string
}

interface Attachment {
  id: string
  url: string | null
  thumbnail_url: string | null
}

export interface Reaction {
  emoji: string
  count: number
  user_ids: string[]
}

/** As the HTTP door shows it: times with a `Z`, and files with links of five minutes, which no event can hold. */
export async function shown<M extends Message>(client: Client, message: M): Promise<M> {
  return {
    ...message,
    created_at: utc(message.created_at),
    edited_at: message.edited_at && utc(message.edited_at),
    attachments: message.attachments.length > 0 ? await linked(client, message.attachments) : [],
  }
}

async function linked(client: Client, attachments: Attachment[]): Promise<Attachment[]> {
  const body = { attachment_ids: attachments.map(({ id }) => id) }
  const { data } = await client.functions.invoke<{ urls: (Attachment & { attachment_id: string })[] }>(
    'attachments/sign',
    { body },
  )
  const urls = new Map(data?.urls.map((url) => [url.attachment_id, url]))
  return attachments.map((attachment) => {
    const { url = null, thumbnail_url = null } = urls.get(attachment.id) ?? {}
    return { ...attachment, url, thumbnail_url }
  })
}

const utc = (moment: string): string => moment.replace(/[+-]00(:?00)?$/, 'Z')
