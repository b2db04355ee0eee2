import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createClient } from '@supabase/supabase-js'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import WebSocket from 'ws'
import { password } from '../../src/stack/postgres/cluster.ts'
import { createProject, type Project, processesOf } from '../support/project.ts'

// Started once and stopped: the others begin with a copy of its database, where they do not ask for a first start.
let started: Project
let project: Project

beforeAll(async () => {
  started = await createProject()
  await (await started.start()).stop('SIGTERM')
})
beforeEach(async () => {
  project = await createProject(started)
})

function remove(what: Project): void {
  for (const pid of processesOf(what)) process.kill(pid, 'SIGKILL')
  what.remove()
}
afterEach(() => remove(project))
afterAll(() => remove(started))

const forgetDatabase = () => rmSync(join(project.dir, '.parley'), { recursive: true })

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
  forgetDatabase()
  const stack = await project.start()
  expect(stack.output()).toMatch(/^Making a Postgres database/)
  expect(stack.output()).toContain("join_as_guest('grand-hotel', '101', 'PARLEY2345')")
  const { data } = await clientOf().auth.signInWithPassword({
    email: 'ana@grand-hotel.example',
    password: 'parley-demo',
  })
  expect(data.user?.email).toBe('ana@grand-hotel.example')
  const addresses = stack.output().match(/ {2}API .*join_as_guest\(.*?\)/s)?.[0]
  expect(addresses).toContain(`http://127.0.0.1:${project.port}\n`)
  expect((await project.run('status')).output).toContain(addresses)
  expect(
    await inDatabase(`select nspname::text from pg_namespace where nspname in ('cron', 'net', 'pgmq')`),
  ).toHaveLength(3)

  await clientOf().auth.resetPasswordForEmail('ana@grand-hotel.example')
  await vi.waitFor(() => expect(stack.output()).toContain('Mail to ana@grand-hotel.example: Reset your password'))
  expect(stack.output()).toMatch(/Follow this link: http:\S+type=recovery\S*\nOr enter this code: \d{6}\n/)

  await stack.stop('SIGTERM')
  await vi.waitFor(() => expect(processesOf(project)).toEqual([]), { timeout: 5_000 })
  expect(existsSync(stackFile())).toBe(false)
  expect(await project.run('status')).toMatchObject({ code: 1, output: expect.stringContaining('Nothing is running') })
  expect(readdirSync(project.home)).toEqual([])
})

test('functions find the secrets of .env, and the next start sees another value', async () => {
  mkdirSync(join(project.dir, 'edge-functions/secret'))
  writeFileSync(
    join(project.dir, 'edge-functions/secret/index.ts'),
    `Deno.serve(() => new Response(Deno.env.get('MY_SECRET') ?? 'none'))\n`,
  )
  writeFileSync(join(project.dir, 'edge-functions/secret/deno.json'), '{ "imports": {} }\n')
  const section = '\n[functions.secret]\nverify_jwt = false\nentrypoint = "../edge-functions/secret/index.ts"\n'
  appendFileSync(join(project.dir, 'supabase/config.toml'), section)

  const answers: unknown[] = []
  for (const secret of ['first', 'second']) {
    writeFileSync(join(project.dir, '.env'), `# For functions\nMY_SECRET="${secret}"\n`)
    const stack = await project.start()
    answers.push((await clientOf().functions.invoke('secret')).data)
    await stack.stop('SIGTERM')
  }
  expect(answers).toEqual(['first', 'second'])
  expect(readdirSync(project.home)).toEqual([])
})

test('when Postgres is killed the stack says so, and ends', async () => {
  const stack = await project.start()
  const [pid = ''] = readFileSync(join(project.dir, '.parley/postgres/data/postmaster.pid'), 'utf8').split('\n')
  process.kill(Number(pid), 'SIGKILL')
  await stack.ended
  expect(stack.child.exitCode).toBe(1)
  expect(stack.output()).toMatch(/^Postgres has ended, and the stack with it\./m)
  expect(existsSync(stackFile())).toBe(false)
  await (await project.start()).stop('SIGTERM')
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
  forgetDatabase()
  const { child, printed, ended, output } = project.launch('start', ...project.ports)
  await printed('Applying')
  child.kill('SIGTERM')
  await ended
  expect(output()).toContain('Stopped before everything was started.')
  await vi.waitFor(() => expect(processesOf(project)).toEqual([]), { timeout: 5_000 })
  await (await project.start()).stop('SIGTERM')
})

test('kill -9 while migrations are applied: the next start begins them again', async () => {
  forgetDatabase()
  const { child, printed, ended } = project.launch('start', ...project.ports)
  await printed('Applying')
  await vi.waitFor(() => expect(existsSync(join(project.dir, '.parley/postgres/data.before'))).toBe(true), {
    timeout: 20_000,
  })
  child.kill('SIGKILL')
  await ended
  const stack = await project.start()
  expect(await inDatabase('select count(*)::int from public.profiles')).toEqual([{ count: 4 }])
  await stack.stop('SIGTERM')
})

test('taken ports are named together, with who has them and the flags that move ours', async () => {
  const others = [project.port, project.databasePort].map((port) => createServer().listen(port, '127.0.0.1'))
  const config = join(project.dir, 'supabase/config.toml')
  const ours = readFileSync(config, 'utf8')
    .replace('54321', `${project.port}`)
    .replace('54322', `${project.databasePort}`)
  writeFileSync(config, ours)
  const { code, output } = await project.run('start')
  for (const other of others) other.close()
  expect(code).toBe(1)
  for (const port of [project.port, project.databasePort]) {
    expect(output).toContain(`Port ${port} is taken by process ${process.pid}`)
  }
  expect(output).toContain(`npm start -- --port ${project.port + 100} --db-port ${project.databasePort + 100}`)
})

test('a broken migration is named with its line, and the database is as before', async () => {
  const migrations = join(project.dir, 'supabase', 'migrations')
  writeFileSync(join(migrations, '20990101000000_good.sql'), 'create table public.good (id int primary key);\n')
  writeFileSync(
    join(migrations, '20990101000001_broken.sql'),
    '-- Fine so far.\ncreate table public.fine (id int primary key);\n\ncreate table public.broken (\n  id nonsense\n);\n',
  )
  const { code, output } = await project.run('start', ...project.ports)
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
  writeFileSync(join(project.dir, 'supabase', 'migrations', '20000101000000_late.sql'), 'select 1;\n')
  const { code, output } = await project.run('start', ...project.ports)
  expect(code).toBe(1)
  expect(output).toMatch(/20000101000000_late\.sql is older than \d+_\w+\.sql/)
})

test('a migration changed after it was applied is noticed, and reset applies it', async () => {
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
