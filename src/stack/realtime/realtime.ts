import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Keys } from '../keys.ts'
import { openPool } from '../postgres/pool.ts'
import type { Service } from '../service.ts'
import { Authorization } from './authorization.ts'
import { broadcastOverHttp } from './broadcast-api.ts'
import { Changes } from './changes/changes.ts'
import { HandshakeRefused, readHandshake, refuse, websocketPath } from './handshake.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { keepPartitions } from './partitions.ts'
import type { Project } from './project.ts'
import { Rate } from './rate.ts'
import { relay } from './relay.ts'
import { startReplication } from './replication.ts'
import { Socket } from './socket.ts'
import { Topics } from './topics.ts'

export interface Realtime extends Service {
  /** Takes a WebSocket handshake. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

export interface RealtimeOptions {
  /** A connection string of `supabase_realtime_admin`. */
  databaseUrl: string
  keys: Keys
  log(line: string): void
  /** Where they differ from the defaults. */
  limits?: Partial<Limits>
}

const goodbyeMs = 1000

/**
 * `/realtime/v1`: broadcasts, presence and row changes, as Supabase Realtime speaks them, for one machine.
 * @throws when the database cannot be followed
 */
export async function startRealtime({
  databaseUrl: url,
  keys,
  log,
  limits: given,
}: RealtimeOptions): Promise<Realtime> {
  const limits = { ...defaultLimits, ...given }
  const rates = {
    joins: Rate.perSecond(limits.joinsPerSecond),
    events: Rate.perSecond(limits.eventsPerSecond),
    presence: Rate.perSecond(limits.presenceEventsPerSecond),
  }
  const partitions = await keepPartitions({ url, log })
  const topics = new Topics()
  const sockets = new Map<WebSocket, Socket>()
  const changes = new Changes({ url, log })
  const replication = await startReplication({
    url,
    log,
    onBroadcast: (message) => relay({ topics, rates, limits, log }, message),
    onChange: (change) => changes.handle(change),
    onResumed: () => {
      for (const socket of sockets.values()) socket.failChannels()
    },
  }).catch(async (error) => {
    await Promise.all([changes.close(), partitions.close()])
    throw error
  })
  const pool = openPool(
    {
      connectionString: url,
      application_name: 'parley_realtime',
      max: 10,
      connectionTimeoutMillis: 5000,
      // A policy that hangs must not keep others from joining.
      statement_timeout: 8000,
    },
    (error) => log(`realtime: ${error.message}`),
  )
  const project: Project = {
    keys,
    limits,
    rates,
    topics,
    changes,
    replication,
    pool,
    authorization: new Authorization(pool),
    log,
  }

  const server = new WebSocketServer({ noServer: true, maxPayload: limits.frameBytes, clientTracking: false })
  const accept = async (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const handshake = await readHandshake(request, keys)
    if (sockets.size >= limits.sockets) throw new HandshakeRefused(429, 'Too many connected users')
    if (!rates.joins.add(0)) throw new HandshakeRefused(429, 'Too many joins per second')
    server.handleUpgrade(request, stream, head, (ws) => {
      sockets.set(ws, new Socket(project, ws, handshake))
      ws.on('close', () => sockets.delete(ws))
    })
  }
  const sweep = setInterval(() => {
    for (const socket of sockets.values()) if (socket.isDeserted) socket.close(1001)
  }, limits.sweepMs).unref()

  const close = async () => {
    clearInterval(sweep)
    const closed = [...sockets.keys()].map((ws) => once(ws, 'close'))
    for (const socket of sockets.values()) socket.close(1012)
    // Who does not say goodbye in time is not waited for.
    const patience = setTimeout(() => {
      for (const ws of sockets.keys()) ws.terminate()
    }, goodbyeMs)
    await Promise.all(closed)
    clearTimeout(patience)
    await Promise.all([replication.close(), changes.close(), partitions.close(), pool.end()])
  }
  let closing: Promise<void> | undefined

  return {
    upgrade(request, stream, head) {
      // Without a listener a connection that breaks off would end the whole process.
      stream.on('error', (error: Error) => log(`realtime: a connection broke off: ${error.message}`))
      accept(request, stream, head).catch((error) => {
        const isRefusal = error instanceof HandshakeRefused
        if (!isRefusal) log(`realtime: ${error instanceof Error ? error.stack : error}`)
        refuse(stream, isRefusal ? error : new HandshakeRefused(500, 'Error connecting to Realtime'))
      })
    },
    async fetch(request) {
      const { pathname } = new URL(request.url)
      if (pathname === '/realtime/v1/api/ping') return Response.json({ message: 'Success' })
      if (pathname === websocketPath)
        return new Response('Upgrade Required', { status: 426, headers: { upgrade: 'websocket' } })
      return (await broadcastOverHttp(project, request)) ?? Response.json({ message: 'Not Found' }, { status: 404 })
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}
