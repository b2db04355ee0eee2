import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDatabase, type Database } from '../../support/database.ts'

let database: Database
let client: pg.Client
beforeAll(async () => {
  database = await createDatabase({ migrated: false })
  client = new pg.Client({ connectionString: database.url('postgres') })
  await client.connect()
})
afterAll(async () => {
  await client.end()
  await database.drop()
})

const id = '7f3d0f5e-6c3b-4d3e-9d53-0f1f4f0f5a11'

/** What the four functions say to a signed-in caller, given these settings. */
async function asked(settings: Record<string, string>) {
  await client.query('begin')
  try {
    for (const [name, value] of Object.entries(settings))
      await client.query('select set_config($1, $2, true)', [name, value])
    await client.query('set local role authenticated')
    const { rows } = await client.query('select auth.uid(), auth.role(), auth.email(), auth.jwt()')
    return rows[0]
  } finally {
    await client.query('rollback')
  }
}

test('@supabase/lite 0.10.0 reads one setting per claim; here request.jwt.claims is read as well', async () => {
  const claims = { sub: id, role: 'authenticated', email: 'ana@hotel.test', app_metadata: { staff: true } }
  expect(await asked({ 'request.jwt.claims': JSON.stringify(claims) })).toEqual({
    uid: id,
    role: 'authenticated',
    email: 'ana@hotel.test',
    jwt: claims,
  })
})

test('the older settings, one per claim, are still read, and come first', async () => {
  const older = {
    'request.jwt.claim.sub': id,
    'request.jwt.claim.role': 'authenticated',
    'request.jwt.claim.email': 'ana@hotel.test',
  }
  const both = { ...older, 'request.jwt.claims': '{"sub": "00000000-0000-0000-0000-000000000000", "role": "anon"}' }
  for (const settings of [older, both]) {
    expect(await asked(settings)).toMatchObject({ uid: id, role: 'authenticated', email: 'ana@hotel.test' })
  }
})

test('without claims they say nothing and fail at nothing', async () => {
  const nobody = { uid: null, role: null, email: null, jwt: null }
  expect(await asked({})).toEqual(nobody)
  expect(await asked({ 'request.jwt.claims': '', 'request.jwt.claim.sub': '' })).toEqual(nobody)
})
