import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import type { Room } from '../shapes.ts'
import { paths, requireConversation } from './conversation.ts'
import { foundConversation, toFoundConversation } from './shapes.ts'

export const removeParticipant = route({
  row: 'staff.participants',
  method: 'DELETE',
  path: paths.participant,
  summary: 'Remove somebody from a group, or leave it',
  params: hotelSlug,
  answer: foundConversation,
  async handle(call) {
    await requireConversation(call)
    const { caller, params } = call
    const group = await caller.rpc<Room>('remove_room_member', {
      p_room_id: params.conversation_id,
      p_user_id: params.user_id,
    })
    return toFoundConversation(caller, group)
  },
})
