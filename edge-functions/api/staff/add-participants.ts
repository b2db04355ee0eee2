import { z } from 'zod'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import type { Room } from '../shapes.ts'
import { paths, requireConversation } from './conversation.ts'
import { foundConversation, toFoundConversation } from './shapes.ts'

export const addParticipants = route({
  row: 'staff.participants',
  method: 'POST',
  path: paths.participants,
  summary: 'Add colleagues to a group',
  params: hotelSlug,
  body: z.object({ user_ids: z.array(z.uuid()).min(1).max(10_000) }),
  answer: foundConversation,
  async handle(call) {
    await requireConversation(call)
    const { caller, params, body } = call
    const group = await caller.rpc<Room>('add_room_members', {
      p_room_id: params.conversation_id,
      p_user_ids: body.user_ids,
    })
    return toFoundConversation(caller, group)
  },
})
