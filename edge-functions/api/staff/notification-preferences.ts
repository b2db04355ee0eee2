import { z } from 'zod'
import type { Database } from '../../_shared/database.ts'
import { hotelSlug } from '../hotels.ts'
import { route } from '../route.ts'
import { text } from '../shapes.ts'
import { paths, requireHotel } from './conversation.ts'

const time = z.iso.time().nullable()
const preferences = z.object({
  push_enabled: z.boolean(),
  mentions_break_mute: z.boolean(),
  show_preview: z.boolean(),
  quiet_from: time,
  quiet_until: time,
  time_zone: text,
})
const answer = preferences.extend({
  success: z.literal(true),
  quiet_from: z.string().nullable(),
  quiet_until: z.string().nullable(),
})

export const getNotificationPreferences = route({
  row: 'staff.unread',
  method: 'GET',
  path: paths.notificationPreferences,
  summary: 'When one wants pushes, of any chat',
  params: hotelSlug,
  answer,
  async handle(call) {
    await requireHotel(call)
    return preferencesOf(call.caller)
  },
})

export const setNotificationPreferences = route({
  row: 'staff.unread',
  method: 'PUT',
  path: paths.notificationPreferences,
  summary: 'Change when one wants pushes; what is not named stays',
  params: hotelSlug,
  body: preferences.partial(),
  answer,
  async handle(call) {
    await requireHotel(call)
    await call.caller.rows('notification_preferences', { method: 'POST', body: call.body })
    return preferencesOf(call.caller)
  },
})

async function preferencesOf(caller: Database): Promise<z.infer<typeof answer>> {
  const columns = Object.keys(preferences.shape).join(',')
  const [mine] = await caller.rows<z.infer<typeof preferences>[]>(`notification_preferences?select=${columns}`)
  return { success: true, ...(mine ?? unsaid) }
}

// The defaults of the table.
const unsaid = {
  push_enabled: true,
  mentions_break_mute: true,
  show_preview: true,
  quiet_from: null,
  quiet_until: null,
  time_zone: 'UTC',
}
