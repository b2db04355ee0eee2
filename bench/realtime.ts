// What Realtime costs: a broadcast to 100 sockets beside a bare `ws` server that does the same, a broadcast from the
// database from its commit to the client, and the memory of joined channels. The servers are processes of their own.
//
//   npm run bench:realtime

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import WebSocket, { WebSocketServer } from 'ws'
import { startGateway } from '../src/stack/gateway/gateway.ts'
import { localKeys } from '../src/stack/keys.ts'
import { bootstrap } from '../src/stack/postgres/bootstrap.ts'
import { startCluster } from '../src/stack/postgres/cluster.ts'
import { freePort } from '../src/stack/postgres/ports.ts'
import { startRealtime } from '../src/stack/realtime/realtime.ts'

const receivers = 100
const rounds = 5
const topic = 'realtime:bench'

if (process.argv[2] === 'bare') await serveBare()
else if (process.argv[2]) await serveOurs(process.argv[2])
else await main()

/** Sends whatever it is sent to everybody, as it is. */
async function serveBare(): Promise<void> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  server.on('connection', (socket) => {
    socket.on('message', (data, binary) => {
      for (const each of server.clients) each.send(data, { binary })
    })
  })
  answer(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

async function serveOurs(databaseUrl: string): Promise<void> {
  const realtime = await startRealtime({ databaseUrl, keys: localKeys, log: console.error })
  const nobody = { fetch: () => new Response(null, { status: 404 }), close: async () => {} }
  const routes = {
    '/rest/v1': nobody,
    '/auth/v1': nobody,
    '/storage/v1': nobody,
    '/functions/v1': nobody,
    '/realtime/v1': realtime,
    '/sandbox': nobody,
  }
  const { port } = await startGateway(0, routes, console.error)
  answer(`ws://127.0.0.1:${port}/realtime/v1/websocket?vsn=2.0.0&apikey=${localKeys.secret}`)
}

interface Use {
  /** MB, without what is garbage. */
  memory: number
  /** Milliseconds so far. */
  cpu: number
}

/** Says where it is, and then what it uses, as often as it is asked. */
function answer(url: string): void {
  process.on('message', () => {
    gc?.()
    const { user, system } = process.cpuUsage()
    const use: Use = { memory: process.memoryUsage().rss / 1024 / 1024, cpu: (user + system) / 1000 }
    process.send?.(use)
  })
  process.on('disconnect', () => process.exit())
  process.send?.(url)
}

interface Server {
  url: string
  use(): Promise<Use>
  stop(): Promise<void>
}

async function startServer(argument: string): Promise<Server> {
  const file = fileURLToPath(import.meta.url)
  const child: ChildProcess = fork(file, [argument], { execArgv: [...process.execArgv, '--expose-gc'] })
  const reply = async () => (await once(child, 'message'))[0]
  const url = (await reply()) as string
  return {
    url,
    async use() {
      const asked = reply()
      child.send('use')
      return (await asked) as Use
    },
    async stop() {
      const gone = once(child, 'exit')
      child.disconnect()
      await gone
    },
  }
}

async function connect(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url)
  await once(socket, 'open')
  return socket
}

/** @throws when it is refused */
async function join(socket: WebSocket, name: string, config: unknown): Promise<void> {
  const reply = new Promise<{ status: string; response: unknown }>((resolve) => {
    const listen = (data: Buffer, isBinary: boolean) => {
      const [, ref, , , payload] = isBinary ? [] : JSON.parse(data.toString())
      if (ref !== name) return
      socket.off('message', listen)
      resolve(payload)
    }
    socket.on('message', listen)
  })
  socket.send(JSON.stringify([name, name, name, 'phx_join', { config }]))
  const { status, response } = await reply
  if (status !== 'ok') throw new Error(JSON.stringify(response))
}

