import { execFileSync, type SpawnOptions } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** How to start a Postgres program: its command line and the process options to start it with. */
export interface Launch {
  command: string
  args: string[]
  options: Pick<SpawnOptions, 'uid' | 'gid'>
}

/** The user who owns the cluster's files. Null: the one who started us. */
export interface OperatingUser {
  uid: number
  gid: number
}

/**
 * Postgres refuses to run as root, so root runs it as `nobody`: that user is on every Linux and macOS, and none
 * has to be made for us.
 */
export function operatingUser(): OperatingUser | null {
  if (process.getuid?.() !== 0) return null
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/**
 * The command line for a Postgres program as the operating user.
 *
 * A folder that only root may enter (`/root/parley`) is closed to `nobody`. There the program keeps one of root's
 * abilities, to read and pass through closed folders, by util-linux's setpriv.
 */
export function launch(program: string, args: string[], dataDir: string, user: OperatingUser | null): Launch {
  if (!user) return { command: program, args, options: {} }
  if (isOpen(program) && isOpen(dataDir)) return { command: program, args, options: user }

  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find(existsSync)
  if (!setpriv) {
    throw new Error(
      `Postgres does not run as root, and the user nobody cannot enter ${dirname(dataDir)}. ` +
        'Move the project to a folder that others may enter, or start it as an ordinary user.',
    )
  }
  const identity = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups']
  // Postgres asks access(2) whether it may run its own programs, and the kernel answers that without the ability,
  // unless told to leave it alone when the user changes.
  const ability = ['--securebits=+no_setuid_fixup', '--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search']
  return { command: setpriv, args: [...identity, ...ability, program, ...args], options: {} }
}

function isOpen(path: string): boolean {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false
  }
  return true
}
