import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SupabaseClient } from '@supabase/supabase-js'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { bootstrap } from '../../../src/stack/postgres/bootstrap.ts'
import { type Cluster, startCluster, stopLeftover } from '../../../src/stack/postgres/cluster.ts'
import { freePort } from '../../../src/stack/postgres/ports.ts'
import { keys, type Served, serve, subscribed, token } from './serve.ts'

// A client joins again after 1, 2, 5 and then 10 seconds.
vi.setConfig({ testTimeout: 90_000 })

let dir: string
let cluster: Cluster
let served: Served

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'parley-realtime-'))
  cluster = await startCluster({ dir, port: await freePort(), durable: false })
  await bootstrap(cluster.url('supabase_admin'))
  served = await serve({}, { url: (role = 'postgres') => cluster.url(role), drop: async () => {} })
  await served.sql(`
    create policy "Signed in people hear" on realtime.messages for select to authenticated using (true);
    create policy "and are seen" on realtime.messages for insert to authenticated with check (extension = 'presence');
    create table public.todos (id int primary key);
    grant select on public.todos to authenticated;
    alter publication supabase_realtime add table public.todos`)
})

afterEach(async () => {
  await served.close()
  await stopLeftover(dir)
  rmSync(dir, { recursive: true, force: true })
})

const log = () => readFileSync(join(dir, 'postgres.log'), 'utf8')

/** A private channel that follows broadcasts, rows and presence at once, and writes to both as soon as it may hear of it. */
async function follow(client: SupabaseClient, topic: string, from: number) {
  const config = { private: true, presence: { key: topic, enabled: true } }
  const channel = client.channel(topic, { config })
  const [written, heard, rows]: [number[], number[], number[]] = [[], [], []]
  const write = async (n: number) => {
    await served.sql('select realtime.send($1, $2, $3)', [JSON.stringify({ n }), 'n', topic])
    written.push(n)
  }
  let joins = 0
  let followings = 0
  channel
    .on('broadcast', { event: 'n' }, ({ payload }) => heard.push(payload.n))
    .on('presence', { event: 'sync' }, () => {})
    .on('postgres_changes', { event: 'INSERT', schema: 'public', table: 'todos' }, ({ new: row }) => rows.push(row.id))
    .on('system', {}, ({ message }) => {
      if (message !== 'Subscribed to PostgreSQL') return
      followings += 1
      void served.sql('insert into public.todos values ($1)', [from + followings])
    })
  channel.subscribe((status) => {
    if (status !== 'SUBSCRIBED') return
    joins += 1
    for (let n = 1; n <= 20; n += 1) void write(joins * 100 + n)
    void channel.track({ joins })
  })
  return {
    channel,
    /** Joined this often, and everything that was committed since each joining has been heard, in its order. */
    async joined(times: number) {
      await vi.waitFor(
        () => {
          expect([joins, followings]).toEqual([times, times])
          expect(written).toHaveLength(times * 20)
          expect(heard).toEqual(written)
          expect(rows).toContain(from + times)
          expect(channel.presenceState()).toMatchObject({ [topic]: [{ joins: times }] })
        },
        { timeout: 40_000, interval: 20 },
      )
    },
  }
}

async function kill(): Promise<void> {
  const pidFile = join(dir, 'data', 'postmaster.pid')
  const [pid] = readFileSync(pidFile, 'utf8').split('\n')
  process.kill(Number(pid), 'SIGKILL')
}

test.each([
  ['stopped', () => cluster.stop()],
  ['killed', kill],
])(
  'Postgres is %s and started: all channels join again, and hear whatever is committed once they have',
  async (_, end) => {
    // Three sockets, one of them of a client of two years ago: it leaves a channel whose rejoin is refused or takes longer
    // than two seconds.
    const followed = [
      await follow(await served.client(await token()), 'one', 0),
      await follow(await served.client(await token()), 'two', 100),
      await follow(await served.oldClient(await token()), 'three', 200),
    ]
    await Promise.all(followed.map((each) => each.joined(1)))

    await end()
    await vi.waitFor(() => expect(served.lines.join()).toContain('stream broke'))
    expect(followed.map(({ channel }) => channel.state)).toEqual(['joined', 'joined', 'joined'])
    cluster = await startCluster({ dir, port: cluster.port, durable: false })
    await Promise.all(followed.map((each) => each.joined(2)))
  },
)

