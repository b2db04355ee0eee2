import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'

/** A port on loopback that nobody uses right now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('No free port on 127.0.0.1.')
  return address.port
}

/** Somebody else listens on ports that we were to have. */
export class PortsTaken extends Error {
  override readonly name = 'PortsTaken'
  readonly ports: number[]

  constructor(ports: number[]) {
    super(ports.map((port) => `Port ${port} is taken${takenBy(port)}.`).join('\n'))
    this.ports = ports
  }
}

function takenBy(port: number): string {
  const listener = listenerOn(port)
  return listener ? ` by process ${listener.pid} (${listener.command.slice(0, 120)})` : ''
}

/** @throws PortsTaken, naming all that are */
export async function requireFreePorts(ports: number[]): Promise<void> {
  const taken: number[] = []
  for (const port of ports) if (!(await isPortFree(port))) taken.push(port)
  if (taken.length) throw new PortsTaken(taken)
}

async function isPortFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/**
 * The command line and pid of the process that listens on a port, where the system tells: Linux does, for our own
 * processes or for root. Null: not known.
 */
function listenerOn(port: number): { pid: number; command: string } | null {
  const inode = inodeOfListener(port)
  if (!inode) return null
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const isListener = readdirSync(`/proc/${pid}/fd`).some(
        (fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`,
      )
      if (isListener) {
        return { pid: Number(pid), command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() }
      }
    } catch {
      // Another user's process, or one that has just ended: not ours to look into.
    }
  }
  return null
}

function inodeOfListener(port: number): string | null {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0')
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    let lines: string[]
    try {
      lines = readFileSync(table, 'utf8').split('\n')
    } catch {
      return null
    }
    for (const line of lines) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
      if (local?.endsWith(`:${hexPort}`) && state === '0A' && inode) return inode
    }
  }
  return null
}
