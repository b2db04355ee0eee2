import { z } from 'zod'
import { forwardMessage as forward } from '../../_shared/forwarding.ts'
import { route } from '../route.ts'
import { type Message, message } from '../shapes.ts'
import { utc } from '../time.ts'
import { done } from './shapes.ts'

export const forwardMessage = route({
  row: 'mobile.forward',
  method: 'POST',
  path: '/api/chat/messages/{id}/forward',
  summary: 'Write a message again in other chats, in all of them or in none',
  body: z.object({ target_room_ids: z.array(z.uuid()).max(100) }),
  answer: done(
    z.object({
      original_message_id: z.uuid(),
      forwarded_to: z.array(z.uuid()),
      forwarded_messages: z.array(message),
    }),
  ),
  refusals: [409],
  async handle({ caller, params: { id }, body: { target_room_ids } }) {
    const { data, ...answer } = await forward<Message>(caller, id, target_room_ids)
    const copies = data.forwarded_messages.map((copy) => ({ ...copy, created_at: utc(copy.created_at) }))
    return { ...answer, data: { ...data, forwarded_messages: copies } }
  },
})
