import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { postgresBinaries } from '../../../src/stack/postgres/binaries.ts'
import { launch, operatingUser } from '../../../src/stack/postgres/operating-user.ts'

let dir: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'parley-closed-'))
})

afterEach(() => rmSync(dir, { recursive: true, force: true }))

const isRoot = process.getuid?.() === 0

test.runIf(isRoot && existsSync('/usr/bin/setpriv'))(
  'root in a folder that only root may enter: Postgres runs as nobody all the same',
  () => {
    chmodSync(dir, 0o700)
    const native = dirname(postgresBinaries().bin)
    cpSync(native, join(dir, 'native'), { recursive: true, verbatimSymlinks: true })
    const user = operatingUser()
    if (!user) throw new Error('Root has an operating user.')
    const home = join(dir, 'home')
    mkdirSync(home)
    chownSync(home, user.uid, user.gid)

    const args = ['-D', join(home, 'data'), '-U', 'supabase_admin', '--no-sync']
    const { command, args: all, options } = launch(join(dir, 'native/bin/initdb'), args, join(home, 'data'), user)
    const { status, stderr } = spawnSync(command, all, { ...options, encoding: 'utf8' })
    expect(stderr).not.toContain('Permission denied')
    expect(status).toBe(0)
  },
)

test.runIf(!isRoot)('an ordinary user runs Postgres as oneself', () => {
  expect(operatingUser()).toBeNull()
  expect(launch('postgres', ['-V'], dir, null)).toEqual({ command: 'postgres', args: ['-V'], options: {} })
})
