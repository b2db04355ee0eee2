import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDatabase, type Database } from '../../support/database.ts'

let database: Database
let postgres: pg.Client

beforeAll(async () => {
  database = await createDatabase({ migrated: false })
  postgres = new pg.Client({ connectionString: database.url('postgres') })
  await postgres.connect()
})

afterAll(async () => {
  await postgres.end()
  await database.drop()
})

describe('what postgres may do, as on hosted', () => {
  test('postgres is no superuser, but creates databases and roles, replicates and passes row level security', async () => {
    const { rows } = await postgres.query(
      'select rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls from pg_roles where rolname = current_user',
    )
    expect(rows).toEqual([
      { rolsuper: false, rolcreatedb: true, rolcreaterole: true, rolreplication: true, rolbypassrls: true },
    ])
  })

  test.each([
    ['a policy on realtime.messages', 'create policy p on realtime.messages for select to authenticated using (true)'],
    ['altering that policy', 'alter policy p on realtime.messages using (false)'],
    ['dropping that policy', 'drop policy p on realtime.messages'],
    ['a policy on storage.objects', 'create policy p on storage.objects for select to authenticated using (true)'],
    [
      'a trigger on auth.users',
      `create function public.noop() returns trigger language plpgsql as 'begin return new; end';
       create trigger on_user after insert on auth.users for each row execute function public.noop()`,
    ],
    ['dropping its own trigger there', 'drop trigger on_user on auth.users'],
    ['dropping a service’s trigger', 'begin; drop trigger update_objects_updated_at on storage.objects; rollback'],
    ['a foreign key to auth.users', 'create table public.mine (id uuid references auth.users (id) on delete cascade)'],
    ['reading auth.users', 'select * from auth.users'],
    ['writing auth.users', `update auth.users set raw_app_meta_data = '{}'`],
    ['rights in its own schema', 'grant select on public.mine to authenticated'],
    ['a schema', 'create schema private'],
    ['a trusted extension', 'create extension btree_gin with schema extensions'],
    ['a table of its own in the publication', 'alter publication supabase_realtime add table public.mine'],
    ['a publication', 'create publication mine for table public.mine'],
    ['default rights of its own', 'alter default privileges in schema private grant select on tables to anon'],
    ['a schema with rights', 'create schema given create table t (id int) grant select on t to anon'],
    ['becoming authenticated', 'set local role authenticated'],
  ])('%s: allowed', async (_, sql) => {
    await expect(postgres.query(sql)).resolves.toBeDefined()
  })

  test.each([
    ['a table in auth', 'create table auth.mine (id int)'],
    ['a function in auth', `create function auth.mine() returns int language sql as 'select 1'`],
    ['replacing auth.uid', `create or replace function auth.uid() returns uuid language sql as 'select null::uuid'`],
    ['a column in auth.users', 'alter table auth.users add column mine int'],
    ['dropping a table in auth', 'drop table auth.identities'],
    ['an index on auth.users', 'create index mine on auth.users (created_at)'],
    ['a comment on auth.users', `comment on table auth.users is 'mine'`],
    ['switching row level security off in storage', 'alter table storage.objects disable row level security'],
    ['owning storage.objects', 'alter table storage.objects owner to postgres'],
    ['a table in storage', 'create table storage.mine (id int)'],
    ['a column in realtime.messages', 'alter table realtime.messages add column mine int'],
    ['a comment on realtime.messages', `comment on table realtime.messages is 'mine'`],
    ['renaming a schema', 'alter schema realtime rename to mine'],
    ['dropping a schema', 'drop schema storage cascade'],
    ['moving a table out', 'alter table auth.users set schema public'],
    ['renaming a table', 'alter table auth.users rename to mine'],
    ['giving rights away in auth', 'grant select on auth.refresh_tokens to anon'],
    ['giving column rights away in auth', 'grant select (email) on auth.users to anon'],
    [
      'giving rights away beside a new schema',
      'create schema gx create table t (a int) grant select on auth.users to anon',
    ],
    ['publishing a table', 'alter publication supabase_realtime add table auth.users'],
    ['publishing that table alone', 'alter publication supabase_realtime set table auth.users'],
    ['a publication of a table', 'create publication lk for table auth.users'],
    ['a rule', 'create rule r as on insert to auth.users do also nothing'],
    ['inheriting', 'create table public.child () inherits (auth.users)'],
    ['a partition', 'create table public.p partition of realtime.messages default'],
    ['taking everything over', 'reassign owned by supabase_auth_admin to postgres'],
    ['dropping everything', 'drop owned by supabase_auth_admin'],
    ['taking a schema over', 'alter schema auth owner to postgres'],
    [
      'default rights of a service',
      'alter default privileges for role supabase_auth_admin grant select on tables to anon',
    ],
    ['statistics', 'create statistics public.st on email, role from auth.users'],
    ['a cast', 'create cast (storage.buckettype as int) with inout'],
    ['a comment on a policy', `comment on policy p on storage.objects is 'mine'`],
    ['a comment on a trigger', `comment on trigger protect_objects_delete on storage.objects is 'mine'`],
    ['renaming a trigger', 'alter trigger protect_objects_delete on storage.objects rename to x'],
    ['becoming superuser', 'alter role postgres superuser'],
    ['becoming the owner', 'set role supabase_auth_admin'],
    ['switching the guard off', 'alter event trigger guard_refuse_other_rights disable'],
    ['dropping the guard', 'drop schema guard cascade'],
    ['replacing the guard', `create or replace function guard.rights() returns text language sql as 'select null'`],
    ['reading a file of the server', `select pg_read_file('/etc/passwd')`],
    ['running a program', `copy (select 1) to program 'true'`],
  ])('%s: refused', async (_, sql) => {
    await expect(postgres.query(sql)).rejects.toMatchObject({ code: '42501' })
  })
})

