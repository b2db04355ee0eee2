import { withUrls } from '../_shared/attachments.ts'
import type { Caller } from '../_shared/caller.ts'
import type { Database } from '../_shared/database.ts'
import { verifyUploads } from '../_shared/uploads.ts'
import { clientId } from './client-id.ts'
import type { Message } from './shapes.ts'
import { utc } from './time.ts'

/** Messages of SQL's as the door shows them: times with a `Z`, and files with links of five minutes. */
export async function shownMessages<M extends Message>(caller: Database, messages: M[]): Promise<M[]> {
  const linked = await withUrls(caller, messages)
  return linked.map((message) => ({
    ...message,
    created_at: utc(message.created_at),
    edited_at: utc(message.edited_at),
  }))
}

export async function shownMessage<M extends Message>(caller: Database, message: M): Promise<M> {
  const [shown = message] = await shownMessages(caller, [message])
  return shown
}

/** What SQL answers a send with. */
export interface Confirmation {
  message: Message
  temp_id: string | null
  message_id: string
  delivered_to_count: number
  queued_for_count: number
  timestamp: string
}

export interface Sending {
  p_room_id: string
  p_content?: string | undefined
  p_message_type?: string | undefined
  p_reply_to_id?: string | undefined
  p_attachment_ids?: string[] | undefined
  p_metadata?: object | undefined
  p_encrypted_content?: string | undefined
  p_encryption_key_id?: string | undefined
}

/**
 * Sends, once: the same `temp_id` of the same sender again answers the first message.
 *
 * @param tempId what the client calls the message until it has an id; any text.
 * @throws Refusal
 */
export async function send(caller: Caller, sending: Sending, tempId: string | undefined): Promise<Confirmation> {
  await verifyUploads(caller, sending.p_attachment_ids ?? [])
  const confirmation = await caller.rpc<Confirmation>('send_message', {
    ...sending,
    p_client_id: tempId === undefined ? null : clientId(caller.id, tempId),
  })
  return {
    ...confirmation,
    message: await shownMessage(caller, confirmation.message),
    temp_id: tempId ?? null,
    timestamp: utc(confirmation.timestamp),
  }
}
