// How long a broadcast from the database takes from its commit to the replication stream's listener, by itself: no
// socket, no channel.
//
//   node --import tsx bench/realtime-database.ts

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { bootstrap } from '../src/stack/postgres/bootstrap.ts'
import { startCluster } from '../src/stack/postgres/cluster.ts'
import { freePort } from '../src/stack/postgres/ports.ts'
import { startReplication } from '../src/stack/realtime/replication.ts'

const perSecond = 200
const seconds = 10

const dir = mkdtempSync(join(tmpdir(), 'parley-bench-'))
// As developers run it: a commit is on the disk before it is streamed.
const cluster = await startCluster({ dir, port: await freePort(), durable: true })
try {
  await bootstrap(cluster.url('supabase_admin'))
  const heardAt = new Map<string, number>()
  const replication = await startReplication({
    url: cluster.url('supabase_realtime_admin'),
    log: console.error,
    onBroadcast: ({ event }) => heardAt.set(event, performance.now()),
    onChange: () => {},
    onLost: () => {},
  })
  const pool = new pg.Pool({ connectionString: cluster.url('postgres'), max: 4 })
  const sentAt: number[] = []
  const sent: Promise<unknown>[] = []
  const begun = performance.now()
  for (let n = 0; n < perSecond * seconds; n++) {
    await sleep(Math.max(0, begun + (n * 1000) / perSecond - performance.now()))
    // Before the statement, so the commit itself is in the figure.
    sentAt.push(performance.now())
    sent.push(pool.query('select realtime.send($1, $2, $3)', [{ text: 'x'.repeat(200) }, String(n), 'den']))
  }
  await Promise.all(sent)
  const patience = performance.now() + 5000
  while (heardAt.size < sentAt.length && performance.now() < patience) await sleep(10)
  await pool.end()
  await replication.close()

  const latencies = sentAt
    .flatMap((at, n) => (heardAt.has(String(n)) ? [(heardAt.get(String(n)) ?? 0) - at] : []))
    .sort((a, b) => a - b)
  const at = (share: number) => `${(latencies[Math.floor(latencies.length * share)] ?? Number.NaN).toFixed(1)} ms`
  console.table([
    { what: 'delivered', ours: `${latencies.length} of ${sentAt.length}`, target: 'all' },
    { what: 'median', ours: at(0.5), target: '< 30 ms' },
    { what: '99th of 100', ours: at(0.99), target: '' },
  ])
} finally {
  await cluster.stop()
  rmSync(dir, { recursive: true, force: true })
}
