import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { generateReference } from '../src/stack/postgres/generate-reference.ts'
import { projectRoot } from '../src/stack/supabase-cli.ts'
import { createDatabase, type Database } from './support/database.ts'

const read = (file: string): string => readFileSync(join(projectRoot, file), 'utf8')
const filesOf = (folder: string): string[] => readdirSync(join(projectRoot, folder)).map((name) => join(folder, name))

const pages = ['README.md', 'bench/README.md', ...filesOf('docs')]
const examples = filesOf('examples').map(read)

let database: Database
let client: pg.Client

beforeAll(async () => {
  database = await createDatabase({ migrated: true })
  client = new pg.Client({ connectionString: database.url() })
  await client.connect()
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

test('the reference is that of the migrations; if not: npm run types', async () => {
  expect(read('docs/reference.md')).toBe(await generateReference(database.url()))
})

test('every public function says what it does, and names refusals that there are', async () => {
  const { rows: functions } = await client.query<{ name: string; comment: string | null }>(
    `select proname as name, obj_description(oid, 'pg_proc') as comment
     from pg_proc where pronamespace = 'public'::regnamespace`,
  )
  expect(functions.filter(({ comment }) => !comment)).toEqual([])

  const { rows: codes } = await client.query<{ code: string }>('select code from private.error_codes')
  const known = new Set([...codes, ...functions.map(({ name }) => ({ code: name }))].map(({ code }) => code))
  const unknown = functions.flatMap(({ name, comment }) =>
    (comment?.split(' Refusals: ')[1]?.match(/[a-z]+(?:_[a-z]+)+/g) ?? [])
      .filter((word) => !known.has(word))
      .map((word) => `${name}: ${word}`),
  )
  expect(unknown).toEqual([])
})

test('docs/live.md names every event that the database broadcasts, and no other', async () => {
  const { rows } = await client.query<{ event: string }>(
    String.raw`select distinct match[1] as event
     from pg_proc, regexp_matches(prosrc, '(?:tell_(?:room|user|member)\([^'']*|\n +)''([a-z]+-[a-z-]+)''', 'g') as match
     where pronamespace = 'private'::regnamespace`,
  )
  const [, table] = read('docs/live.md').split('## Events\n')
  const firstCells = [...(table?.matchAll(/^\| (`[^|]*`) \|/gm) ?? [])].map(([, cell]) => cell)
  const named = [...firstCells.join().matchAll(/`([a-z-]+)`/g)].map(([, event]) => event)
  expect(named.sort()).toEqual(rows.map(({ event }) => event).sort())
})

test('docs/operations.md names every job of the clock, and when it runs', async () => {
  const { rows } = await client.query<{ jobname: string; schedule: string }>('select jobname, schedule from cron.job')
  const named = [...read('docs/operations.md').matchAll(/^\| `([a-z_-]+)` \| `([^`]+)` \|/gm)]
  expect(named.map(([, jobname, schedule]) => `${jobname} ${schedule}`).sort()).toEqual(
    rows.map(({ jobname, schedule }) => `${jobname} ${schedule}`).sort(),
  )
})

test.each(pages)('%s: its code is of the examples that run, and its links lead somewhere', (page) => {
  const text = read(page)
  for (const [, code = ''] of text.matchAll(/```js\n([\s\S]*?)```/g)) {
    expect(
      examples.some((example) => example.includes(code)),
      `In no example:\n${code}`,
    ).toBe(true)
  }
  for (const [, path = '', anchor] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)) {
    const target = path ? join(dirname(page), path) : page
    expect(existsSync(join(projectRoot, target)), `${page} links to ${target}`).toBe(true)
    if (anchor) expect(headings(read(target)), `${page} links to ${target}#${anchor}`).toContain(anchor)
  }
})

/** The anchors that GitHub makes of headings. */
const headings = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