/** As today's supabase-js writes a broadcast. The bare server is sent the same bytes. */
function broadcast(n: number): Buffer {
  const fields = [topic, '1', topic, 'hi', ''].map((text) => Buffer.from(text))
  const payload = JSON.stringify({ text: 'x'.repeat(200), n: String(n).padStart(8, '0') })
  return Buffer.concat([Buffer.from([3, ...fields.map(({ length }) => length), 1]), ...fields, Buffer.from(payload)])
}

/** The number in such a broadcast, which either server leaves at the end. */
function numberIn(data: Buffer): number {
  return Number(data.subarray(-10, -2).toString())
}

interface FanOut {
  /** Milliseconds, from sending to each receiver. */
  latency: number
  perSecond: number
  /** Microseconds of the server's, each. */
  cpu: number
}

async function measureFanOut({ url, use }: Server, isOurs: boolean): Promise<FanOut> {
  const sockets = await Promise.all(Array.from({ length: receivers }, () => connect(url)))
  if (isOurs) await Promise.all(sockets.map((socket) => join(socket, topic, { broadcast: { self: true } })))
  const [sender] = sockets as [WebSocket]
  const sentAt: number[] = []
  let latencies: number[] = []
  let delivered = 0
  let whenAll = () => {}
  for (const socket of sockets) {
    socket.on('message', (data: Buffer) => {
      latencies.push(performance.now() - (sentAt[numberIn(data)] ?? Number.NaN))
      delivered += 1
      if (delivered === sentAt.length * receivers) whenAll()
    })
  }
  const send = () => sender.send(broadcast(sentAt.push(performance.now()) - 1))
  const allDelivered = () =>
    new Promise<void>((resolve) => {
      whenAll = resolve
    })

  // Nothing is slow the first time only.
  const warm = allDelivered()
  for (let n = 0; n < 50; n += 1) send()
  await warm
  latencies = []
  for (let n = 0; n < 100; n += 1) {
    const arrived = allDelivered()
    send()
    await arrived
  }
  const latency = median(latencies)

  const messages = 500
  const flood = allDelivered()
  const before = await use()
  const begun = performance.now()
  for (let n = 0; n < messages; n += 1) send()
  await flood
  const perSecond = (messages * receivers * 1000) / (performance.now() - begun)
  const cpu = (((await use()).cpu - before.cpu) * 1000) / (messages * receivers)
  await disconnect(sockets)
  return { latency, perSecond, cpu }
}

/** Milliseconds from just before the statement that commits it to the client, of each that arrived; in order of size. */
async function measureDatabase(url: string, databaseUrl: string, perSecond: number, seconds: number) {
  const socket = await connect(url)
  await join(socket, topic, { private: true })
  const heardAt = new Map<number, number>()
  socket.on('message', (data: Buffer) => {
    const [, n] = data.toString('latin1').match(/"n": ?(\d+)/) ?? []
    heardAt.set(Number(n), performance.now())
  })
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 })
  const sentAt: number[] = []
  const sent: Promise<unknown>[] = []
  const begun = performance.now()
  for (let n = 0; n < perSecond * seconds; n += 1) {
    await sleep(Math.max(0, begun + (n * 1000) / perSecond - performance.now()))
    sentAt.push(performance.now())
    sent.push(pool.query('select realtime.send($1, $2, $3)', [{ n, text: 'x'.repeat(200) }, 'hi', 'bench']))
  }
  await Promise.all(sent)
  const patience = performance.now() + 5000
  while (heardAt.size < sentAt.length && performance.now() < patience) await sleep(10)
  await pool.end()
  await disconnect([socket])
  const latencies = sentAt.flatMap((at, n) => (heardAt.has(n) ? [(heardAt.get(n) ?? 0) - at] : []))
  return { sent: sentAt.length, latencies: latencies.sort((a, b) => a - b) }
}

/** MB that the server grows by when so many private channels are joined, presence and all. */
async function measureChannels(server: Server, channels: number): Promise<number> {
  // What every server needs from its first join on is not the channels'.
  await disconnect(await joinMany(server.url, 100))
  const before = await server.use()
  const sockets = await joinMany(server.url, channels)
  const grown = (await server.use()).memory - before.memory
  await disconnect(sockets)
  return grown
}

