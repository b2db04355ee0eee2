import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createDatabase, type Database } from '../../support/database.ts'

let database: Database
let client: pg.Client
let warnings: string[]

beforeAll(async () => {
  database = await createDatabase({ migrated: false })
  client = new pg.Client({ connectionString: database.url() })
  client.on('notice', (notice) => warnings.push(`${notice.severity}: ${notice.message}`))
  await client.connect()
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

beforeEach(async () => {
  warnings = []
  await client.query('truncate realtime.messages')
})

const messages = async () => (await client.query('select * from realtime.messages order by inserted_at')).rows

describe('realtime.send', () => {
  test('a message is a private broadcast, whose payload has the id of its row', async () => {
    await client.query(`select realtime.send('{"n": 1}', 'hi', 'den')`)
    const [message] = await messages()
    expect(message).toMatchObject({ topic: 'den', event: 'hi', extension: 'broadcast', private: true })
    expect(message.payload).toEqual({ n: 1, id: message.id })
    expect(message.binary_payload).toBeNull()
  })

  test('a payload that has an id keeps it', async () => {
    await client.query(`select realtime.send('{"id": 7}', 'hi', 'den', false)`)
    expect(await messages()).toMatchObject([{ payload: { id: 7 }, private: false }])
  })

  test.each(['[1, 2]', '"text"', '1', 'null'])('the payload %s, no object, is lost with a warning', async (payload) => {
    await client.query('select realtime.send($1, $2, $3)', [payload, 'hi', 'den'])
    expect(await messages()).toEqual([])
    expect(warnings).toEqual([expect.stringMatching(/^WARNING: WarnSendingBroadcastMessage: /)])
  })

  test('bytes are kept as they are', async () => {
    await client.query(`select realtime.send_binary('\\xdead00', 'hi', 'den', false)`)
    expect(await messages()).toMatchObject([
      {
        topic: 'den',
        event: 'hi',
        extension: 'broadcast',
        private: false,
        payload: null,
        binary_payload: Buffer.from('dead00', 'hex'),
      },
    ])
  })

  test('a row does not hold both kinds of payload', async () => {
    await expect(
      client.query(
        `insert into realtime.messages (topic, extension, payload, binary_payload) values ('den', 'broadcast', '{}', '')`,
      ),
    ).rejects.toMatchObject({ code: '23514', constraint: 'messages_payload_exclusive' })
  })

  test('the topic is known until the transaction ends', async () => {
    await client.query('begin')
    await client.query(`select realtime.send('{}', 'hi', 'den')`)
    expect((await client.query('select realtime.topic()')).rows).toEqual([{ topic: 'den' }])
    await client.query('commit')
    expect((await client.query('select realtime.topic()')).rows).toEqual([{ topic: null }])
  })
})

describe('with the rights of the caller', () => {
  beforeAll(async () => {
    await client.query('create table public.done (at timestamptz default now())')
  })

  const asAuthenticated = async (statement: string) => {
    await client.query('begin')
    await client.query('set local role authenticated')
    await client.query(statement)
    await client.query('reset role')
    await client.query('insert into public.done default values')
    await client.query('commit')
  }

  test.each([
    ['send', `select realtime.send('{}', 'hi', 'den')`],
    ['send_binary', `select realtime.send_binary('', 'hi', 'den')`],
  ])('without a policy %s loses the message, and the transaction lives', async (_, statement) => {
    await asAuthenticated(statement)
    expect(await messages()).toEqual([])
    expect(warnings).toEqual([
      'WARNING: WarnSendingBroadcastMessage: new row violates row-level security policy for table "messages"',
    ])
    expect((await client.query('delete from public.done returning true as lived')).rows).toEqual([{ lived: true }])
  })

  test('a policy sees the topic', async () => {
    await client.query(
      `create policy den on realtime.messages for insert to authenticated with check (realtime.topic() = 'den')`,
    )
    await asAuthenticated(`select realtime.send('{}', 'hi', 'den'), realtime.send('{}', 'hi', 'attic')`)
    expect(await messages()).toMatchObject([{ topic: 'den' }])
  })

  test('nobody reads a partition past the policies', async () => {
    await client.query('begin')
    await client.query('set local role authenticated')
    await expect(
      client.query(`select * from realtime.messages_${new Date().toISOString().slice(0, 10).replaceAll('-', '_')}`),
    ).rejects.toMatchObject({ code: '42501' })
    await client.query('rollback')
  })

  test('none of the functions has the rights of its owner, and everybody may call them', async () => {
    const { rows } = await client.query(
      `select proname, prosecdef, has_function_privilege('supabase_auth_admin', oid, 'execute') as public
       from pg_proc where pronamespace = 'realtime'::regnamespace order by proname`,
    )
    expect(rows).toEqual(
      ['broadcast_changes', 'send', 'send_binary', 'topic'].map((proname) => ({
        proname,
        prosecdef: false,
        public: true,
      })),
    )
  })
})

describe('realtime.broadcast_changes', () => {
  beforeAll(async () => {
    await client.query(`
      create table public.todos (id int primary key, title text);
      create function public.tell() returns trigger language plpgsql as $$
        begin
          perform realtime.broadcast_changes('den', 'changed', tg_op, tg_table_name, tg_table_schema, new, old, tg_level);
          return null;
        end;
      $$;
      create trigger tell after insert or update or delete on public.todos for each row execute function public.tell();
      create table public.lists (id int);
      create trigger tell after insert on public.lists for each statement execute function public.tell();
    `)
  })

  test('a change tells the row before and after it', async () => {
    await client.query(`insert into public.todos values (1, 'a')`)
    await client.query(`update public.todos set title = 'b'`)
    await client.query('delete from public.todos')
    const a = { id: 1, title: 'a' }
    const b = { id: 1, title: 'b' }
    const told = (operation: string, old_record: object | null, record: object | null) => ({
      topic: 'den',
      event: 'changed',
      private: true,
      payload: { operation, schema: 'public', table: 'todos', record, old_record, id: expect.any(String) },
    })
    expect(await messages()).toMatchObject([told('INSERT', null, a), told('UPDATE', a, b), told('DELETE', b, null)])
  })

  test('a statement trigger is refused', async () => {
    await expect(client.query('insert into public.lists values (1)')).rejects.toMatchObject({
      code: 'P0001',
      message: 'Failed to process the row: function can only be triggered for each row, not for each statement',
    })
  })

  test('another operation is refused', async () => {
    await expect(
      client.query(`select realtime.broadcast_changes('den', 'e', 'TRUNCATE', 'todos', 'public', null, null)`),
    ).rejects.toMatchObject({ message: 'Failed to process the row: Unexpected operation type: TRUNCATE' })
  })
})
