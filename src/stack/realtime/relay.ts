import { userBroadcast } from './fan-out.ts'
import type { Project } from './project.ts'
import type { DatabaseBroadcast } from './replication.ts'
import { UserBroadcast } from './serializer.ts'

/** Sends what was written to `realtime.messages` to whoever has joined its topic. */
export function relay(
  { topics, rates, limits, log }: Pick<Project, 'topics' | 'rates' | 'limits' | 'log'>,
  { id, topic: name, event, private: isPrivate, payload, binaryPayload }: DatabaseBroadcast,
): void {
  const topic = topics.find(name, isPrivate)
  if (!topic) return
  const bytes = binaryPayload ?? Buffer.from(payload ?? '{}')
  if (bytes.length > limits.payloadBytes) {
    log(`realtime: message ${id} is not broadcast: ${bytes.length} bytes are too many`)
    return
  }
  if (!rates.events.add(1 + topic.subscribers.size)) {
    log(`realtime: message ${id} is not broadcast: too many messages per second`)
    return
  }
  const broadcast = new UserBroadcast(event, binaryPayload ? 'binary' : 'json', bytes)
  topic.broadcast(userBroadcast(`realtime:${name}`, broadcast, { id }), { id })
}
