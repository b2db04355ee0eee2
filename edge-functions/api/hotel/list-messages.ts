import { z } from 'zod'
import { hotelSlug, listedHotelMessage, toHotelMessage } from '../hotels.ts'
import { page, pageOf, paging } from '../pages.ts'
import { route } from '../route.ts'
import { paths, requireConversation } from './conversation.ts'

export const listMessages = route({
  row: 'hotel.messages',
  method: 'GET',
  path: paths.messages,
  summary: 'The messages of a conversation, the newest first; deleted ones as placeholders',
  params: hotelSlug,
  query: paging,
  answer: z.object({ success: z.literal(true), ...page, messages: z.array(listedHotelMessage) }),
  async handle(call) {
    const { caller, request, params, query } = call
    // Reading changes nothing: both are asked at once.
    const [found] = await Promise.all([
      pageOf(caller, request, params.conversation_id, query, { withDeleted: true }),
      requireConversation(call),
    ])
    return { success: true as const, ...found, messages: found.messages.map(toHotelMessage) }
  },
})
