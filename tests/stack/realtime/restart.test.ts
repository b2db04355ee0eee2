import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { bootstrap } from '../../../src/stack/postgres/bootstrap.ts'
import { type Cluster, startCluster, stopLeftover } from '../../../src/stack/postgres/cluster.ts'
import { freePort } from '../../../src/stack/postgres/ports.ts'
import { type DatabaseBroadcast, type Replication, startReplication } from '../../../src/stack/realtime/replication.ts'

let dir: string
let cluster: Cluster
let replication: Replication
let broadcasts: DatabaseBroadcast[]
let losses: number

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'parley-realtime-'))
  cluster = await startCluster({ dir, port: await freePort(), durable: false })
  await bootstrap(cluster.url('supabase_admin'))
  broadcasts = []
  losses = 0
  replication = await startReplication({
    url: cluster.url('supabase_realtime_admin'),
    log: () => {},
    onBroadcast: (message) => broadcasts.push(message),
    onChange: () => {},
    onLost: () => {
      losses += 1
    },
  })
})

afterEach(async () => {
  await replication.close()
  await stopLeftover(dir)
  rmSync(dir, { recursive: true, force: true })
})

async function send(event: string): Promise<void> {
  const client = new pg.Client({ connectionString: cluster.url('postgres') })
  await client.connect()
  await client.query(`select realtime.send('{}', $1, 'den')`, [event])
  await client.end()
}

test('a restart of Postgres is survived, and what is committed once live again is heard', async () => {
  await send('before')
  await vi.waitFor(() => expect(broadcasts).toHaveLength(1))
  await cluster.stop()
  await vi.waitFor(() => expect(losses).toBe(1))
  cluster = await startCluster({ dir, port: cluster.port, durable: false })
  await replication.live()
  await send('after')
  await vi.waitFor(() => expect(broadcasts.map((message) => message.event)).toEqual(['before', 'after']))
  expect(losses).toBe(1)
})

test('pg-logical-replication 2.5.0 acknowledges a byte too much, for which a stopping Postgres would wait in vain', async () => {
  await send('before')
  await vi.waitFor(() => expect(broadcasts).toHaveLength(1))
  await cluster.stop()
  expect(readFileSync(join(dir, 'postgres.log'), 'utf8')).not.toContain('immediate shutdown')
})