test('what is lent for a policy is back when it is made, and when it fails', async () => {
  const borrowed = `select pg_has_role('postgres', 'supabase_auth_admin', 'member') as borrowed`
  await postgres.query('begin')
  await postgres.query('create policy lent on auth.users using (true)')
  expect((await postgres.query(borrowed)).rows).toEqual([{ borrowed: false }])
  await postgres.query('savepoint before')
  await expect(postgres.query('create policy lent on auth.users using (true)')).rejects.toMatchObject({ code: '42710' })
  await postgres.query('rollback to before')
  expect((await postgres.query(borrowed)).rows).toEqual([{ borrowed: false }])
  await postgres.query('rollback')
})

test('postgres cannot take away the rights that a service gave', async () => {
  await postgres.query('revoke all on storage.objects from authenticated')
  const { rows } = await postgres.query(
    `select has_table_privilege('authenticated', 'storage.objects', 'insert') as kept`,
  )
  expect(rows).toEqual([{ kept: true }])
})

describe('whose the services are', () => {
  test.each([
    ['auth', 'supabase_auth_admin'],
    ['storage', 'supabase_storage_admin'],
    ['realtime', 'supabase_realtime_admin'],
  ])('everything in %s belongs to %s', async (schema, owner) => {
    const { rows } = await postgres.query(
      `select pg_get_userbyid(nspowner) as owner from pg_namespace where nspname = $1
       union select pg_get_userbyid(relowner) from pg_class where relnamespace = to_regnamespace($1)
       union select pg_get_userbyid(proowner) from pg_proc where pronamespace = to_regnamespace($1)`,
      [schema],
    )
    expect(rows).toEqual([{ owner }])
  })

  test.each(['anon', 'authenticated'])('%s reads nothing in auth', async (role) => {
    await postgres.query('begin')
    await postgres.query(`set local role ${role}`)
    await expect(postgres.query('select * from auth.users')).rejects.toMatchObject({ code: '42501' })
    await postgres.query('rollback')
  })
})
