import { z } from 'zod'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { text } from '../shapes.ts'
import { paths, requireConversation } from './conversation.ts'
import { conversationNow, foundConversation } from './shapes.ts'

// A field that was emptied.
const emptied = text.nullable().transform((value) => value || null)

export const updateConversation = route({
  row: 'staff.conversations',
  method: 'PATCH',
  path: paths.conversation,
  summary: 'Change the title, description or picture of a group; archive a conversation for oneself',
  params: hotelSlug,
  body: z.object({
    title: text.optional(),
    description: emptied.optional(),
    avatar_url: emptied.optional(),
    is_archived: z.boolean().optional(),
  }),
  answer: foundConversation,
  async handle(call) {
    await requireConversation(call)
    const { caller, params, body } = call
    const { is_archived, ...changes } = body
    if (Object.keys(changes).length > 0) {
      await caller.rows(`chat_rooms?id=eq.${params.conversation_id}`, { method: 'PATCH', body: changes })
    }
    if (is_archived !== undefined) {
      await caller.rpc('archive_chat', { p_room_id: params.conversation_id, p_archived: is_archived })
    }
    return conversationNow(caller, params.conversation_id)
  },
})
