import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startTime } from './processes.ts'

/** Another stack runs in this folder. */
class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning'
  readonly pid: number

  constructor(dir: string, pid: number) {
    super(`A stack is running in ${dir} already (process ${pid}). Use it, or stop it with Ctrl-C or: kill ${pid}`)
    this.pid = pid
  }
}

/**
 * Takes the folder for this process. A lock that a killed process left behind does not count.
 * @returns what gives it back
 * @throws AlreadyRunning
 */
export function lock(dir: string): () => void {
  mkdirSync(dir, { recursive: true })
  const file = join(dir, 'lock')
  const mine = `${process.pid} ${startTime(process.pid)}`
  while (!created(file, mine)) {
    const pid = runningIn(dir)
    if (pid !== null) throw new AlreadyRunning(dir, pid)
    rmSync(file, { force: true })
  }
  return () => rmSync(file, { force: true })
}

/** The process that holds the folder, if it is alive. */
export function runningIn(dir: string): number | null {
  let content: string
  try {
    content = readFileSync(join(dir, 'lock'), 'utf8')
  } catch {
    return null
  }
  const [pid = '', ...started] = content.split(' ')
  return startTime(Number(pid)) === started.join(' ') ? Number(pid) : null
}

function created(file: string, content: string): boolean {
  try {
    writeFileSync(file, content, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