test('while Postgres is gone joins, fresh tokens and private broadcasts over HTTP are told so; then all is well', async () => {
  const [client, secret] = [await served.raw(), await served.raw()]
  const access_token = await token()
  expect(await secret.join('realtime:den', { private: true }, { access_token })).toMatchObject({ status: 'ok' })
  const broadcast = async () =>
    served.request('/api/broadcast/den/events/hi?private=true', {
      method: 'POST',
      headers: { apikey: keys.publishable, authorization: `Bearer ${access_token}` },
    })
  expect((await broadcast()).status).toBe(403)
  await cluster.stop()
  const refused = await broadcast()
  expect(refused.status).toBe(422)
  expect(await refused.json()).toEqual({ message: 'Tenant database unavailable' })
  secret.send([
    'join-realtime:den',
    '2',
    'realtime:den',
    'access_token',
    { access_token: await token(undefined, '2h') },
  ])
  expect(await secret.next()).toMatchObject({
    3: 'system',
    4: { status: 'error', message: 'Realtime was unable to connect to the project database' },
  })
  expect(await secret.next()).toMatchObject({ 3: 'phx_close' })
  expect(await client.join('realtime:den')).toEqual({
    status: 'error',
    response: { reason: 'UnableToConnectToProject: Realtime was unable to connect to the project database' },
  })
  cluster = await startCluster({ dir, port: cluster.port, durable: false })
  await vi.waitFor(async () => expect(await client.join('realtime:den')).toMatchObject({ status: 'ok' }), {
    timeout: 20_000,
  })
  await served.sql(`select realtime.send('{}', 'hi', 'den', false)`)
  expect(String(await client.next())).toContain('hi')
})

test('pg-logical-replication 2.5.0 acknowledges a byte too much, for which a stopping Postgres would wait in vain', async () => {
  const channel = (await served.client()).channel('den')
  const heard = new Promise((resolve) => channel.on('broadcast', { event: 'hi' }, resolve))
  await subscribed(channel)
  await served.sql(`select realtime.send('{}', 'hi', 'den', false)`)
  await heard
  await cluster.stop()
  expect(log()).not.toContain('immediate shutdown')
})

test('nobody leaves a slot behind, and one that somebody does leave gives its disk back while ours streams on', async () => {
  const slots = () => served.adminSql('select slot_name as name, temporary, wal_status from pg_replication_slots')
  const ours = { name: expect.stringContaining('supabase_realtime_messages_'), temporary: true, wal_status: 'reserved' }
  expect(await slots()).toEqual([ours])
  await served.adminSql(`select pg_create_logical_replication_slot('stale', 'pgoutput')`)

  const client = await served.raw()
  await client.join('realtime:den')
  // 16 MB each; 256 MB may be kept for a slot.
  const write = async (segments: number) => {
    for (let segment = 0; segment < segments; segment += 1) {
      await served.adminSql(`select pg_logical_emit_message(true, 'test', 'x'), pg_switch_wal()`)
    }
  }
  const position = async () => (await served.adminSql('select pg_current_wal_lsn()::text as lsn'))[0]?.lsn
  for (let round = 0; round < 5; round += 1) {
    const before = await position()
    await write(4)
    // Ours is acknowledged as it is read.
    await vi.waitFor(
      async () => {
        await served.adminSql('select pg_log_standby_snapshot()')
        const moved = `select restart_lsn > '${before}' as moved from pg_replication_slots where temporary`
        expect(await served.adminSql(moved)).toEqual([{ moved: true }])
      },
      { timeout: 10_000 },
    )
  }
  // What need not be kept goes with a checkpoint.
  const kept = async () => {
    await served.adminSql('checkpoint')
    const [wal] = await served.adminSql('select sum(size)::float8 / 1024 / 1024 as megabytes from pg_ls_waldir()')
    return Number(wal?.megabytes)
  }
  const limited = await kept()
  expect(await slots()).toEqual(expect.arrayContaining([ours, { name: 'stale', temporary: false, wal_status: 'lost' }]))
  await write(8)
  expect(await kept()).toBeLessThanOrEqual(limited)

  await served.sql(`select realtime.send('{}', 'hi', 'den', false)`)
  expect(String(await client.next())).toContain('hi')
  client.ws.terminate()

  await kill()
  await vi.waitFor(() => expect(served.lines.join()).toContain('stream broke'))
  cluster = await startCluster({ dir, port: cluster.port, durable: false })
  const live = async () => (await slots()).filter(({ name }) => name !== 'stale')
  await vi.waitFor(async () => expect(await live()).toEqual([ours]), { timeout: 20_000 })
})

test('a slot of ours that Postgres gives up, since too much was written at once, is followed by a new one', async () => {
  const client = await served.raw()
  await client.join('realtime:den')
  const slot = async () =>
    (await served.adminSql('select slot_name as name, wal_status from pg_replication_slots where temporary'))[0]
  const lost = await slot()
  // 16 MB each, of which 256 MB are kept for a slot; in one statement, so that nothing is acknowledged between them.
  await served.adminSql(`
    do $$
    begin
      for segment in 1..30 loop
        perform pg_logical_emit_message(false, 'test', 'x'), pg_switch_wal();
      end loop;
    end;
    $$`)
  await served.adminSql('checkpoint')
  expect(await client.next()).toMatchObject({ 3: 'phx_error' })
  expect(await slot()).toEqual({ name: expect.not.stringMatching(`^${lost?.name}$`), wal_status: 'reserved' })
  expect(await client.join('realtime:den')).toMatchObject({ status: 'ok' })
  await served.sql(`select realtime.send('{}', 'hi', 'den', false)`)
  expect(String(await client.next())).toContain('hi')
})
