import { join } from 'node:path'
import type { Mail } from '../stack/auth/mail.ts'
import { AlreadyRunning, runningIn } from '../stack/lock.ts'
import { isPortFree, listenerOn } from '../stack/postgres/ports.ts'
import { type Stack, startStack } from '../stack/stack.ts'
import { projectRoot } from '../stack/supabase-cli.ts'
import { Progress } from './progress.ts'

/** `npm start`: runs until Ctrl-C or SIGTERM. */
export async function start(port: number, databasePort: number): Promise<void> {
  const dir = join(projectRoot, '.parley')
  const pid = runningIn(dir)
  if (pid !== null) throw new AlreadyRunning(dir, pid)
  await requireFreePort(port, '--port')
  await requireFreePort(databasePort, '--db-port')

  const stopped = stopSignal()
  const progress = new Progress()
  const starting = startStack({
    root: projectRoot,
    dir,
    port,
    databasePort,
    step: (what) => progress.step(what),
    warn: (what) => progress.note(what),
    log: (line) => console.log(line),
    mail: showMail,
  })
  const stack = await starting.finally(() => progress.end())
  console.log(banner(stack))
  await stopped
  console.log('\nStopping …')
  await stack.close()
  // A connection that somebody holds open must not keep us.
  process.exit(0)
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
  })
}

async function requireFreePort(port: number, flag: string): Promise<void> {
  if (await isPortFree(port)) return
  const listener = listenerOn(port)
  const who = listener ? ` by process ${listener.pid} (${listener.command.slice(0, 120)})` : ''
  throw new Error(`Port ${port} is taken${who}. Choose another one: npm start -- ${flag} ${port + 100}`)
}

/** The accounts of supabase/seed.sql. */
export const demoPeople = {
  password: 'parley-demo',
  emails: ['ana@grand-hotel.example', 'ben@grand-hotel.example', 'chloe@grand-hotel.example', 'dan@example.com'],
}

function banner({ url, databaseUrl, publishableKey, secretKey }: Stack): string {
  return `
  Parley is running.

  API              ${url}
  Database         ${databaseUrl}
  Publishable key  ${publishableKey}
  Secret key       ${secretKey}
  Sandbox          ${url}/sandbox/cloudinary  ${url}/sandbox/fcm

  Demo people      ${demoPeople.emails.join('\n                   ')}
  Their password   ${demoPeople.password}

  Stop with Ctrl-C. The data stays in .parley/; npm run reset makes it anew.
`
}

function showMail({ to, subject, text }: Mail): void {
  console.log(`\nMail to ${to}: ${subject}\n${text}\n`)
}
