// What the rules cost: each hot path of the chat core beside the SQL that the mobile app's requirements write down, or
// beside bare statements, in one database and one run.
//
//   npm run bench            3 million messages, about a quarter of an hour
//   npm run bench -- --small 12,000: shows that it runs, its ratios mean little
//   npm run bench -- --keep  leaves the loaded database running until Ctrl-C, and says where it is
//   npm run bench -- --on=<connection string>  measures again there, without loading

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Cluster } from '../src/stack/postgres/cluster.ts'
import { applyMigrations } from '../src/stack/postgres/migrations.ts'
import { withScratchCluster } from '../src/stack/postgres/scratch.ts'

const small = process.argv.includes('--small')
const size = small
  ? { messages: 12_000, rooms: 300, past_stays: 300 }
  : { messages: 3_000_000, rooms: 20_500, past_stays: 50_000 }
// What stands in the huge room: a third.
const huge = size.messages / 3
const sends = small ? 15 : 1500
const runs = small ? 5 : 25
const writers = 8

interface Row {
  what: string
  ours: string
  baseline: string
  ratio: number
  target: { atLeast?: number; atMost?: number }
}
const rows: Row[] = []

const loaded = process.argv.find((argument) => argument.startsWith('--on='))?.slice('--on='.length)
if (loaded) {
  await measure(loaded)
  printTable()
} else {
  await withScratchCluster(
    async (cluster) => {
      await load(cluster)
      await measure(cluster.url('supabase_admin'))
      printTable()
      if (process.argv.includes('--keep')) {
        console.log(`\nLoaded, until Ctrl-C: ${cluster.url('supabase_admin')}`)
        await sleep(2 ** 31 - 1)
      }
    },
    { durable: true },
  )
}

async function load(cluster: Cluster): Promise<void> {
  const owner = await connect(cluster.url('supabase_admin'))
  await step('Applying the migrations', () => applyMigrations(cluster.url('postgres')))
  await step(`Loading ${size.messages.toLocaleString('en')} messages, twice`, async () => {
    await run(owner, 'document.sql')
    for (const [name, value] of Object.entries(size)) {
      await owner.query(`select set_config('bench.${name}', $1, false)`, [String(value)])
    }
    await run(owner, 'load.sql')
  })
  await step('Vacuuming', () => owner.query('vacuum (analyze, freeze)'))
  await owner.end()
}

async function measure(url: string): Promise<void> {
  const owner = await connect(url)
  await step('Unread', () => measureUnread(url, owner))
  await step('Lists and pages', () => measureReading(url, owner))
  await step('Search', () => measureSearch(url, owner))
  await step('Reading', () => measureMarking(url, owner))
  await step('Sending', () => measureSending(url, owner))
  await owner.end()
}

