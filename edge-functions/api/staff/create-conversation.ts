import { z } from 'zod'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { type Room, text } from '../shapes.ts'
import { paths, requireHotel } from './conversation.ts'
import { foundConversation, toFoundConversation } from './shapes.ts'

export const createConversation = route({
  row: 'staff.conversations',
  method: 'POST',
  path: paths.conversations,
  summary: 'Start a group, or a conversation with one colleague, of which there is one only',
  params: hotelSlug,
  body: z.object({
    participant_ids: z.array(z.uuid()).min(1).max(10_000),
    title: text.nullish(),
    description: text.nullish(),
    avatar_url: text.nullish(),
  }),
  status: 201,
  answer: foundConversation,
  async handle(call) {
    const { caller, body } = call
    const hotelId = await requireHotel(call)
    const [only, ...more] = new Set(body.participant_ids)
    const started =
      more.length === 0 && !body.title
        ? caller.rpc<Room>('start_direct_chat', { p_user_id: only, p_organization_id: hotelId })
        : caller.rpc<Room>('create_group_chat', {
            p_title: body.title || null,
            p_member_ids: body.participant_ids,
            p_description: body.description,
            p_avatar_url: body.avatar_url,
            p_organization_id: hotelId,
          })
    return toFoundConversation(caller, await started)
  },
})
