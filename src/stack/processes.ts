import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * When a process started, in whatever words the system has for it. With the pid it names a process for good: pids come
 * again, at another time. Null: there is no such process.
 */
export function startTime(pid: number): string | null {
  try {
    if (process.platform === 'linux') {
      // Field 22; the second field, the program's name in parentheses, may hold spaces.
      const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(/\) (?!.*\) )/)
      return fields.split(' ')[19] ?? null
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null
  } catch {
    return null
  }
}
