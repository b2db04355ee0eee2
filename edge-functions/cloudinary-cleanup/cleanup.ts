import type { Database } from '../_shared/database.ts'
import type { Job, Outcome } from '../_shared/jobs.ts'
import { type Log, reason } from '../_shared/log.ts'
import type { Destroy } from './cloudinary.ts'
import { removeFromStorage } from './storage.ts'

export interface CleanupJob {
  asset_id: string
}

interface Asset {
  id: string
  provider: 'cloudinary' | 'supabase'
  public_id: string
  resource_type: string
}

/** Per asset: undefined when the file is gone, or why it is not. */
type Results = Map<string, string | undefined>

// They end before others may read their jobs.
const limits = { atOnce: 10, destroyingMs: 25_000 }

/**
 * First the file, then its row, then the job: whatever dies in between is done again from the file on, which is not there
 * any more, and that is fine.
 */
export async function cleanUp(
  jobs: Job<CleanupJob>[],
  destroy: Destroy,
  database: Database,
  log: Log,
): Promise<Outcome[]> {
  if (jobs.length === 0) return []
  // The rows say what is to go: a job may be as old as it likes.
  const doomed = await database.rows<Asset[]>(
    `${waiting(jobs.map(({ job }) => job.asset_id))}&select=id,provider,public_id,resource_type`,
  )
  const results: Results = new Map()
  await destroyAll(of(doomed, 'cloudinary'), destroy, results)
  await removeAll(of(doomed, 'supabase'), database, results)

  const gone = doomed.filter(({ id }) => results.has(id) && results.get(id) === undefined).map(({ id }) => id)
  if (gone.length > 0) await database.rows(waiting(gone), { method: 'PATCH', body: { state: 'gone' } })
  log('files destroyed', { count: gone.length })
  return jobs.map(({ job_id: jobId, job }) => {
    if (!doomed.some(({ id }) => id === job.asset_id)) return { jobId, state: 'done' }
    if (!results.has(job.asset_id)) return { jobId, state: 'continues', left: {} }
    const failure = results.get(job.asset_id)
    return failure === undefined ? { jobId, state: 'done' } : { jobId, state: 'failed', reason: failure }
  })
}

function waiting(assetIds: string[]): string {
  return `media_assets?id=in.(${assetIds.join(',')})&state=eq.delete_requested`
}

function of(assets: Asset[], provider: Asset['provider']): Asset[] {
  return assets.filter((asset) => asset.provider === provider)
}

/** Some at a time, while there is time; the others keep no result. */
async function destroyAll(assets: Asset[], destroy: Destroy, results: Results): Promise<void> {
  const deadline = performance.now() + limits.destroyingMs
  const queue = assets.values()
  const destroyer = async () => {
    // They share one queue: each takes what comes next.
    for (const asset of queue) {
      if (performance.now() > deadline) return
      results.set(asset.id, await failureOf(destroy(asset)))
    }
  }
  await Promise.all(Array.from({ length: limits.atOnce }, destroyer))
}

async function removeAll(assets: Asset[], database: Database, results: Results): Promise<void> {
  if (assets.length === 0) return
  const names = assets.map(({ public_id }) => public_id)
  const failure = await failureOf(removeFromStorage(names, database))
  for (const { id } of assets) results.set(id, failure)
}

async function failureOf(work: Promise<void>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    return reason(error)
  }
}
