import type { Database } from '../_shared/database.ts'
import type { Job, Outcome } from '../_shared/jobs.ts'
import type { Log } from '../_shared/log.ts'
import type { Send, Sent } from './fcm.ts'
import { type Device, notificationFor, type PushedMessage } from './notification.ts'

export interface PushJob {
  message_id: string
  /** When only these devices are left. */
  device_ids?: string[] | null
  /** The device that it has come to: rooms may have more than one call can do. */
  after?: string | null
  /** Those on the way that failed. */
  failed?: string[] | null
}

interface Delivery {
  job_id: number
  /** Null when it is gone. */
  message: PushedMessage | null
  devices: Device[]
  has_more: boolean
}

interface Deliveries {
  deliveries: Delivery[]
  badges: Record<string, number>
}

interface Sending {
  jobId: number
  deviceId: string
  send: () => Promise<Sent>
  result?: Sent
}

// 400 sends cost about a second of the two that hosted allows, and end before others may read their jobs.
const limits = { sends: 400, atOnce: 25, sendingMs: 20_000 }

/** Who is to be told is decided in SQL, anew at each attempt: who reads the message meanwhile is told no more. */
export async function push(jobs: Job<PushJob>[], send: Send, database: Database, log: Log): Promise<Outcome[]> {
  const startedAt = new Date().toISOString()
  const { deliveries, badges } = await database.rpc<Deliveries>('push_deliveries', {
    p_jobs: jobs.map(({ job_id, job }) => ({ job_id, ...job })),
    p_limit: limits.sends,
  })
  const sendings = deliveries.flatMap((delivery) => sendingsOf(delivery, badges, send))
  await sendAll(sendings)

  const gone = sendings.filter(({ result }) => result?.state === 'gone').map(({ deviceId }) => deviceId)
  if (gone.length > 0) {
    await database.rpc('drop_devices', { p_device_ids: gone, p_registered_before: startedAt })
    log('devices dropped', { count: gone.length })
  }
  return jobs.map((job) => outcomeOf(job, sendings, deliveries.find(({ job_id }) => job_id === job.job_id)?.has_more))
}

function sendingsOf({ job_id, message, devices }: Delivery, badges: Record<string, number>, send: Send): Sending[] {
  if (!message) return []
  return devices.map((device) => ({
    jobId: job_id,
    deviceId: device.device_id,
    send: () => send(notificationFor(message, device, badges[device.user_id] ?? 0)),
  }))
}

/** Begins them in their order, some at a time, while there is time; the others keep no result. */
async function sendAll(sendings: Sending[]): Promise<void> {
  const deadline = performance.now() + limits.sendingMs
  const queue = sendings.values()
  const sender = async () => {
    // They share one queue: each takes what comes next.
    for (const sending of queue) {
      if (performance.now() > deadline) return
      sending.result = await sending.send()
    }
  }
  await Promise.all(Array.from({ length: limits.atOnce }, sender))
}

function outcomeOf({ job_id: jobId, job }: Job<PushJob>, sendings: Sending[], hasMore = false): Outcome {
  const mine = sendings.filter((sending) => sending.jobId === jobId)
  const tried = mine.filter(({ result }) => result !== undefined)
  const failed = tried.filter(({ result }) => result?.state === 'failed')
  // Nobody could be told: that is FCM's fault or ours, and no reason to go on to the next ones.
  if (failed.length > 0 && failed.length === tried.length) {
    return { jobId, state: 'failed', reason: describe(failed.length, failed) }
  }

  const after = tried.at(-1)?.deviceId ?? job.after ?? null
  const again = [...(job.failed ?? []), ...failed.map(({ deviceId }) => deviceId)]
  if (hasMore || tried.length < mine.length) return { jobId, state: 'continues', left: { after, failed: again } }
  if (again.length === 0) return { jobId, state: 'done' }
  const left = { device_ids: again, after: null, failed: null }
  return { jobId, state: 'failed', reason: describe(again.length, failed), left }
}

function describe(count: number, failed: Sending[]): string {
  const reasons = new Set(failed.flatMap(({ result }) => (result?.state === 'failed' ? [result.reason] : [])))
  return `${count} devices failed: ${[...reasons].join(', ') || 'see the log'}`
}
