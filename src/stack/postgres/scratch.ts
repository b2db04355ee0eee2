import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTime } from '../processes.ts'
import { bootstrap } from './bootstrap.ts'
import { type Cluster, startCluster, stopLeftover } from './cluster.ts'
import { freePort } from './ports.ts'

const prefix = 'parley-scratch-'

/**
 * A hosted project's empty database in the system's temporary folder, on a free port: a developer's own stack is left
 * alone. Gone without a trace when closed.
 *
 * Durable: a commit waits for the disk, as in production; without it, tests run faster.
 */
export async function startScratchCluster({ durable = false } = {}): Promise<Cluster> {
  await sweep()
  const dir = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`))
  const cluster = await startCluster({ dir, port: await freePort(), durable })
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

/** Does some work with a scratch cluster, and removes it whatever happens: also at Ctrl-C. */
export async function withScratchCluster(
  work: (cluster: Cluster) => Promise<void>,
  options?: { durable: boolean },
): Promise<void> {
  const cluster = await startScratchCluster(options)
  const leave = () => void cluster.stop().finally(() => process.exit(1))
  process.once('SIGINT', leave).once('SIGTERM', leave)
  try {
    await work(cluster)
  } finally {
    process.off('SIGINT', leave).off('SIGTERM', leave)
    await cluster.stop()
  }
}

/** Removes what runs that were killed could not remove: their pid, in the folder's name, is nobody's any more. */
async function sweep(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(prefix))) {
    const pid = Number(name.slice(prefix.length).split('-')[0])
    if (startTime(pid) !== null) continue
    const dir = join(tmpdir(), name)
    try {
      await stopLeftover(dir)
      rmSync(dir, { recursive: true, force: true })
    } catch (error) {
      // Another user's, most likely: theirs to remove.
      console.warn(`${dir} is left from a run that was killed, and cannot be removed: ${(error as Error).message}`)
    }
  }
}
