import { join } from 'node:path'
import type { Mail } from '../stack/auth/mail.ts'
import { isRoutine } from '../stack/functions/routine.ts'
import { PortsTaken } from '../stack/postgres/ports.ts'
import { startStack } from '../stack/stack.ts'
import { projectRoot } from '../stack/supabase-cli.ts'
import { addresses } from './addresses.ts'
import { Progress } from './progress.ts'

const postgresLog = join('.parley', 'postgres', 'postgres.log')

/** `npm start`: runs until Ctrl-C or SIGTERM. */
export async function start(port: number, databasePort: number): Promise<void> {
  if (port === databasePort) throw new Error(`The API and the database cannot both have port ${port}.`)
  const stop = stopSignal()
  const progress = new Progress()
  const dir = join(projectRoot, '.parley')
  try {
    const stack = await startStack({
      root: projectRoot,
      dir,
      port,
      databasePort,
      signal: stop,
      step: (what) => progress.step(what),
      warn: (what) => progress.note(what),
      log: (line) => {
        if (!isRoutine(line)) console.log(line)
      },
      mail: showMail,
    }).finally(() => progress.end())
    console.log(`\n  Parley is running.\n${addresses(join(dir, 'stack.json'))}`)
    console.log('  Stop with Ctrl-C. The data stays in .parley/; npm run reset makes it anew.\n')
    await Promise.race([aborted(stop), stack.databaseEnded])
    if (!stop.aborted) {
      console.error(
        `\nPostgres has ended, and the stack with it. Why may stand in ${postgresLog}. Start again: npm start`,
      )
      process.exitCode = 1
    } else console.log('\nStopping …')
    await stack.close()
  } catch (error) {
    if (error instanceof PortsTaken) throw new Error(`${error.message}\n${adviceFor(error.ports, port)}`)
    if (!stop.aborted) throw error
    console.log('\nStopped before everything was started.')
  }
  // A connection that somebody holds open must not keep us.
  process.exit()
}

/** Aborted by the first Ctrl-C or SIGTERM. The second one does not wait for us to tidy up. */
function stopSignal(): AbortSignal {
  // A closed terminal cannot be written to any more, and stopping says that it stops.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => (controller.signal.aborted ? process.exit(1) : controller.abort()))
  }
  return controller.signal
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve())
  })
}

function adviceFor(taken: number[], apiPort: number): string {
  const flags = taken.map((port) => `${port === apiPort ? '--port' : '--db-port'} ${port + 100}`)
  return `Choose another: npm start -- ${flags.join(' ')}`
}

function showMail({ to, subject, text }: Mail): void {
  console.log(`\nMail to ${to}: ${subject}\n${text}\n`)
}
