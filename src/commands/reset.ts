import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { startDatabase } from '../stack/database.ts'
import { lock } from '../stack/lock.ts'
import { stopLeftover } from '../stack/postgres/cluster.ts'
import { freePort } from '../stack/postgres/ports.ts'
import { projectRoot } from '../stack/supabase-cli.ts'
import { Progress } from './progress.ts'

/** `npm run reset`: a fresh database with migrations and seed, and no files. @throws AlreadyRunning */
export async function reset(): Promise<void> {
  const dir = join(projectRoot, '.parley')
  const unlock = lock(dir)
  const progress = new Progress()
  try {
    // A server that a killed stack left behind would go on without its files.
    await stopLeftover(join(dir, 'postgres'))
    for (const part of ['postgres', 'storage', 'sandbox']) rmSync(join(dir, part), { recursive: true, force: true })
    const database = await startDatabase({
      root: projectRoot,
      dir: join(dir, 'postgres'),
      port: await freePort(),
      step: (what) => progress.step(what),
      warn: (what) => progress.note(what),
    })
    await database.stop()
  } finally {
    progress.end()
    unlock()
  }
  console.log('The database is fresh. Start it with: npm start')
}
