import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { readTar } from './tar.ts'

const ours = ['pg_cron', 'pg_net', 'supabase_vault']
const packaged = [
  { name: 'pgmq', package: '@electric-sql/pglite-pgmq' },
  { name: 'pgtap', package: '@electric-sql/pglite-pgtap' },
]

/**
 * Puts the extensions that hosted Supabase has, and the Postgres binaries from npm lack, where `create extension`
 * looks for them. Files that are there already with the same content are left alone, so that a second start writes nothing.
 * @param shareDir the `share` directory of the Postgres binaries.
 */
export async function installExtensions(shareDir: string): Promise<void> {
  const files = new Map<string, Buffer>()
  for (const name of ours) for (const [file, content] of await standIn(name)) files.set(file, content)
  for (const extension of packaged) for (const [file, content] of await unpack(extension)) files.set(file, content)
  await Promise.all([...files].map(([file, content]) => put(join(shareDir, 'extension', file), content)))
}

async function standIn(name: string): Promise<Array<[string, Buffer]>> {
  const folder = join(dirname(fileURLToPath(import.meta.url)), name)
  const files = await readdir(folder)
  return Promise.all(files.map(async (file): Promise<[string, Buffer]> => [file, await readFile(join(folder, file))]))
}

async function unpack(extension: { name: string; package: string }): Promise<Array<[string, Buffer]>> {
  const main = createRequire(import.meta.url).resolve(extension.package)
  const archive = readTar(gunzipSync(await readFile(join(dirname(main), `${extension.name}.tar.gz`))))
  const files = [...archive]
    .filter(([path]) => path.includes('/extension/') && /\.(sql|control)$/.test(path))
    .map(([path, content]): [string, Buffer] => [basename(path), content])
  const control = files.find(([file]) => file === `${extension.name}.control`)
  if (!control) throw new Error(`${extension.package} holds no ${extension.name}.control`)
  return files
}

/** Writes beside and renames: another stack that is starting now must never read half a file. */
async function put(path: string, content: Buffer): Promise<void> {
  const present = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (present?.equals(content)) return
  const temporary = `${path}.${process.pid}.${crypto.randomUUID()}`
  try {
    await writeFile(temporary, content, { mode: 0o644 })
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}