async function joinMany(url: string, channels: number): Promise<WebSocket[]> {
  const config = { private: true, broadcast: { self: true, ack: true }, presence: { enabled: true } }
  const sockets: WebSocket[] = []
  for (let each = 0; each < channels; each += 1) {
    // A socket may have a hundred.
    if (each % 100 === 0) sockets.push(await connect(url))
    await join(sockets.at(-1) as WebSocket, `realtime:room-${each}`, config)
  }
  return sockets
}

async function disconnect(sockets: WebSocket[]): Promise<void> {
  const closed = sockets.map((socket) => once(socket, 'close'))
  for (const socket of sockets) socket.close()
  await Promise.all(closed)
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

async function main(): Promise<void> {
  // As developers run it: a commit is on the disk before it is streamed.
  const dir = mkdtempSync(joinPath(tmpdir(), 'parley-bench-'))
  const cluster = await startCluster({ dir, port: await freePort(), durable: true })
  const servers: Server[] = []
  try {
    await bootstrap(cluster.url('supabase_admin'))
    const bare = await startServer('bare')
    servers.push(bare)
    const ours = await startServer(cluster.url('supabase_realtime_admin'))
    servers.push(ours)

    const [bares, ourss]: [FanOut[], FanOut[]] = [[], []]
    // In turns, so that whatever else the machine does slows both.
    for (let round = 0; round < rounds; round += 1) {
      bares.push(await measureFanOut(bare, false))
      ourss.push(await measureFanOut(ours, true))
    }
    const of = (fanOuts: FanOut[], what: keyof FanOut) => median(fanOuts.map((each) => each[what]))
    const slower = of(ourss, 'latency') / of(bares, 'latency')
    const throughput = of(ourss, 'perSecond') / of(bares, 'perSecond')
    const { sent, latencies } = await measureDatabase(ours.url, cluster.url('postgres'), 200, 10)
    const atCommit = median(latencies)
    // A new one: what the flood has left behind would hide the channels.
    const fresh = await startServer(cluster.url('supabase_realtime_admin'))
    servers.push(fresh)
    const megabytes = await measureChannels(fresh, 2000)

    const ms = (value: number) => `${value.toFixed(1)} ms`
    const rate = (value: number) => `${Math.round(value / 1000)},000/s`
    console.table([
      {
        what: `broadcast to ${receivers} sockets, median`,
        ours: ms(of(ourss, 'latency')),
        bare: ms(of(bares, 'latency')),
        ratio: slower.toFixed(2),
        target: '<= 3',
        met: slower <= 3,
      },
      {
        what: `deliveries to ${receivers} sockets`,
        ours: rate(of(ourss, 'perSecond')),
        bare: rate(of(bares, 'perSecond')),
        ratio: throughput.toFixed(2),
        target: '>= 0.4',
        met: throughput >= 0.4,
      },
      {
        what: "the server's CPU for each, without what the client costs",
        ours: `${of(ourss, 'cpu').toFixed(1)} µs`,
        bare: `${of(bares, 'cpu').toFixed(1)} µs`,
        ratio: (of(ourss, 'cpu') / of(bares, 'cpu')).toFixed(2),
      },
      {
        what: 'from the database, 200/s: delivered',
        ours: `${latencies.length} of ${sent}`,
        target: 'all',
        met: latencies.length === sent,
      },
      {
        what: 'from the database, 200/s: commit to client, median',
        ours: ms(atCommit),
        target: '< 30 ms',
        met: atCommit < 30,
      },
      {
        what: 'from the database, 200/s: 99th of 100',
        ours: ms(latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN),
      },
      { what: '2,000 joined channels', ours: `${megabytes.toFixed(0)} MB`, target: '< 150 MB', met: megabytes < 150 },
    ])
  } finally {
    for (const server of servers) await server.stop()
    await cluster.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}
