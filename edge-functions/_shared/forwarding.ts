import { type Attachment, withUrls } from './attachments.ts'
import type { Database } from './database.ts'

interface Message {
  id: string
  room_id: string
  attachments: Attachment[]
}

/** What the caller is told who has forwarded a message. Who may, and what is copied, is decided in SQL: all or none. */
export async function forwardMessage<M extends Message>(caller: Database, messageId: string, roomIds: string[]) {
  const copies = await caller.rpc<M[]>('forward_message', { p_message_id: messageId, p_room_ids: roomIds })
  return {
    success: true as const,
    message: 'Message forwarded successfully',
    data: {
      original_message_id: messageId,
      forwarded_to: copies.map(({ room_id }) => room_id),
      forwarded_messages: await withUrls(caller, copies),
    },
  }
}
