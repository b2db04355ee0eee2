import { Buffer } from 'node:buffer'
import { cloudinaryAccount } from '../_shared/cloudinary.ts'
import type { Database } from '../_shared/database.ts'
import type { Job, Outcome } from '../_shared/jobs.ts'
import { type Log, reason } from '../_shared/log.ts'
import { fetchOutside, jsonOf } from '../_shared/outside.ts'
import { unavailable } from '../_shared/refusal.ts'

/** What Cloudinary and the rows do not agree on, of a part of all files. Nothing is changed. */
export interface Report {
  /** At Cloudinary, and no file of ours: its row is gone or never was. */
  unknown: Stored[]
  /** Files that a message shows or may show, and Cloudinary has not. */
  missing: Row[]
  /** Where to go on; null at the end. */
  next: string | null
}

/** Where the comparing of all files is. */
export interface CompareJob {
  compare: string
}

interface Stored {
  public_id: string
  resource_type: string
  bytes: number
  created_at: string
}

interface Row {
  id: string
  public_id: string
  resource_type: string
}

// Cloudinary allows some hundreds of such calls an hour.
const limits = { steps: 5, listed: 500, rows: 100 }
const kinds = ['image', 'video', 'raw']

/**
 * Compares some pages, in turn of Cloudinary's images, videos and other files, and of our rows.
 *
 * @param page `<kind>:<Cloudinary's cursor>` or `rows:<id of the last one>`
 */
export async function reconcile(page: string, database: Database): Promise<Report> {
  const report: Report = { unknown: [], missing: [], next: page }
  for (let step = 0; step < limits.steps && report.next !== null; step++) {
    const [kind = '', cursor = ''] = splitPage(report.next)
    report.next =
      kind === 'rows'
        ? await compareRows(cursor, database, report.missing)
        : await compareStored(kind, cursor, database, report.unknown)
  }
  return report
}

/**
 * One page a call: of what Cloudinary has, what lies under a name of ours and is none of our files is given up, and becomes
 * jobs of its own. What else is unknown is only reported, and by reconcile.
 */
export async function giveUpStrays(
  { job_id: jobId, job }: Job<CompareJob>,
  database: Database,
  log: Log,
): Promise<Outcome> {
  try {
    const [kind = '', cursor = ''] = splitPage(job.compare)
    const { resources, next } = await page(kind, cursor)
    const given_up = await database.rpc<number>('give_up_strays', {
      p_public_ids: resources.map(({ public_id }) => public_id),
      p_resource_type: kind,
    })
    log('compared', { page: job.compare, listed: resources.length, given_up })
    return next === 'rows:' ? { jobId, state: 'done' } : { jobId, state: 'continues', left: { compare: next } }
  } catch (error) {
    return { jobId, state: 'failed', reason: reason(error) }
  }
}

function splitPage(page: string): string[] {
  return /^(\w+):(.*)$/s.exec(page)?.slice(1) ?? []
}

async function compareStored(kind: string, cursor: string, database: Database, unknown: Stored[]): Promise<string> {
  const { resources, next } = await page(kind, cursor)
  const strays = await database.rpc<string[]>('unknown_files', {
    p_public_ids: resources.map(({ public_id }) => public_id),
    p_resource_type: kind,
  })
  for (const { public_id, resource_type, bytes, created_at } of resources) {
    if (strays.includes(public_id)) unknown.push({ public_id, resource_type, bytes, created_at })
  }
  return next
}

/** What Cloudinary has of a kind, as far as one call tells, and where to go on. */
async function page(kind: string, cursor: string): Promise<{ resources: Stored[]; next: string }> {
  const query = new URLSearchParams({ prefix: 'parley/', max_results: String(limits.listed) })
  if (cursor) query.set('next_cursor', cursor)
  const { resources, next_cursor } = await list(kind, query)
  return { resources, next: next_cursor ? `${kind}:${next_cursor}` : `${kinds[kinds.indexOf(kind) + 1] ?? 'rows'}:` }
}

async function compareRows(lastId: string, database: Database, missing: Row[]): Promise<string | null> {
  const after = lastId ? `&id=gt.${encodeURIComponent(lastId)}` : ''
  const rows = await database.rows<Row[]>(
    `media_assets?provider=eq.cloudinary&state=in.(verified,attached)${after}&order=id&limit=${limits.rows}&select=id,public_id,resource_type`,
  )
  for (const kind of kinds) {
    const expected = rows.filter(({ resource_type }) => resource_type === kind)
    if (expected.length === 0) continue
    const query = new URLSearchParams(expected.map(({ public_id }) => ['public_ids[]', public_id]))
    const { resources } = await list(kind, query)
    const there = new Set(resources.map(({ public_id }) => public_id))
    missing.push(...expected.filter(({ public_id }) => !there.has(public_id)))
  }
  const last = rows.at(-1)
  return last && rows.length === limits.rows ? `rows:${last.id}` : null
}

// With fetch, because the SDK's Admin API throws errors that carry the secret.
async function list(kind: string, query: URLSearchParams): Promise<{ resources: Stored[]; next_cursor?: string }> {
  const { cloudName, apiKey, apiSecret, origin } = cloudinaryAccount()
  const credentials = Buffer.from(`${apiKey}:${apiSecret}`).toString('base64')
  const response = await fetchOutside(`${origin}/v1_1/${cloudName}/resources/${kind}/authenticated?${query}`, {
    headers: { authorization: `Basic ${credentials}` },
  })
  const answer = await jsonOf<{ resources?: Stored[]; next_cursor?: string }>(response)
  const { resources, next_cursor } = answer
  if (!response.ok || !resources) throw unavailable(new Error(`Cloudinary answered ${response.status}.`))
  return { resources, ...(next_cursor && { next_cursor }) }
}
