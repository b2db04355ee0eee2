import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createClient } from '@supabase/supabase-js'
import pg from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import WebSocket from 'ws'
import { password } from '../../src/stack/postgres/cluster.ts'
import { createProject, type Project, processesOf } from '../support/project.ts'

let project: Project

beforeEach(async () => {
  project = await createProject()
})

afterEach(() => {
  for (const pid of processesOf(project)) process.kill(pid, 'SIGKILL')
  project.remove()
})

const stackFile = () => join(project.dir, '.parley', 'stack.json')

function clientOf(): ReturnType<typeof createClient> {
  const { url, publishable_key } = JSON.parse(readFileSync(stackFile(), 'utf8'))
  return createClient(url, publishable_key, {
    auth: { persistSession: false },
    realtime: { transport: WebSocket as never },
  })
}

async function inDatabase<T extends pg.QueryResultRow>(sql: string): Promise<T[]> {
  const connectionString = `postgresql://postgres:${password}@127.0.0.1:${project.databasePort}/postgres`
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return (await client.query<T>(sql)).rows
  } finally {
    await client.end()
  }
}

test('start, use, and stop by SIGTERM: nothing is left', async () => {
  const stack = await project.start()
  const { data } = await clientOf().auth.signInWithPassword({
    email: 'ana@grand-hotel.example',
    password: 'parley-demo',
  })
  expect(data.user?.email).toBe('ana@grand-hotel.example')
  expect((await project.run('status')).output).toContain(`"url": "http://127.0.0.1:${project.port}"`)

  await stack.stop('SIGTERM')
  await vi.waitFor(() => expect(processesOf(project)).toEqual([]), { timeout: 5_000 })
  expect(existsSync(stackFile())).toBe(false)
  expect(await project.run('status')).toMatchObject({ code: 1, output: expect.stringContaining('Nothing is running') })
})

test('a second start in the same folder says that one runs', async () => {
  const stack = await project.start()
  const second = await project.run('start', '--port', '1', '--db-port', '2')
  expect(second).toMatchObject({ code: 1, output: expect.stringMatching(/running in .* already \(process \d+\)/) })
  expect((await project.run('reset')).output).toMatch(/running in .* already/)
  await stack.stop('SIGINT')
})

test('after kill -9 it starts again, with everything that was committed', async () => {
  const stack = await project.start()
  await inDatabase(`insert into public.organizations (slug, name) values ('kept', 'Kept')`)
  await stack.stop('SIGKILL')
  // Postgres was left behind, and still listens.
  expect(processesOf(project)).not.toEqual([])

  const again = await project.start()
  expect(await inDatabase(`select name from public.organizations where slug = 'kept'`)).toEqual([{ name: 'Kept' }])
  await again.stop('SIGKILL')

  expect(await project.run('reset')).toMatchObject({ code: 0 })
  expect(processesOf(project)).toEqual([])
  const fresh = await project.start()
  expect(await inDatabase('select slug from public.organizations')).toEqual([{ slug: 'grand-hotel' }])
  await fresh.stop('SIGTERM')
})

test('SIGTERM while migrations are applied: nothing is left running, and the next start does what is left', async () => {
  const { child, printed, ended, output } = project.launch('start', ...project.ports)
  await printed('Applying')
  child.kill('SIGTERM')
  await ended
  expect(output()).toContain('Stopped before everything was started.')
  await vi.waitFor(() => expect(processesOf(project)).toEqual([]), { timeout: 5_000 })
  await (await project.start()).stop('SIGTERM')
})

test('kill -9 while migrations are applied: the next start begins them again', async () => {
  const { child, printed, ended } = project.launch('start', ...project.ports)
  await printed('Applying')
  await vi.waitFor(() => expect(existsSync(join(project.dir, '.parley/postgres/data.before'))).toBe(true))
  child.kill('SIGKILL')
  await ended
  const stack = await project.start()
  expect(await inDatabase('select count(*)::int from public.profiles')).toEqual([{ count: 4 }])
  await stack.stop('SIGTERM')
})

test('a taken port is named, with who has it and the flag that moves ours', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(project.port, '127.0.0.1', resolve))
  const { code, output } = await project.run('start', '--port', String(project.port))
  other.close()
  expect(code).toBe(1)
  expect(output).toContain(`Port ${project.port} is taken by process ${process.pid}`)
  expect(output).toContain('npm start -- --port')
})

test('a broken migration is named with its line, and the database is as before', async () => {
  await (await project.start()).stop('SIGTERM')
  const migrations = join(project.dir, 'supabase', 'migrations')
  writeFileSync(join(migrations, '20990101000000_good.sql'), 'create table public.good (id int primary key);\n')
  writeFileSync(
    join(migrations, '20990101000001_broken.sql'),
    '-- Fine so far.\ncreate table public.fine (id int primary key);\n\ncreate table public.broken (\n  id nonsense\n);\n',
  )
  const { code, output } = await project.run(
    'start',
    '--port',
    String(project.port),
    '--db-port',
    String(project.databasePort),
  )
  expect(code).toBe(1)
  expect(output).toContain('20990101000001_broken.sql, line 5: ERROR: type "nonsense" does not exist')

  expect(processesOf(project)).toEqual([])
  rmSync(join(migrations, '20990101000001_broken.sql'))
  rmSync(join(migrations, '20990101000000_good.sql'))
  const stack = await project.start()
  expect(await inDatabase(`select to_regclass('public.good') as good, to_regclass('public.fine') as fine`)).toEqual([
    { good: null, fine: null },
  ])
  expect(await inDatabase('select count(*)::int from public.profiles')).toEqual([{ count: 4 }])
  await stack.stop('SIGTERM')
})

test('a migration older than the newest applied one is named, with what to do', async () => {
  await (await project.start()).stop('SIGTERM')
  writeFileSync(join(project.dir, 'supabase', 'migrations', '20000101000000_late.sql'), 'select 1;\n')
  const { code, output } = await project.run('start', ...project.ports)
  expect(code).toBe(1)
  expect(output).toMatch(/20000101000000_late\.sql is older than \d+_\w+\.sql/)
})

test('a migration changed after it was applied is noticed, and reset applies it', async () => {
  await (await project.start()).stop('SIGTERM')
  const first = join(project.dir, 'supabase', 'migrations', '20260101000000_foundations.sql')
  writeFileSync(first, `${readFileSync(first, 'utf8')}\ncreate table private.changed (id int primary key);\n`)
  const stack = await project.start()
  expect(stack.output()).toContain('Changed since it was applied: 20260101000000_foundations.sql')
  await inDatabase(`insert into public.organizations (slug, name) values ('gone', 'Gone')`)
  await stack.stop('SIGTERM')

  expect(await project.run('reset')).toMatchObject({ code: 0 })
  const fresh = await project.start()
  expect(fresh.output()).not.toContain('Changed since')
  expect(await inDatabase(`select to_regclass('private.changed') as changed`)).toEqual([{ changed: 'private.changed' }])
  expect(await inDatabase('select slug from public.organizations')).toEqual([{ slug: 'grand-hotel' }])
  await fresh.stop('SIGTERM')
})
