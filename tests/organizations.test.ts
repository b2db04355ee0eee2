import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDatabase, type Database } from './support/database.ts'

let database: Database
let owner: pg.Client
const clients: pg.Client[] = []

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url() })
  await client.connect()
  clients.push(client)
  return client
}

async function one<T>(client: pg.Client, sql: string, values: unknown[] = []): Promise<T> {
  const { rows } = await client.query({ text: sql, values, rowMode: 'array' })
  return rows[0]?.[0]
}

beforeAll(async () => {
  database = await createDatabase({ migrated: true })
  owner = await connect()
})

afterAll(async () => {
  for (const client of clients) await client.end()
  await database.drop()
})

/** A new account with a connection of its own, as PostgREST would make for it. */
async function person(name: string) {
  const id = await one<string>(
    owner,
    `insert into auth.users (id, email) values (gen_random_uuid(), $1 || gen_random_uuid() || '@example.com') returning id`,
    [name],
  )
  const client = await connect()
  await client.query(`select set_config('request.jwt.claims', $1, false), set_config('role', 'authenticated', false)`, [
    JSON.stringify({ sub: id, role: 'authenticated' }),
  ])
  return { id, client }
}

/** Waits until this connection waits for another one's lock. */
async function waitsForALock(client: pg.Client): Promise<void> {
  const pid = (client as unknown as { processID: number }).processID
  while (!(await one<boolean>(owner, 'select cardinality(pg_blocking_pids($1)) > 0', [pid]))) {
    await new Promise(setImmediate)
  }
}

test.each([
  ['leave', 'select public.remove_organization_member($1, $2)'],
  ['step down', `select public.set_organization_role($1, $2, 'staff')`],
])('of two admins who %s at the same moment, one stays', async (_, sql) => {
  const [ana, ben] = [await person('ana'), await person('ben')]
  const slug = `hotel-${ana.id}`
  const { id } = await one<{ id: string }>(ana.client, 'select public.create_organization($1, $1)', [slug])
  await ana.client.query(`select public.add_organization_member($1, $2, 'admin')`, [id, ben.id])

  await ana.client.query('begin')
  await ana.client.query(sql, [id, ana.id])
  const his = ben.client.query(sql, [id, ben.id])
  const refused = expect(his).rejects.toMatchObject({ code: 'PT409', detail: 'last_admin' })
  await waitsForALock(ben.client)
  await ana.client.query('commit')
  await refused

  expect(
    await one(
      owner,
      `select array_agg(user_id) from public.organization_members where organization_id = $1 and role = 'admin'`,
      [id],
    ),
  ).toEqual([ben.id])
})

test('of two hotels that want a slug at the same moment, one gets it', async () => {
  const [ana, ben] = [await person('ana'), await person('ben')]
  await ana.client.query('begin')
  await ana.client.query(`select public.create_organization('Grand', 'grand')`)
  const his = expect(ben.client.query(`select public.create_organization('Grand', 'grand')`)).rejects.toMatchObject({
    code: 'PT409',
    detail: 'slug_taken',
  })
  await waitsForALock(ben.client)
  await ana.client.query('commit')
  await his
})
