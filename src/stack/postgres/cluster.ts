import { type SpawnOptions, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { installExtensions } from '../extensions/install.ts'
import { postgresBinaries } from './binaries.ts'
import { launch, operatingUser } from './operating-user.ts'

/** The database roles that log in, named as on hosted Supabase. */
export type LoginRole =
  | 'postgres'
  | 'supabase_admin'
  | 'authenticator'
  | 'supabase_auth_admin'
  | 'supabase_storage_admin'
  | 'supabase_realtime_admin'

export interface Cluster {
  port: number
  /** A connection string. Every role has the same password: the server listens on loopback only. */
  url(role: LoginRole, database?: string): string
  stop(): Promise<void>
}

export interface ClusterOptions {
  /** Holds the data and the server's log; made when it is not there. */
  dir: string
  port: number
  /** False for tests: a power cut may lose what was committed, a killed process may not. */
  durable: boolean
}

export const password = 'postgres'

const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  wal_level: 'logical',
  // A replication slot nobody reads must not fill the disk.
  max_slot_wal_keep_size: '256MB',
  max_connections: '200',
  shared_buffers: '64MB',
  // Compiling a chat's short queries costs more than it saves; hosted has it off too.
  jit: 'off',
}
const settingsOfTests = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  // Replication streams what has been written, and no commit waits for that here: 200 ms by default.
  wal_writer_delay: '10ms',
}

/** Whether this folder holds a cluster already. */
export function clusterExists(dir: string): boolean {
  return existsSync(join(dir, 'data', 'PG_VERSION'))
}

/**
 * Makes the cluster if needed and starts it. A server that a killed stack left behind is stopped first.
 */
export async function startCluster({ dir, port, durable }: ClusterOptions): Promise<Cluster> {
  const { share } = postgresBinaries()
  await installExtensions(share)
  const data = join(dir, 'data')
  const log = join(dir, 'postgres.log')
  await stopLeftover(dir)
  if (!clusterExists(dir)) await initialise(dir, data, durable)

  const start = () => run('pg_ctl', ['start', '-w', '-s', '-D', data, '-l', log, '-o', `-p ${port}`], data)
  try {
    await start()
  } catch {
    // Just after a kill the old server's shared memory may still be held for a moment.
    await sleep(1000)
    await start().catch((error) => {
      throw new Error(`Postgres did not start. The end of ${log}:\n${tail(log)}`, { cause: error })
    })
  }

  return {
    port,
    url: (role, database = 'postgres') => `postgresql://${role}:${password}@127.0.0.1:${port}/${database}`,
    stop: () => stop(data),
  }
}

async function initialise(dir: string, data: string, durable: boolean): Promise<void> {
  mkdirSync(dir, { recursive: true })
  const user = operatingUser()
  if (user) chownSync(dir, user.uid, user.gid)
  const passwordFile = join(dir, 'password')
  writeFileSync(passwordFile, password, { mode: 0o644 })
  const identity = ['-U', 'supabase_admin', `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
  const encoding = ['--encoding=UTF8', '--locale=C.UTF-8']
  const chosen = Object.entries({ ...settings, ...(durable ? {} : settingsOfTests) })
  // Under another name until it is whole: half a cluster must not be taken for one.
  const making = join(dir, 'data.making')
  rmSync(making, { recursive: true, force: true })
  await run(
    'initdb',
    ['-D', making, ...identity, ...encoding, '-N', ...chosen.flatMap(([k, v]) => ['-c', `${k}=${v}`])],
    making,
  )
  renameSync(making, data)
  rmSync(passwordFile)
}

/** Stops the server that a killed stack left behind, if there is one. It has written down whatever was committed. */
export async function stopLeftover(dir: string): Promise<void> {
  if (!clusterExists(dir)) return
  const data = join(dir, 'data')
  if (await isRunning(data)) await stop(data)
}

async function stop(data: string): Promise<void> {
  // Fast: ends sessions and writes everything down. Immediate: only when that hangs; the next start recovers.
  for (const mode of ['fast', 'immediate']) {
    try {
      return await run('pg_ctl', ['stop', '-w', '-s', '-m', mode, '-t', '4', '-D', data], data)
    } catch (error) {
      // Somebody else has ended it: what was to be done is done.
      if (!(await isRunning(data))) return
      if (mode === 'immediate') throw error
    }
  }
}

async function isRunning(data: string): Promise<boolean> {
  return run('pg_ctl', ['status', '-D', data], data).then(
    () => true,
    () => false,
  )
}

/** Runs one of Postgres' programs to its end. @throws with what it wrote, when it fails. */
async function run(program: string, args: string[], data: string): Promise<void> {
  const { command, args: all, options } = launch(join(postgresBinaries().bin, program), args, data, operatingUser())
  // The server inherits these: files and not pipes, or a killed stack would take its log away.
  // A process group of its own, or the terminal's Ctrl-C would stop it before we have said goodbye.
  const spawnOptions: SpawnOptions = {
    ...options,
    cwd: dirname(dirname(data)),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  }
  const child = spawn(command, all, spawnOptions)
  let output = ''
  child.stdout?.on('data', (chunk) => {
    output += chunk
  })
  child.stderr?.on('data', (chunk) => {
    output += chunk
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', resolve)
  })
  child.stdout?.destroy()
  child.stderr?.destroy()
  if (code !== 0) throw new Error(`${program} failed: ${output.trim()}`)
}

function tail(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').slice(-8).join('\n') : '(no log)'
}
