import { z } from 'zod'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { paths, requireConversation } from './conversation.ts'

export const deleteConversation = route({
  row: 'staff.conversations',
  method: 'DELETE',
  path: paths.conversation,
  summary: 'Leave a group; hide a conversation with one colleague until somebody writes there',
  params: hotelSlug,
  answer: z.object({ success: z.literal(true), message: z.string(), deleted_conversation_id: z.uuid() }),
  async handle(call) {
    await requireConversation(call)
    const { room_id } = await call.caller.rpc<{ room_id: string }>('delete_chat', {
      p_room_id: call.params.conversation_id,
    })
    return { success: true as const, message: 'Conversation deleted successfully', deleted_conversation_id: room_id }
  },
})
