import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createDatabase, type Database } from '../../support/database.ts'
import { type Client, connect } from './client.ts'

let database: Database
let postgres: Client
let admin: Client
beforeAll(async () => {
  database = await createDatabase({ migrated: false })
  postgres = await connect(database.url('postgres'))
  admin = await connect(database.url('supabase_admin'))
})
afterAll(async () => {
  await postgres.end()
  await admin.end()
  await database.drop()
})
beforeEach(() => admin.sql('truncate vault.secrets'))

const create = async (secret: string, name: string | null = null): Promise<string> => {
  const [row] = await postgres.sql<{ id: string }>('select vault.create_secret($1, $2) as id', [secret, name])
  return row?.id ?? ''
}

test('a project has the vault from the start, and the interface is that of 0.3.1', async () => {
  expect(
    await admin.sql(`select extversion, extowner::regrole::text from pg_extension where extname = 'supabase_vault'`),
  ).toEqual([{ extversion: '0.3.1', extowner: 'supabase_admin' }])
  const functions = await admin.sql<{ signature: string }>(
    `select proname || '(' || pg_get_function_arguments(oid) || ') ' || pg_get_function_result(oid) as signature
     from pg_proc where pronamespace = 'vault'::regnamespace and proname not in ('_key', '_tag') order by 1`,
  )
  expect(functions.map((row) => row.signature)).toEqual([
    `_crypto_aead_det_decrypt(message bytea, additional bytea, key_id bigint, context bytea DEFAULT '\\x7067736f6469756d'::bytea, nonce bytea DEFAULT NULL::bytea) bytea`,
    `_crypto_aead_det_encrypt(message bytea, additional bytea, key_id bigint, context bytea DEFAULT '\\x7067736f6469756d'::bytea, nonce bytea DEFAULT NULL::bytea) bytea`,
    '_crypto_aead_det_noncegen() bytea',
    `create_secret(new_secret text, new_name text DEFAULT NULL::text, new_description text DEFAULT ''::text, new_key_id uuid DEFAULT NULL::uuid) uuid`,
    'update_secret(secret_id uuid, new_secret text DEFAULT NULL::text, new_name text DEFAULT NULL::text, new_description text DEFAULT NULL::text, new_key_id uuid DEFAULT NULL::uuid) void',
  ])
})

test('a secret is ciphertext in its table and text in the view', async () => {
  const id = await create('correct horse — battery', 'door code')
  const [stored] = await postgres.sql<{ secret: string }>('select secret from vault.secrets')
  expect(Buffer.from(stored?.secret ?? '', 'base64').toString('latin1')).not.toContain('horse')
  expect(
    await postgres.sql('select id, name, description, decrypted_secret, key_id from vault.decrypted_secrets'),
  ).toEqual([{ id, name: 'door code', description: '', decrypted_secret: 'correct horse — battery', key_id: null }])
})

test('the same secret twice is two different ciphertexts', async () => {
  await create('same')
  await create('same')
  expect(await postgres.sql('select distinct secret from vault.secrets')).toHaveLength(2)
})

test('an update changes what it names and the time', async () => {
  const id = await create('old', 'door code')
  await postgres.sql(`select vault.update_secret($1, 'new', new_description := 'front door')`, [id])
  expect(
    await postgres.sql(
      `select name, description, decrypted_secret, updated_at > created_at as later from vault.decrypted_secrets`,
    ),
  ).toEqual([{ name: 'door code', description: 'front door', decrypted_secret: 'new', later: true }])
  await postgres.sql(`select vault.update_secret($1, new_name := 'back door')`, [id])
  expect(await postgres.sql('select name, decrypted_secret from vault.decrypted_secrets')).toEqual([
    { name: 'back door', decrypted_secret: 'new' },
  ])
})

test('a name is given once, and any number of secrets may have none', async () => {
  await create('a', 'door code')
  await expect(create('b', 'door code')).rejects.toThrow('secrets_name_idx')
  await create('c')
  await create('d')
})

test('a secret moved to another row, or changed by a bit, is refused', async () => {
  const first = await create('first')
  await create('second')
  await admin.sql(
    'update vault.secrets set (secret, nonce) = (select secret, nonce from vault.secrets where id = $1) where id <> $1',
    [first],
  )
  await expect(postgres.sql('select * from vault.decrypted_secrets where id <> $1', [first])).rejects.toThrow(
    'invalid ciphertext',
  )
  await admin.sql(
    `update vault.secrets set secret = encode(set_bit(decode(secret, 'base64'), 300, 1 - get_bit(decode(secret, 'base64'), 300)), 'base64')`,
  )
  await expect(postgres.sql('select * from vault.decrypted_secrets where id = $1', [first])).rejects.toThrow(
    'invalid ciphertext',
  )
})

test('service_role keeps secrets as postgres does', async () => {
  await postgres.sql('set role service_role')
  await create('hers', 'service')
  expect(await postgres.sql('select decrypted_secret from vault.decrypted_secrets')).toEqual([
    { decrypted_secret: 'hers' },
  ])
  await postgres.sql('delete from vault.secrets')
  await postgres.sql('reset role')
})

describe('refusals', () => {
  test.each(['anon', 'authenticated'])('%s sees no secrets and makes none', async (role) => {
    await create('shh')
    await postgres.sql(`set role ${role}`)
    try {
      for (const statement of [
        'select * from vault.secrets',
        'select * from vault.decrypted_secrets',
        `select vault.create_secret('x')`,
      ]) {
        await expect(postgres.sql(statement)).rejects.toThrow('permission denied for schema vault')
      }
    } finally {
      await postgres.sql('reset role')
    }
  })

  test('postgres cannot write the table itself, encrypt, or read the root key', async () => {
    await create('shh')
    for (const statement of [
      `insert into vault.secrets (secret) values ('plain')`,
      `update vault.secrets set secret = 'plain'`,
      `select vault._crypto_aead_det_encrypt('a', 'b', 0)`,
      `select vault._key('message', 0, 'pgsodium', '')`,
      `select vault._tag('a', 'b', 0, 'pgsodium', '')`,
      `select pg_read_file('vault_root.key')`,
    ]) {
      await expect(postgres.sql(statement)).rejects.toThrow('permission denied')
    }
  })
})
