// How long the stack takes to start, and how much memory it holds when nobody uses it.
//
//   npm run bench:stack            the stack
//   npm run bench:stack -- --test  and npm test, which takes minutes

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createProject, type Project, processesOf } from '../tests/support/project.ts'

interface Figure {
  what: string
  ours: string
  target: string
  met: boolean
}

const seconds = (what: string, ours: number, target: number): Figure => ({
  what,
  ours: `${ours.toFixed(1)} s`,
  target: `< ${target} s`,
  met: ours < target,
})

async function startOf(project: Project): Promise<{ seconds: number; stop: () => Promise<void> }> {
  const since = performance.now()
  const stack = await project.start()
  return { seconds: (performance.now() - since) / 1000, stop: () => stack.stop('SIGTERM') }
}

/** What these processes hold, in MB. Memory that several share is divided among them. */
function residentMemory(pids: number[]): number {
  const kilobytes = pids.map((pid) => {
    const pss = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+) kB/m)
    return Number(pss?.[1] ?? 0)
  })
  return kilobytes.reduce((sum, each) => sum + each, 0) / 1024
}

async function figures(): Promise<Figure[]> {
  const project = await createProject()
  try {
    const first = await startOf(project)
    await first.stop()
    const later = await startOf(project)
    // Idle: what was needed for starting has been given back.
    await sleep(20_000)
    const memory = residentMemory(processesOf(project))
    await later.stop()
    return [
      seconds('first start', first.seconds, 20),
      seconds('later start', later.seconds, 4),
      { what: 'memory when idle', ours: `${memory.toFixed(0)} MB`, target: '< 400 MB', met: memory < 400 },
    ]
  } finally {
    project.remove()
  }
}

const table = await figures()
if (process.argv.includes('--test')) {
  const since = performance.now()
  const { status } = spawnSync('npm', ['test'], { stdio: 'inherit' })
  if (status !== 0) process.exit(1)
  table.push(seconds('npm test', (performance.now() - since) / 1000, 240))
}
console.table(table)
