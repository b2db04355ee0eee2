import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { queryRow, TypedParameters } from '../../../../src/stack/realtime/changes/typed-query.ts'
import { createDatabase, type Database } from '../../../support/database.ts'

let database: Database
let owner: pg.Client
let client: pg.Client

beforeAll(async () => {
  database = await createDatabase({ migrated: false })
  owner = new pg.Client({ connectionString: database.url() })
  client = new pg.Client({ connectionString: database.url('supabase_realtime_admin') })
  await Promise.all([owner.connect(), client.connect()])
  await owner.query(`create schema hidden; create type hidden.mood as enum ('sad', 'happy')`)
})

afterAll(async () => {
  await Promise.all([owner.end(), client.end()])
  await database.drop()
})

test('pg 8.23.1: parameters have the types of these oids, even of a schema without rights on it', async () => {
  const { rows } = await owner.query<{ oid: number }>(`select 'hidden.mood'::regtype::oid as oid`)
  const parameters = new TypedParameters()
  const sad = parameters.add('sad', rows[0]?.oid ?? 0)
  const happy = parameters.add('happy', rows[0]?.oid ?? 0)
  const [less, json] = await queryRow(client, `select ${sad} < ${happy}, to_jsonb(${happy})`, parameters)
  expect(less).toBe(false === 'sad' < 'happy')
  expect(json).toBe('happy')
  await expect(client.query(`select 'sad'::hidden.mood`)).rejects.toThrow('permission denied for schema hidden')
})

test('pg 8.23.1: the answer is read as ever', async () => {
  const parameters = new TypedParameters()
  const number = parameters.add('5', 23)
  expect(await queryRow(client, `select ${number}, true, array[true], '{"a": [1]}'::jsonb`, parameters)).toEqual([
    5,
    true,
    [true],
    { a: [1] },
  ])
})
