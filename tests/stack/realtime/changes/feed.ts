import pg from 'pg'
import { expect, vi } from 'vitest'
import {
  type ChangeEntry,
  type ChangePayload,
  Changes,
  type ChangesSubscription,
} from '../../../../src/stack/realtime/changes/changes.ts'
import type { Claims } from '../../../../src/stack/realtime/claims.ts'
import { startReplication } from '../../../../src/stack/realtime/replication.ts'
import { createDatabase } from '../../../support/database.ts'

export interface Follower {
  subscription: ChangesSubscription
  payloads: ChangePayload[]
  /** The `data` of each payload. */
  data(): Array<Record<string, unknown>>
  /** What identifies the row of each payload. */
  rows(): unknown[]
}

const exp = 4_000_000_000

export const anon: Claims = { role: 'anon', exp }
export const serviceRole: Claims = { role: 'service_role', exp }
export const user = (sub: string): Claims => ({ role: 'authenticated', exp, sub })

/** A database of the test file's own, whose changes are streamed. */
export type Feed = Awaited<ReturnType<typeof startFeed>>

/** @param schema SQL, run as `postgres`, that makes and publishes the tables */
export async function startFeed(schema: string) {
  const database = await createDatabase({ migrated: false })
  const client = new pg.Client({ connectionString: database.url() })
  await client.connect()
  await client.query(
    `create table public.marks (id int primary key); alter publication supabase_realtime add table public.marks`,
  )
  await client.query(schema)

  const lines: string[] = []
  const log = (line: string) => void lines.push(line)
  const url = database.url('supabase_realtime_admin')
  const changes = new Changes({ url, log })
  let marked = 0
  let streamed = 0
  const replication = await startReplication({
    url,
    log,
    onBroadcast: () => {},
    onResumed: () => {},
    onChange: (change) => {
      if (change.table === 'marks') marked++
      else streamed++
      changes.handle(change)
    },
  })
  await replication.live()

  const subscribe = (entries: ChangeEntry[], claims: Claims, rebuilt?: (error: Error | null) => void): Follower => {
    const payloads: ChangePayload[] = []
    const subscription = changes.subscribe(entries, claims, (payload) => void payloads.push(payload), rebuilt)
    const data = () => payloads.map((payload) => payload.data)
    const rows = () => data().map(({ record, old_record }) => ((record ?? old_record) as { id?: unknown }).id)
    return { subscription, payloads, data, rows }
  }
  /** Sees everything, so that the others can be waited for: a change is told to all of them at once. */
  const witness = subscribe([{ event: '*', schema: '*' }], serviceRole)
  await witness.subscription.ready
  const followers: Follower[] = []

  let marks = 0
  return {
    client,
    changes,
    lines,
    subscribe(entries: ChangeEntry[], claims: Claims, rebuilt?: (error: Error | null) => void): Follower {
      const follower = subscribe(entries, claims, rebuilt)
      followers.push(follower)
      return follower
    },
    /** A subscription that is active. */
    async follow(entries: ChangeEntry[], claims: Claims): Promise<Follower> {
      const follower = this.subscribe(entries, claims)
      await follower.subscription.ready
      return follower
    },
    /** Waits until everything committed so far has been told to whom it is told. */
    async caughtUp(): Promise<void> {
      await client.query('insert into public.marks values ($1)', [++marks])
      await vi.waitFor(
        () => {
          expect(marked).toBe(marks)
          expect(witness.payloads).toHaveLength(marked + streamed)
        },
        { timeout: 10_000, interval: 5 },
      )
    },
    /** Nothing is left of a test. */
    reset(): void {
      for (const { subscription } of followers.splice(0)) subscription.close()
      lines.splice(0)
    },
    async close(): Promise<void> {
      await replication.close()
      await changes.close()
      await client.end()
      await database.drop()
    },
  }
}
