import { AuthorizationFailed } from './authorization.ts'
import { type BroadcastEntry, readEntries } from './broadcast-entries.ts'
import type { Claims } from './claims.ts'
import { type FanOut, textBroadcast, userBroadcast } from './fan-out.ts'
import type { Project } from './project.ts'
import { UserBroadcast } from './serializer.ts'
import { claimsOf, InvalidToken } from './token.ts'

const batchPath = '/realtime/v1/api/broadcast'
const eventPath = /^\/realtime\/v1\/api\/broadcast\/([^/]+)\/events\/([^/]+)$/

const cors = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'POST, OPTIONS',
  'access-control-allow-headers': 'authorization, apikey, content-type, x-client-info',
  'access-control-max-age': '3600',
}

/** An answer that is no success. */
class Refused extends Error {
  readonly status: number
  readonly body: unknown

  constructor(status: number, body: unknown) {
    super(JSON.stringify(body))
    this.status = status
    this.body = body
  }
}

const tooLarge = 'Payload size exceeds tenant limit'

/** Broadcasts over HTTP, several at once or one event with any body; undefined when the path is neither's. */
export async function broadcastOverHttp(project: Project, request: Request): Promise<Response | undefined> {
  const { pathname, searchParams } = new URL(request.url)
  const event = eventPath.exec(pathname)
  if (!event && pathname !== batchPath) return undefined
  if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: corsFor(request) })
  if (request.method !== 'POST') return undefined

  try {
    const caller = { claims: await claimsOfCaller(project, request), headers: Object.fromEntries(request.headers) }
    if (event) {
      const [, topic = '', name = ''] = event.map(decoded)
      await broadcastOne(
        project,
        caller,
        { topic, event: name, isPrivate: searchParams.get('private') === 'true' },
        request,
      )
    } else {
      await broadcastBatch(project, caller, request)
    }
    return new Response(null, { status: 202, headers: cors })
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return Response.json(error.body, { status: error.status, headers: cors })
  }
}

function corsFor(request: Request): Record<string, string> {
  const asked = request.headers.get('access-control-request-headers')
  return asked ? { ...cors, 'access-control-allow-headers': asked } : cors
}

interface Caller {
  claims: Claims
  headers: Record<string, string>
}

async function claimsOfCaller(project: Project, request: Request): Promise<Claims> {
  const authorization = request.headers.get('authorization')
  // A key is no token: it stands in `apikey` as well, and speaks from there.
  const credential =
    authorization && !/^bearer sb_/i.test(authorization)
      ? authorization.replace(/^bearer\s+/i, '')
      : request.headers.get('apikey')
  try {
    if (credential) return await claimsOf(credential, project.keys)
  } catch (error) {
    if (!(error instanceof InvalidToken)) throw error
  }
  throw new Refused(401, { message: 'Unauthorized' })
}

async function broadcastBatch(project: Project, caller: Caller, request: Request): Promise<void> {
  const entries = readEntries(jsonOf(await bodyOf(project, request)), project.limits.payloadBytes)
  if ('errors' in entries) throw new Refused(422, entries)
  if (entries.messages.length > project.limits.eventsPerSecond) {
    throw new Refused(429, { message: 'Too many messages to broadcast, please reduce the batch size' })
  }

  const mayWrite = new Map<string, boolean>()
  for (const entry of entries.messages) {
    if (entry.isPrivate) {
      const isAllowed = mayWrite.get(entry.topic) ?? (await mayBroadcast(project, caller, entry.topic))
      mayWrite.set(entry.topic, isAllowed)
      // In silence: what else the batch holds is sent all the same.
      if (!isAllowed) continue
    }
    send(project, entry.topic, entry.isPrivate, textBroadcast(`realtime:${entry.topic}`, textOf(entry)))
  }
}

function textOf({ event, payload, id }: BroadcastEntry): string {
  return JSON.stringify({ type: 'broadcast', event, payload, ...(id === undefined ? {} : { meta: { id } }) })
}

async function mayBroadcast(project: Project, { claims, headers }: Caller, topic: string): Promise<boolean> {
  try {
    return (await project.authorization.writes({ claims, topic, headers })).broadcast
  } catch (error) {
    project.log(`realtime: a broadcast over HTTP: ${(error as Error).message}`)
    return false
  }
}

async function broadcastOne(
  project: Project,
  { claims, headers }: Caller,
  to: { topic: string; event: string; isPrivate: boolean },
  request: Request,
): Promise<void> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== undefined && type !== 'application/json' && type !== 'application/octet-stream') {
    throw new Refused(415, { error: 'Unsupported Media Type. Use application/json or application/octet-stream' })
  }
  const body = await bodyOf(project, request)
  if (body.length > project.limits.payloadBytes) throw new Refused(422, { errors: { payload: [tooLarge] } })

  let broadcast: UserBroadcast
  if (type === 'application/octet-stream') {
    broadcast = new UserBroadcast(to.event, 'binary', body)
  } else {
    // Only a body that says it is JSON is read as such.
    const payload = type ? jsonOf(body) : {}
    broadcast = new UserBroadcast(to.event, 'json', Buffer.from(JSON.stringify(payload)))
  }
  if (to.isPrivate) {
    try {
      const { broadcast: isAllowed } = await project.authorization.writes({ claims, topic: to.topic, headers })
      if (!isAllowed) throw new Refused(403, { message: 'Unauthorized' })
    } catch (error) {
      if (!(error instanceof AuthorizationFailed)) throw error
      project.log(`realtime: a broadcast over HTTP: ${error.message}`)
      throw new Refused(422, { message: failures[error.kind] })
    }
  }
  send(project, to.topic, to.isPrivate, userBroadcast(`realtime:${to.topic}`, broadcast))
}

const failures: Record<AuthorizationFailed['kind'], string> = {
  policy: 'RLS policy error',
  canceled: 'Query canceled',
  partition: 'Missing messages partition',
  unavailable: 'Tenant database unavailable',
}

function send(project: Project, name: string, isPrivate: boolean, message: FanOut): void {
  const topic = project.topics.find(name, isPrivate)
  if (!project.rates.events.add(1 + (topic?.subscribers.size ?? 0))) {
    throw new Refused(429, { message: 'You have exceeded your rate limit' })
  }
  topic?.broadcast(message)
}

/** A body longer than the longest frame is not even read. */
async function bodyOf(project: Project, request: Request): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.length
    if (size > project.limits.frameBytes) throw new Refused(413, { errors: { detail: 'Request Entity Too Large' } })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function jsonOf(body: Buffer): unknown {
  if (body.length === 0) return {}
  try {
    return JSON.parse(body.toString())
  } catch {
    throw badRequest()
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw badRequest()
  }
}

function badRequest(): Refused {
  return new Refused(400, { errors: { detail: 'Bad Request' } })
}
