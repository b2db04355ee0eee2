import { z } from 'zod'
import { route } from '../route.ts'
import type { Room } from '../shapes.ts'
import { listedConversation, toListedConversation } from './shapes.ts'

export const listConversations = route({
  row: 'messaging.list',
  method: 'GET',
  path: '/api/messaging/conversations/',
  summary: 'The conversations, the one with the newest message first',
  answer: z.object({ success: z.literal(true), conversations: z.array(listedConversation) }),
  async handle({ caller }) {
    // This front end knows of no archive.
    const rooms = await caller.rpc<Room[]>('get_rooms', { p_archived: null, p_limit: 500 })
    return { success: true as const, conversations: rooms.map(toListedConversation) }
  },
})
