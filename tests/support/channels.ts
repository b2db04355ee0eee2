import type { RealtimeChannel } from '@supabase/supabase-js'
import { onTestFinished } from 'vitest'
import type { Person } from './people.ts'

/** What a joined channel has heard, and a way to wait for more. */
export interface Listener {
  channel: RealtimeChannel
  heard: Array<{ event: string; payload: Record<string, unknown> }>
  /** The next event of this name that nobody has waited for yet. */
  next(event: string): Promise<Record<string, unknown>>
}

/**
 * Joins a private topic and listens to every broadcast, until the test ends.
 *
 * @throws with the server's reason when it is refused
 */
export async function listen(person: Person, topic: string): Promise<Listener> {
  const heard: Listener['heard'] = []
  const taken = new Set<object>()
  let wake = () => {}
  onTestFinished(async () => void (await person.client.removeAllChannels()))
  const channel = person.client.channel(topic, { config: { private: true, presence: { key: person.id } } })
  channel.on('broadcast', { event: '*' }, (message) => {
    heard.push({ event: message.event, payload: message.payload as Record<string, unknown> })
    wake()
  })
  // The client asks for presence when somebody listens to it.
  channel.on('presence', { event: 'sync' }, () => {})
  await new Promise<void>((resolve, reject) => {
    channel.subscribe((status, error) => {
      if (status === 'SUBSCRIBED') resolve()
      else if (status !== 'CLOSED') reject(error ?? new Error(status))
    })
  })

  return {
    channel,
    heard,
    async next(event) {
      for (;;) {
        const found = heard.find((each) => each.event === event && !taken.has(each))
        if (found) {
          taken.add(found)
          return found.payload
        }
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}
