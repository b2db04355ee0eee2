import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bootstrap } from './bootstrap.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { freePort } from './ports.ts'

/**
 * A hosted project's empty database in the system's temporary folder, on a free port: a developer's own stack is left
 * alone. Gone without a trace when closed.
 */
export async function startScratchCluster(): Promise<Cluster> {
  const dir = mkdtempSync(join(tmpdir(), 'parley-scratch-'))
  const cluster = await startCluster({ dir, port: await freePort(), durable: false })
  const stop = async () => {
    await cluster.stop()
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    await bootstrap(cluster.url('supabase_admin'))
  } catch (error) {
    await stop()
    throw error
  }
  return { ...cluster, stop }
}
