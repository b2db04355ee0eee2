import { z } from 'zod'
import type { Caller } from '../_shared/caller.ts'
import { Refusal } from '../_shared/refusal.ts'
import { announcedFiles, announceUploads, passUploadsOn, readUploadForm } from '../_shared/uploads.ts'
import { send, shownMessage } from './messages.ts'
import { attachment, type Message, message, readMessage, text } from './shapes.ts'

/** What the two documents of a hotel, for its guests and for its staff, have in common. */

export interface HotelCall<Params = object> {
  caller: Caller
  request: Request
  params: Params & { hotel_slug: string }
}

/** Where something is, as SQL says. */
export interface Place {
  room_id: string
  type: 'direct' | 'group' | 'guest'
  organization_id: string | null
  organization_slug: string | null
}

// Whatever else is no hotel's name.
export const hotelSlug = { hotel_slug: z.string() }

/**
 * Where this is, if it is in the hotel of the path.
 *
 * @param missing the code for what is not there.
 * @throws Refusal
 */
export async function placeOf(call: HotelCall, located: Promise<Place>, missing: string): Promise<Place> {
  const place = await located
  if (place.organization_slug !== call.params.hotel_slug) throw notThere(missing)
  requireSameHotel(call, place.organization_id)
  return place
}

export function notThere(code: string): Refusal {
  return new Refusal(404, code, 'There is no such thing in this hotel.')
}

/** Front ends that name the hotel in headers too name the same one. @throws Refusal */
export function requireSameHotel({ request, params }: HotelCall, hotelId: string | null): void {
  const [id, slug] = [request.headers.get('x-hotel-id'), request.headers.get('x-hotel-slug')]
  if ((id === null || id.toLowerCase() === hotelId) && (slug === null || slug === params.hotel_slug)) return
  throw new Refusal(403, 'other_hotel', 'The headers name another hotel than the address.')
}

// Messages

/** A message, whose text these front ends call `message`. */
export const hotelMessage = message.extend({ message: z.string().nullable() })
export const listedHotelMessage = readMessage.extend({ message: z.string().nullable() })
/** One that a call has made or changed. */
export const changedMessage = hotelMessage.extend({ success: z.literal(true) })
export const sentMessage = changedMessage.extend({ temp_id: z.string().nullable() })

export function toHotelMessage<M extends Message>(sent: M): M & { message: string | null } {
  return { ...sent, message: sent.content }
}

export async function toChangedMessage(caller: Caller, changed: Message): Promise<z.infer<typeof changedMessage>> {
  return { success: true, ...toHotelMessage(await shownMessage(caller, changed)) }
}

export const newMessage = z.object({
  message: text.nullish(),
  content: text.nullish().describe('The same as message.'),
  reply_to: z.uuid().nullish(),
  attachment_ids: z.array(z.uuid()).max(100).nullish(),
  temp_id: text.optional(),
})

/** @throws Refusal */
export async function sendTo(
  caller: Caller,
  roomId: string,
  { message, content, reply_to, attachment_ids, temp_id }: z.output<typeof newMessage>,
): Promise<z.infer<typeof sentMessage>> {
  const sent = await send(
    caller,
    {
      p_room_id: roomId,
      // Files may go without a word.
      p_content: message || content || undefined,
      p_reply_to_id: reply_to ?? undefined,
      p_attachment_ids: attachment_ids ?? undefined,
    },
    temp_id,
  )
  return { success: true, ...toHotelMessage(sent.message), temp_id: sent.temp_id }
}

export const editedText = z.object({ message: text })

export async function editText(
  caller: Caller,
  messageId: string,
  { message }: z.output<typeof editedText>,
): Promise<z.infer<typeof changedMessage>> {
  return toChangedMessage(caller, await caller.rpc('edit_message', { p_message_id: messageId, p_content: message }))
}

// Files

/** Files are announced in JSON and uploaded directly, or come along as a form. */
export const announcement = z.object({ files: announcedFiles }).optional()

export const uploaded = z.union([
  z.object({
    success: z.literal(true),
    uploads: z.array(
      z.object({
        attachment_id: z.uuid(),
        file_name: z.string(),
        upload_url: z.url(),
        fields: z.record(z.string(), z.string()),
      }),
    ),
  }),
  z.object({ success: z.literal(true), attachments: z.array(attachment) }),
])

/** @throws Refusal */
export async function uploadTo(
  { caller, request }: HotelCall,
  roomId: string,
  announced: z.output<typeof announcement>,
): Promise<z.infer<typeof uploaded>> {
  if (announced) return { success: true, uploads: await announceUploads(caller, roomId, announced.files) }
  return { success: true, attachments: await passUploadsOn(caller, roomId, await readUploadForm(request)) }
}
