import { z } from 'zod'
import { hotelMessage, hotelSlug, toHotelMessage } from '../hotels.ts'
import { shownMessages } from '../messages.ts'
import { paging, urlWith } from '../pages.ts'
import { route } from '../route.ts'
import { type Message, text } from '../shapes.ts'
import { paths, requireConversation, requireHotel } from './conversation.ts'

export const searchMessages = route({
  row: 'staff.search',
  method: 'GET',
  path: paths.search,
  summary: 'Messages with all of these words in one’s conversations, or in one of them, the newest first',
  params: hotelSlug,
  query: {
    q: text,
    conversation_id: z.uuid().optional(),
    page_size: paging.page_size,
    before: z.iso.datetime().optional(),
    before_id: z.uuid().optional(),
  },
  answer: z.object({ success: z.literal(true), next: z.url().nullable(), results: z.array(hotelMessage) }),
  async handle(call) {
    const { caller, request, params, query } = call
    const { q, conversation_id, page_size = 20, before, before_id } = query
    const hotelId = await requireHotel(call)
    if (conversation_id) await requireConversation({ caller, request, params: { ...params, conversation_id } })
    const found = await caller.rpc<Message[]>('search_messages', {
      p_query: q,
      p_room_id: conversation_id,
      p_limit: page_size,
      p_before: before,
      p_before_id: before_id,
      p_organization_id: hotelId,
    })
    const results = (await shownMessages(caller, found)).map(toHotelMessage)
    const last = results.length === page_size ? results.at(-1) : undefined
    const next = last ? urlWith(request, { before: last.created_at, before_id: last.id }) : null
    return { success: true as const, next, results }
  },
})
