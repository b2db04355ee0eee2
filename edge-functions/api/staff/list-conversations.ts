import { z } from 'zod'
import { hotelSlug } from '../hotels.ts'
import { page, paging, urlWith } from '../pages.ts'
import { route } from '../route.ts'
import { flag, type Room, text } from '../shapes.ts'
import { utc } from '../time.ts'
import { paths, requireHotel } from './conversation.ts'
import { conversation, toConversations } from './shapes.ts'

// Before or after a conversation: when it was updated, and its id.
const cursor = z
  .string()
  .regex(/^[ab]\d{4}-\d\d-\d\dT[\d:.]{8,15}Z_[\da-f-]{36}$/, 'Not a cursor.')
  .transform((value) => {
    const [from, fromId] = value.slice(1).split('_')
    return { p_from: from, p_from_id: fromId, p_backwards: value.startsWith('a') }
  })

export const listConversations = route({
  row: 'staff.conversations',
  method: 'GET',
  path: paths.conversations,
  summary: 'The conversations, the newest first',
  params: hotelSlug,
  query: {
    page: paging.page,
    page_size: paging.page_size,
    cursor: cursor.optional(),
    archived: flag.optional(),
    type: z.enum(['direct', 'group']).optional(),
    search: text.optional(),
    unread: flag.optional(),
  },
  answer: z.object({ success: z.literal(true), ...page, conversations: z.array(conversation) }),
  async handle(call) {
    const { caller, request, query } = call
    const { page: number = 1, page_size = 20, cursor } = query
    const found = await caller.rpc<{ count: number; has_more: boolean; rooms: Room[] }>('staff_rooms', {
      p_organization_id: await requireHotel(call),
      p_archived: query.archived ?? false,
      p_type: query.type,
      p_query: query.search,
      p_unread: query.unread ?? false,
      p_limit: page_size,
      ...(cursor ?? { p_offset: (number - 1) * page_size }),
    })
    const [first, last] = [found.rooms[0], found.rooms.at(-1)]
    // The number is for people: where the page begins is said by the conversation beside it, also when others moved up.
    const url = (number: number, direction: 'a' | 'b', { updated_at, id }: Room) =>
      urlWith(request, {
        page: `${number}`,
        page_size: `${page_size}`,
        cursor: `${direction}${utc(updated_at)}_${id}`,
      })
    const hasNext = found.has_more || cursor?.p_backwards
    return {
      success: true as const,
      count: found.count,
      next: hasNext && last ? url(number + 1, 'b', last) : null,
      previous: number > 1 && first ? url(number - 1, 'a', first) : null,
      conversations: await toConversations(caller, found.rooms),
    }
  },
})
