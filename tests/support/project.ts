import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../src/stack/postgres/ports.ts'
import { projectRoot } from '../../src/stack/supabase-cli.ts'

/** A copy of this project in the system's temporary folder, to start and stop as a developer would. */
export interface Project {
  dir: string
  /** The home of who starts it: nothing is to be written there. */
  home: string
  port: number
  databasePort: number
  /** The flags that give it ports of its own. */
  ports: string[]
  /** Begins a command. */
  launch(...args: string[]): ReturnType<typeof launched>
  /** Runs a command to its end. */
  run(...args: string[]): Promise<{ code: number | null; output: string }>
  /** `npm start`, until it serves. @throws with what was printed when it ends before. */
  start(): Promise<Running>
  remove(): void
}

interface Running {
  child: ChildProcess
  output(): string
  ended: Promise<void>
  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals): Promise<void>
}

/** @param like another one that is stopped: its database comes along, which is faster than to make one */
export async function createProject(like?: Project): Promise<Project> {
  const home = mkdtempSync(join(tmpdir(), 'parley-home-'))
  const dir = mkdtempSync(join(tmpdir(), 'parley-project-'))
  for (const part of ['src', 'supabase', 'edge-functions', 'docs', 'package.json', 'deno.json']) {
    cpSync(join(projectRoot, part), join(dir, part), { recursive: true, filter: (path) => !path.endsWith('.temp') })
  }
  symlinkSync(join(projectRoot, 'node_modules'), join(dir, 'node_modules'))
  // -a keeps the owner of the database's files, who is not us when root started us.
  if (like) execFileSync('cp', ['-a', join(like.dir, '.parley'), dir])
  const [port, databasePort] = [await freePort(), await freePort()]
  const ports = ['--port', String(port), '--db-port', String(databasePort)]

  return {
    dir,
    home,
    port,
    databasePort,
    ports,
    launch: (...args) => launched(dir, home, args),
    async run(...args) {
      const { child, output, ended } = launched(dir, home, args)
      await ended
      return { code: child.exitCode, output: output() }
    },
    async start() {
      const { child, output, ended, printed } = launched(dir, home, ['start', ...ports])
      await Promise.race([
        printed('Parley is running.'),
        ended.then(() => Promise.reject(new Error(`It ended:\n${output()}`))),
      ])
      return {
        child,
        output,
        ended,
        async stop(signal) {
          child.kill(signal)
          await ended
        },
      }
    },
    remove: () => {
      for (const folder of [dir, home]) rmSync(folder, { recursive: true, force: true })
    },
  }
}

function launched(cwd: string, home: string, args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli.ts', ...args], {
    cwd,
    env: { ...process.env, HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  const listeners = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += chunk
      for (const listener of listeners) listener()
    })
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const printed = (what: string) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!text.includes(what)) return
        listeners.delete(look)
        resolve()
      }
      listeners.add(look)
    })
  return { child, output: () => text, ended, printed }
}

/** Every process that works in this project's folder: Node, Deno, Postgres and its helpers. */
export function processesOf(project: Project): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => worksIn(pid, project.dir))
}

function worksIn(pid: number, dir: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(dir)
  } catch {
    // It has just ended, or is another user's.
    return false
  }
}
