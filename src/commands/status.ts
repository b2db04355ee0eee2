import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { runningIn } from '../stack/lock.ts'
import { projectRoot } from '../stack/supabase-cli.ts'
import { addresses } from './addresses.ts'

/** `npm run status`: what runs, and where. Exit code 1 when nothing does. */
export async function status(): Promise<void> {
  const dir = join(projectRoot, '.parley')
  const pid = runningIn(dir)
  const file = join(dir, 'stack.json')
  if (pid === null) {
    console.log('Nothing is running. Start it with: npm start')
    process.exitCode = 1
  } else if (!existsSync(file)) {
    console.log(`Starting or stopping (process ${pid}).`)
  } else {
    console.log(`Running (process ${pid}):\n${addresses(file)}`)
  }
}
