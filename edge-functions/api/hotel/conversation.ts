import { type HotelCall, notThere, type Place, placeOf } from '../hotels.ts'

const base = '/api/chat/{hotel_slug}/conversations/{conversation_id}'
/** The paths of this document. */
export const paths = {
  messages: `${base}/messages/`,
  message: `${base}/messages/{message_id}/`,
  upload: `${base}/upload/`,
  archive: `${base}/download-archive/`,
  bulkDelete: `${base}/messages/bulk-delete/`,
  trackDownload: `${base}/messages/{message_id}/track-download/`,
  undoDelete: `${base}/messages/{message_id}/undo-delete/`,
} as const

type Call = HotelCall<{ conversation_id: string }>

/** @throws Refusal when the conversation is not this hotel's, or the caller is not in it. */
export async function requireConversation(call: Call): Promise<void> {
  const located = call.caller.rpc<Place>('locate_room', { p_room_id: call.params.conversation_id })
  await placeOf(call, located, 'room_not_found')
}

/** @throws Refusal also when one of these messages is in no such conversation. */
export async function requireMessages(call: Call, ...messageIds: string[]): Promise<void> {
  const located = call.caller.rpc<Place>('locate_messages', { p_message_ids: messageIds })
  const { room_id } = await placeOf(call, located, 'message_not_found')
  if (room_id !== call.params.conversation_id.toLowerCase()) throw notThere('message_not_found')
}
