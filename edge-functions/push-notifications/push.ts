import type { Database } from '../_shared/database.ts'
import type { Job, Outcome, Queue } from '../_shared/jobs.ts'
import type { Log } from '../_shared/log.ts'
import type { Send, Sent } from './fcm.ts'
import { type Delivery, type Device, notificationFor } from './notification.ts'

interface PushJob {
  message_id: string
  /** When only these devices are left. */
  device_ids?: string[]
}

// What a function may do in its two seconds of CPU, and before its jobs are read by another.
const limits = { atOnce: 50, sendsPerBatch: 500, sendingMs: 20_000 }

/** Who is to be told is decided in SQL, anew at each attempt: who reads the message meanwhile is told no more. */
export function pushQueue(send: Send): Queue<PushJob> {
  return { name: 'push', batch: 50, work: (jobs, database, log) => push(jobs, send, database, log) }
}

interface Sending {
  jobId: number
  delivery: Delivery
  device: Device
  result?: Sent
}

async function push(jobs: Job<PushJob>[], send: Send, database: Database, log: Log): Promise<Outcome[]> {
  const startedAt = new Date().toISOString()
  const deliveries = await database.rpc<Delivery[]>('push_deliveries', {
    p_message_ids: [...new Set(jobs.map(({ job }) => job.message_id))],
  })
  const byMessage = new Map(deliveries.map((delivery) => [delivery.message_id, delivery]))
  const sendings = jobs.flatMap((job) => sendingsOf(job, byMessage))
  await sendAll(sendings, send)

  const gone = sendings.filter(({ result }) => result?.state === 'gone').map(({ device }) => device.device_id)
  if (gone.length > 0) {
    await database.rpc('drop_devices', { p_device_ids: gone, p_registered_before: startedAt })
    log('devices dropped', { count: gone.length })
  }
  return jobs.map(({ job_id }) => outcomeOf(job_id, sendings))
}

function sendingsOf({ job_id, job }: Job<PushJob>, deliveries: Map<string, Delivery>): Sending[] {
  const delivery = deliveries.get(job.message_id)
  if (!delivery) return []
  const devices = delivery.devices.filter(({ device_id }) => job.device_ids?.includes(device_id) ?? true)
  return devices.map((device) => ({ jobId: job_id, delivery, device }))
}

/** Some at a time, until there are enough for one call; the others keep no result. */
async function sendAll(sendings: Sending[], send: Send): Promise<void> {
  const deadline = performance.now() + limits.sendingMs
  const queue = sendings.slice(0, limits.sendsPerBatch)
  const sender = async () => {
    for (let next = queue.shift(); next && performance.now() < deadline; next = queue.shift()) {
      next.result = await send(notificationFor(next.delivery, next.device))
    }
  }
  await Promise.all(Array.from({ length: limits.atOnce }, sender))
}

function outcomeOf(jobId: number, sendings: Sending[]): Outcome {
  const mine = sendings.filter((sending) => sending.jobId === jobId)
  const left = mine.filter(({ result }) => result === undefined || result.state === 'failed')
  if (left.length === 0) return { jobId, state: 'done' }

  const device_ids = left.map(({ device }) => device.device_id)
  const untried = left.filter(({ result }) => result === undefined)
  // Who got nowhere at all waits for the next attempt, and is given up after some.
  const gotOn = left.length < mine.length || untried.length === mine.length
  if (untried.length > 0 && gotOn) return { jobId, state: 'continues', left: { device_ids } }
  const reasons = new Set(left.flatMap(({ result }) => (result?.state === 'failed' ? [result.reason] : [])))
  const reason = `${left.length} of ${mine.length} devices: ${[...reasons].join(', ')}`
  return { jobId, state: 'failed', reason, left: { device_ids } }
}
