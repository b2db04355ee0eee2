import { z } from 'zod'
import { route } from '../route.ts'
import { clientClock } from './shapes.ts'

export const markOffline = route({
  row: 'rooms.offline',
  method: 'POST',
  path: '/api/chat/mark-offline/',
  summary: 'Go offline at once',
  body: clientClock,
  answer: z.object({ status: z.literal('offline') }),
  async handle({ caller }) {
    await caller.rpc('mark_offline', {})
    return { status: 'offline' as const }
  },
})
