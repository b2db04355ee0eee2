import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startAuth } from './auth/auth.ts'
import type { Mail } from './auth/mail.ts'
import { readConfig } from './config.ts'
import { startDatabase } from './database.ts'
import { readEnvironmentFile } from './environment-file.ts'
import { startCron } from './extensions/cron.ts'
import { startNet } from './extensions/net.ts'
import { readFunctions } from './functions/config.ts'
import { startFunctions } from './functions/functions.ts'
import { tellDatabase } from './functions/tell-database.ts'
import { startGateway } from './gateway/gateway.ts'
import { localKeys } from './keys.ts'
import { lock } from './lock.ts'
import { stopLeftover } from './postgres/cluster.ts'
import { requireFreePorts } from './postgres/ports.ts'
import { watchServer } from './postgres/watch.ts'
import { startRealtime } from './realtime/realtime.ts'
import { startRest } from './rest/rest.ts'
import { startSandbox } from './sandbox/sandbox.ts'
import { startStorage } from './storage/storage.ts'

export interface StackOptions {
  /** The project's folder, with `supabase/` and `edge-functions/`. */
  root: string
  /** Where the stack keeps everything of its own, between runs too. */
  dir: string
  /** The gateway's port, 54321 by custom. */
  port: number
  /** The database's port, 54322 by custom. */
  databasePort: number
  /** Gives the start up; nothing is left running. */
  signal?: AbortSignal | undefined
  /** Told what is being done, a step at a time. */
  step(what: string): void
  /** Told what the developer should know. */
  warn(what: string): void
  /** Told what the services say. */
  log(line: string): void
  mail(mail: Mail): void
  /** How hard hashing passwords is, 10 unless told otherwise. Less is for tests only. */
  bcryptCost?: number | undefined
}

/** A running stack. Its addresses and keys stand in `<dir>/stack.json` too, for as long as it runs. */
export interface Stack {
  url: string
  databaseUrl: string
  publishableKey: string
  secretKey: string
  /** Resolves when Postgres has ended, and with it everything but `close`. */
  databaseEnded: Promise<void>
  close(): Promise<void>
}

/**
 * Starts everything, or nothing: what was started before a failure is stopped again.
 * @throws AlreadyRunning, PortsTaken, BrokenMigration, and whatever keeps a part from starting
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { root, dir, port, databasePort, step, log } = options
  // What is to be undone, last things first.
  const undo: Array<() => unknown> = []
  const close = async () => {
    const failures: unknown[] = []
    // One part that does not stop must not keep the others running.
    for (const action of undo.splice(0).reverse()) {
      await Promise.resolve()
        .then(action)
        .catch((error) => failures.push(error))
    }
    if (failures.length) throw new AggregateError(failures, `Not everything was stopped: ${failures.join('; ')}`)
  }

  try {
    undo.push(lock(dir))
    // It would be on our own port.
    await stopLeftover(join(dir, 'postgres'))
    await requireFreePorts([port, databasePort])
    const database = await startDatabase({ ...options, dir: join(dir, 'postgres'), port: databasePort })
    undo.push(database.stop)
    options.signal?.throwIfAborted()

    step('Starting REST, Auth, Storage, Realtime, Functions and the sandbox')
    const url = `http://127.0.0.1:${port}`
    const databaseUrl = database.url('postgres')
    const admin = database.url('supabase_admin')
    const config = readConfig(root)
    const shared = { keys: localKeys, log }
    const sandbox = await startSandbox({ dir: join(dir, 'sandbox'), log })
    undo.push(() => sandbox.close())
    const secrets = {
      ...sandbox.env,
      PARLEY_JOB_SECRET: randomBytes(32).toString('base64url'),
      ...readEnvironmentFile(root),
    }
    await tellDatabase(databaseUrl, `${url}/functions/v1`, secrets.PARLEY_JOB_SECRET)

    const starting = [
      startRest({ ...shared, databaseUrl: database.url('authenticator'), introspectionUrl: admin }),
      startAuth({
        ...shared,
        ...config.auth,
        databaseUrl: database.url('supabase_auth_admin'),
        externalUrl: url,
        mail: options.mail,
        bcryptCost: options.bcryptCost,
      }),
      startStorage({
        ...shared,
        databaseUrl: database.url('supabase_storage_admin'),
        dir: join(dir, 'storage'),
        fileSizeLimit: config.fileSizeLimit,
      }),
      startFunctions({
        root,
        url,
        databaseUrl,
        keys: localKeys,
        functions: readFunctions(root),
        env: secrets,
        log: (name, text) => log(`function ${name}: ${text}`),
      }),
      startRealtime({ ...shared, databaseUrl: database.url('supabase_realtime_admin') }),
      startCron({ url: admin, log }),
      startNet({ url: databaseUrl, log }),
    ] as const
    // Whatever did start is stopped again, also when another part fails first.
    for (const part of await Promise.allSettled(starting)) {
      if (part.status === 'fulfilled') undo.push(() => part.value.close())
    }
    const [rest, auth, storage, functions, realtime] = await Promise.all(starting)

    const gateway = await startGateway(
      port,
      {
        '/rest/v1': rest,
        '/auth/v1': auth,
        '/storage/v1': storage,
        '/functions/v1': functions,
        '/realtime/v1': realtime,
        '/sandbox': sandbox,
      },
      log,
    )
    undo.push(gateway.close)
    // First of all: clients are told goodbye while there is still a connection.
    undo.push(() => realtime.close())

    const watch = await watchServer(databaseUrl)
    undo.push(watch.close)

    const { publishable: publishableKey, secret: secretKey } = localKeys
    const stack = { url, databaseUrl, publishableKey, secretKey, databaseEnded: watch.ended, close }
    undo.push(announce(dir, stack))
    return stack
  } catch (error) {
    await close()
    throw error
  }
}

function announce(dir: string, { url, databaseUrl, publishableKey, secretKey }: Stack): () => void {
  const file = join(dir, 'stack.json')
  const content = { url, db_url: databaseUrl, publishable_key: publishableKey, secret_key: secretKey }
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
  return () => rmSync(file, { force: true })
}
