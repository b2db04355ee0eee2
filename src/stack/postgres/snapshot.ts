import { execFile } from 'node:child_process'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

// A copy of the cluster's files, and not of its database: roles, settings and rights of the whole server come back too.
const data = (dir: string) => join(dir, 'data')
const snapshot = (dir: string) => join(dir, 'data.before')

/** Copies a stopped cluster. */
export async function takeSnapshot(dir: string): Promise<void> {
  const copying = join(dir, 'data.copying')
  rmSync(copying, { recursive: true, force: true })
  // -a keeps the owner, who is not us when root started us.
  await promisify(execFile)('cp', ['-a', data(dir), copying])
  renameSync(copying, snapshot(dir))
}

/** Whether what was to happen after `takeSnapshot` has not come to its end. */
export function hasSnapshot(dir: string): boolean {
  return existsSync(snapshot(dir))
}

/** Makes a stopped cluster what it was. */
export function restoreSnapshot(dir: string): void {
  rmSync(data(dir), { recursive: true, force: true })
  renameSync(snapshot(dir), data(dir))
}

/** All went well: the copy is not needed. */
export function dropSnapshot(dir: string): void {
  // Renamed first: a half-removed copy must not be restored.
  const dropping = join(dir, 'data.dropping')
  rmSync(dropping, { recursive: true, force: true })
  renameSync(snapshot(dir), dropping)
  rmSync(dropping, { recursive: true, force: true })
}
