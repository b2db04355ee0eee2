import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { installExtensions } from '../../../src/stack/extensions/install.ts'
import { readTar } from '../../../src/stack/extensions/tar.ts'

let share: string
beforeEach(async () => {
  share = await mkdtemp(join(tmpdir(), 'parley-share-'))
  await mkdir(join(share, 'extension'))
})
afterEach(() => rm(share, { recursive: true }))

test('every extension is there with its control file and the script of its default version', async () => {
  await installExtensions(share)
  for (const name of ['pg_cron', 'pg_net', 'supabase_vault', 'pgmq', 'pgtap']) {
    const control = await readFile(join(share, 'extension', `${name}.control`), 'utf8')
    const version = /default_version = '(.*)'/.exec(control)?.[1]
    expect((await stat(join(share, 'extension', `${name}--${version}.sql`))).size).toBeGreaterThan(1000)
  }
})

test('a second installation writes nothing', async () => {
  await installExtensions(share)
  const before = await fingerprints()
  await installExtensions(share)
  expect(await fingerprints()).toEqual(before)
})

test('an outdated file is replaced, and nothing half-written is left behind', async () => {
  await installExtensions(share)
  const control = join(share, 'extension', 'pg_net.control')
  const content = await readFile(control)
  await writeFile(control, 'outdated')
  await installExtensions(share)
  expect(await readFile(control)).toEqual(content)
  expect((await readdir(join(share, 'extension'))).filter((file) => !/\.(sql|control)$/.test(file))).toEqual([])
})

test('an archive that was cut is an error', () => {
  const header = Buffer.alloc(512)
  header.write('pgmq.control')
  header.write('00000001000', 124)
  expect(() => readTar(header)).toThrow('damaged')
})

async function fingerprints(): Promise<string[]> {
  const files = (await readdir(join(share, 'extension'))).sort()
  return Promise.all(
    files.map(async (file) => {
      const { ino, mtimeMs } = await stat(join(share, 'extension', file))
      return `${file} ${ino} ${mtimeMs}`
    }),
  )
}
