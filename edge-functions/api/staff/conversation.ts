import { type HotelCall, notThere, type Place, placeOf, requireSameHotel } from '../hotels.ts'

const base = '/api/staff-chat/{hotel_slug}'
const conversation = `${base}/conversations/{conversation_id}` as const
const message = `${base}/messages/{message_id}` as const
const attachment = `${base}/attachments/{attachment_id}` as const
/** The paths of this document. */
export const paths = {
  conversations: `${base}/conversations/`,
  conversation: `${conversation}/`,
  participants: `${conversation}/participants/`,
  participant: `${conversation}/participants/{user_id}/`,
  send: `${conversation}/send-message/`,
  messages: `${conversation}/messages/`,
  upload: `${conversation}/upload/`,
  markRead: `${conversation}/mark-read/`,
  mute: `${conversation}/mute/`,
  edit: `${message}/edit/`,
  delete: `${message}/delete/`,
  react: `${message}/react/`,
  reaction: `${message}/react/{emoji}/`,
  receipts: `${message}/receipts/`,
  deleteAttachment: `${attachment}/delete/`,
  attachmentUrl: `${attachment}/url/`,
  unreadCount: `${base}/unread-count/`,
  notificationPreferences: `${base}/notification-preferences/`,
  search: `${base}/search/`,
} as const

/** The hotel's id. @throws Refusal to whoever does not work there. */
export async function requireHotel(call: HotelCall): Promise<string> {
  const { id } = await call.caller.rpc<{ id: string }>('locate_organization', { p_slug: call.params.hotel_slug })
  requireSameHotel(call, id)
  return id
}

/** @throws Refusal when it is no conversation of this hotel's staff, or the caller is not in it. */
export async function requireConversation(call: HotelCall<{ conversation_id: string }>): Promise<void> {
  const located = call.caller.rpc<Place>('locate_room', { p_room_id: call.params.conversation_id })
  await requireStaffChat(call, located, 'room_not_found')
}

/** @throws Refusal as requireConversation */
export async function requireMessage(call: HotelCall<{ message_id: string }>): Promise<void> {
  const located = call.caller.rpc<Place>('locate_message', { p_message_id: call.params.message_id })
  await requireStaffChat(call, located, 'message_not_found')
}

/** @throws Refusal as requireConversation */
export async function requireAttachment(call: HotelCall<{ attachment_id: string }>): Promise<void> {
  const located = call.caller.rpc<Place>('locate_attachment', { p_attachment_id: call.params.attachment_id })
  await requireStaffChat(call, located, 'attachment_not_found')
}

// Guests have a document of their own.
async function requireStaffChat(call: HotelCall, located: Promise<Place>, missing: string): Promise<void> {
  const { type } = await placeOf(call, located, missing)
  if (type === 'guest') throw notThere(missing)
}
