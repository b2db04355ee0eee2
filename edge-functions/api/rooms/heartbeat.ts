import { z } from 'zod'
import { route } from '../route.ts'
import { timestamp } from '../shapes.ts'
import { utc } from '../time.ts'
import { clientClock } from './shapes.ts'

// This front end beats every 2 minutes, and calls somebody online for 5.
const leaseSeconds = 300

export const heartbeat = route({
  row: 'rooms.heartbeat',
  method: 'POST',
  path: '/api/chat/heartbeat/',
  summary: 'Stay online for 5 more minutes',
  body: clientClock,
  answer: z.object({ status: z.literal('success'), last_activity: timestamp }),
  async handle({ caller }) {
    const beat = await caller.rpc<{ last_activity: string }>('heartbeat', { p_lease_seconds: leaseSeconds })
    return { status: 'success' as const, last_activity: utc(beat.last_activity) }
  },
})
