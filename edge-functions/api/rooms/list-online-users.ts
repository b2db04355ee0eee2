import { z } from 'zod'
import { route } from '../route.ts'

export const listOnlineUsers = route({
  row: 'rooms.online',
  method: 'GET',
  path: '/api/chat/online-users/',
  summary: 'Who was active in the last 5 minutes, of the people one may know of',
  answer: z.object({ online_users: z.array(z.uuid()) }),
  async handle({ caller }) {
    return { online_users: await caller.rpc<string[]>('online_users', {}) }
  },
})