function printTable(): void {
  console.log('\n| what | ours | baseline | ratio | target | met |\n| --- | --- | --- | --- | --- | --- |')
  for (const { what, ours, baseline, ratio, target } of rows) {
    const { atLeast = 0, atMost = Number.POSITIVE_INFINITY } = target
    const wanted = target.atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`
    const met = ratio >= atLeast && ratio <= atMost ? 'yes' : '**no**'
    console.log(`| ${what} | ${ours} | ${baseline} | ${ratio.toPrecision(3)} | ${wanted} | ${met} |`)
  }
}

async function measureUnread(url: string, owner: pg.Client): Promise<void> {
  const reader = await signIn(url, user(1))
  const ours = (room: string) => time(reader, `select public.calculate_unread_count('${user(1)}', '${room}')`)
  const theirs = (room: string) =>
    time(owner, `select document.calculate_unread_count('${user(1)}', '${room}')`, Math.min(runs, 5))
  const room = id('room', 0)
  const times = new Map<number, number>()
  for (const backlog of [10, huge / 10, huge - 1]) {
    await moveCursor(owner, user(1), room, backlog)
    const [mine, document] = [await ours(room), await theirs(room)]
    times.set(backlog, mine)
    if (backlog === 10) continue
    compare(`unread, ${backlog.toLocaleString('en')} behind`, document, mine, {
      atLeast: backlog === huge - 1 ? 150 : 100,
    })
  }
  const [few = 0, , many = 0] = [...times.values()]
  compareTimes('unread, the longest backlog against 10, 2 % deleted', many, few, { atMost: 2 })

  // As in the other rooms: a list with one room of a million unread messages would compare that room alone.
  await moveCursor(owner, user(1), room, Math.min(1000, huge / 2))
  const total = await time(reader, 'select public.unread_counts()')
  const sum = await time(
    owner,
    `select sum(document.calculate_unread_count('${user(1)}', room_id)) from document.user_chat_preferences
     where user_id = '${user(1)}'`,
    Math.min(runs, 5),
  )
  compare('total unread of 201 rooms', sum, total, { atLeast: 50 })
  await reader.end()
}

async function measureReading(url: string, owner: pg.Client): Promise<void> {
  const reader = await signIn(url, user(1))
  const stranger = await signIn(url, user(1999))
  const list = await time(reader, 'select public.get_rooms(p_limit => 201)')
  const listOfDocument = await time(
    owner,
    `select r.*, document.calculate_unread_count('${user(1)}', r.id)
     from document.chat_rooms as r
     left join document.user_chat_preferences as p on p.room_id = r.id and p.user_id = '${user(1)}'
     where '${user(1)}' = any (r.members)
       and coalesce(p.is_deleted, false) = false and coalesce(p.is_archived, false) = false
     order by r.updated_at desc limit 201`,
    Math.min(runs, 5),
  )
  compare('room list of 201 rooms', listOfDocument, list, { atLeast: 20 })

  const room = id('room', 0)
  const page = `select public.get_messages('${room}')`
  const first = await time(reader, page)
  const deep = await time(reader, `select public.get_messages('${room}', p_before_seq => ${Math.round(huge / 10)})`)
  compareTimes('page at depth 90 % against page one', deep, first, { atMost: 1.2 })

  const rawPage = `select id, content from public.chat_messages where room_id = '${room}' order by seq desc limit 50`
  compareTimes('row level security, a page of 50', await time(reader, rawPage), await time(owner, rawPage), {
    atMost: 1.7,
  })
  const rawList = `select r.id, r.title, p.last_read_seq from public.chat_rooms as r
    join public.user_chat_preferences as p on p.room_id = r.id and p.user_id = '${user(1)}'
    order by r.updated_at desc limit 50`
  compareTimes('row level security, a list of 50', await time(reader, rawList), await time(owner, rawList), {
    atMost: 1.5,
  })
  compareTimes(
    'a stranger asks for the huge room, against a page',
    await time(stranger, rawPage),
    await time(reader, rawPage),
    {
      atMost: 2,
    },
  )
  await reader.end()
  await stranger.end()
}

async function measureSearch(url: string, owner: pg.Client): Promise<void> {
  for (const { name, person, target } of [
    { name: 'large', person: user(1), target: 50 },
    { name: 'small', person: await memberOf(owner, id('room', 250)), target: 1 },
  ]) {
    const reader = await signIn(url, person)
    const { rows: found } = await owner.query(
      `select content from public.chat_messages as m join public.chat_room_members as r using (room_id)
       where r.user_id = $1 and not m.is_deleted order by m.created_at limit 1`,
      [person],
    )
    const word = found[0].content.split(' ').at(-1).slice(0, 12)
    const ours = await time(reader, `select public.search_messages('${word}')`)
    const like = await time(
      owner,
      `select m.* from document.chat_messages as m join document.chat_rooms as r on r.id = m.room_id
       where '${person}' = any (r.members) and m.content ilike '%${word}%' and not m.is_deleted
       order by m.created_at desc limit 20`,
      Math.min(runs, 5),
    )
    compare(`search, a ${name} account, against ILIKE`, like, ours, { atLeast: target })
    await reader.end()
  }
}

async function measureMarking(url: string, owner: pg.Client): Promise<void> {
  const room = id('room', 0)
  for (const { name, person } of [
    { name: 'an account of few rooms', person: user(499) },
    { name: 'an account of 201 rooms', person: user(1) },
  ]) {
    const reader = await signIn(url, person)
    const times = { ours: [] as number[], document: [] as number[] }
    for (let run = 0; run < Math.min(runs, 15); run += 1) {
      await moveCursor(owner, person, room, 1000)
      times.ours.push(await once(reader, `select public.mark_read('${room}')`))
      await owner.query('truncate document.message_reads')
      times.document.push(
        await once(
          owner,
          `insert into document.message_reads (message_id, user_id)
           select id, '${person}' from document.chat_messages where room_id = '${room}' order by created_at desc limit 1000`,
        ),
      )
    }
    compare(`marking 1,000 read, ${name}, against a row each`, median(times.document), median(times.ours), {
      atLeast: 30,
    })
    await reader.end()
  }
}

async function measureSending(url: string, owner: pg.Client): Promise<void> {
  // Everybody is online: the most that an event can cost. Nobody is told of that here.
  await owner.query('set session_replication_role = replica')
  await owner.query(`insert into public.user_presence (user_id, status, online_until)
    select id, 'online', 'infinity' from public.profiles
    on conflict (user_id) do update set status = 'online', online_until = 'infinity'`)
  await owner.query('reset session_replication_role')
  const text = "'Breakfast is from seven to ten, in the garden if the sun is out.'"
  // As clients send: with an id of their own, by which a retry is recognised.
  const send = (room: string) => `select public.send_message('${room}', ${text}, p_client_id => gen_random_uuid())`
  const bare = (room: string, sender: string) =>
    `insert into document.chat_messages (room_id, sender_id, content) values ('${room}', '${sender}', ${text})`
  const spread = Array.from({ length: writers }, (_, writer) => ({ room: id('room', (1000 % size.rooms) + writer) }))
  const people: Array<{ room: string; sender: string }> = []
  for (const { room } of spread) people.push({ room, sender: await memberOf(owner, room) })
  const hot = people.map((_, writer) => ({ room: id('room', 0), sender: user(10 + writer) }))

  await owner.query('select pg_stat_reset()')
  const rate = { ours: 0, bare: 0, hot: 0, touch: 0 }
  rate.bare = await throughput(
    url,
    people.map(({ room, sender }) => ({ sender: null, sql: bare(room, sender) })),
  )
  rate.ours = await throughput(
    url,
    people.map(({ room, sender }) => ({ sender, sql: send(room) })),
  )
  rate.hot = await throughput(
    url,
    hot.map(({ room, sender }) => ({ sender, sql: send(room) })),
  )
  await owner.query(
    'create trigger touch_room after insert on document.chat_messages for each row execute function document.touch_room()',
  )
  rate.touch = await throughput(
    url,
    hot.map(({ room, sender }) => ({ sender: null, sql: bare(room, sender) })),
  )
  await owner.query('drop trigger touch_room on document.chat_messages')
  rows.push({
    what: 'full send, spread over rooms, against a bare INSERT',
    ours: `${Math.round(rate.ours)}/s`,
    baseline: `${Math.round(rate.bare)}/s`,
    ratio: rate.ours / rate.bare,
    target: { atLeast: 0.55 },
  })
  rows.push({
    what: "full send, one hot room, against the document's trigger",
    ours: `${Math.round(rate.hot)}/s`,
    baseline: `${Math.round(rate.touch)}/s`,
    ratio: rate.hot / rate.touch,
    target: { atLeast: 0.6 },
  })

  const two = await walOf(owner, url, people[0] as { room: string; sender: string }, send)
  const many = await walOf(owner, url, { room: id('room', 0), sender: user(20) }, send)
  rows.push({
    what: 'WAL a message to 2, all online, KB without search',
    ours: bytes(two),
    baseline: '',
    ratio: two / 1024,
    target: { atMost: 2.1 },
  })
  rows.push({
    what: 'WAL a message to 500, all online, KB without search',
    ours: bytes(many),
    baseline: '',
    ratio: many / 1024,
    target: { atMost: 2.1 },
  })
  rows.push({
    what: 'WAL a message, to 500 against to 2',
    ours: bytes(many),
    baseline: bytes(two),
    ratio: many / two,
    target: { atMost: 1.1 },
  })

  for (const table of ['chat_rooms', 'user_chat_preferences']) {
    if (table === 'user_chat_preferences') {
      await owner.query('update public.user_chat_preferences set last_delivered_seq = 0 where user_id = $1', [user(1)])
      await owner.query('select pg_stat_force_next_flush(), pg_stat_reset_single_table_counters($1::regclass)', [
        `public.${table}`,
      ])
      const reader = await signIn(url, user(1))
      for (let seq = 0; seq < sends; seq += 1) {
        await reader.query(`select public.mark_delivered('${id('room', 1)}', ${seq})`)
      }
      await reader.end()
    }
    await owner.query('select pg_stat_force_next_flush()')
    await owner.query('select pg_stat_clear_snapshot()')
    const { rows: stats } = await owner.query(
      'select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where schemaname = $1 and relname = $2',
      ['public', table],
    )
    const { n_tup_upd: updates, n_tup_hot_upd: hotOnes } = stats[0]
    rows.push({
      what: `updates of ${table} that touch no index`,
      ours: String(hotOnes),
      baseline: String(updates),
      ratio: Number(hotOnes) / Number(updates),
      target: { atLeast: 0.95 },
    })
  }
}

async function throughput(url: string, jobs: Array<{ sender: string | null; sql: string }>): Promise<number> {
  const clients = await Promise.all(
    jobs.map(async ({ sender, sql }) => ({ client: sender ? await signIn(url, sender) : await connect(url), sql })),
  )
  const began = performance.now()
  await Promise.all(clients.map(({ client, sql }) => client.query(`call document.repeat($q$${sql}$q$, ${sends})`)))
  const seconds = (performance.now() - began) / 1000
  await Promise.all(clients.map(({ client }) => client.end()))
  return (jobs.length * sends) / seconds
}

/** What a message writes to the log, without what goes into the index of its words. */
async function walOf(
  owner: pg.Client,
  url: string,
  { room, sender }: { room: string; sender: string },
  send: (room: string) => string,
): Promise<number> {
  const lsn = async () => (await owner.query('select pg_current_wal_flush_lsn() as lsn')).rows[0].lsn
  await owner.query('create extension if not exists pg_walinspect')
  const before = await lsn()
  await throughput(url, [{ sender, sql: send(room) }])
  // A page's first change after a checkpoint is logged whole: that is the checkpoint's cost, not the message's.
  const { rows: records } = await owner.query(
    `select sum(record_length - fpi_length)::float8 as bytes from pg_get_wal_records_info($1, $2)
     where resource_manager <> 'Gin'`,
    [before, await lsn()],
  )
  return records[0].bytes / sends
}

async function moveCursor(owner: pg.Client, person: string, room: string, backlog: number): Promise<void> {
  await owner.query('delete from public.read_ranges where user_id = $1 and room_id = $2', [person, room])
  await owner.query(
    `update public.user_chat_preferences as p
     set last_read_seq = r.last_seq - $3, last_delivered_seq = 0,
       last_read_message_id = (select id from public.chat_messages where room_id = $2 and seq = r.last_seq - $3)
     from public.chat_rooms as r where r.id = $2 and p.room_id = $2 and p.user_id = $1`,
    [person, room, backlog],
  )
  await owner.query(
    `update document.user_chat_preferences as p set last_read_message_id = ours.last_read_message_id
     from public.user_chat_preferences as ours
     where ours.user_id = $1 and ours.room_id = $2 and p.user_id = $1 and p.room_id = $2`,
    [person, room],
  )
}

async function memberOf(owner: pg.Client, room: string): Promise<string> {
  const { rows: members } = await owner.query(
    'select user_id from public.chat_room_members where room_id = $1 limit 1',
    [room],
  )
  return members[0].user_id
}

function user(number: number): string {
  return id('user', number)
}

/** As `document.id` makes it in SQL. */
function id(kind: string, number: number): string {
  const time = (1_700_000_000_000 + number).toString(16).padStart(12, '0')
  const digest = createHash('md5').update(`${kind}${number}`).digest('hex')
  return `${time}7${digest.slice(13)}`.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

async function time(client: pg.Client, sql: string, times = runs): Promise<number> {
  const { rows: result } = await client.query('select document.time_of($1, $2) as milliseconds', [sql, times])
  return result[0].milliseconds
}

async function once(client: pg.Client, sql: string): Promise<number> {
  const began = performance.now()
  await client.query(sql)
  return performance.now() - began
}

function compare(what: string, baseline: number, ours: number, target: Row['target']): void {
  rows.push({ what, ours: milliseconds(ours), baseline: milliseconds(baseline), ratio: baseline / ours, target })
}

function compareTimes(what: string, ours: number, baseline: number, target: Row['target']): void {
  rows.push({ what, ours: milliseconds(ours), baseline: milliseconds(baseline), ratio: ours / baseline, target })
}

function bytes(value: number): string {
  return `${Math.round(value)} B`
}

function milliseconds(value: number): string {
  return `${value.toPrecision(3)} ms`
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  // When a step fails the database ends under the others: what failed is told, not that.
  client.on('error', () => {})
  await client.connect()
  return client
}

async function signIn(url: string, person: string): Promise<pg.Client> {
  const client = await connect(url)
  const claims = JSON.stringify({ sub: person, role: 'authenticated' })
  await client.query("select set_config('request.jwt.claims', $1, false), set_config('role', 'authenticated', false)", [
    claims,
  ])
  return client
}

async function run(client: pg.Client, file: string): Promise<void> {
  await client.query(await readFile(new URL(`chat/${file}`, import.meta.url), 'utf8'))
}

async function step(name: string, work: () => Promise<unknown>): Promise<void> {
  const began = performance.now()
  process.stdout.write(`${name} …`)
  await work()
  console.log(` ${((performance.now() - began) / 1000).toFixed(1)} s`)
}
