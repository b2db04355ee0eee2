// What the HTTP door costs: its list, send and read beside the same calls by RPC.
//
//   npm run bench:http

import { createClient } from '@supabase/supabase-js'
import pg from 'pg'
import WebSocket from 'ws'
import { localKeys } from '../src/stack/keys.ts'
import { createProject } from '../tests/support/project.ts'

const atOnce = 4
// Turn and turn about, so that both sides meet the same machine: what else runs here comes and goes.
const turns = 40
const callsPerTurn = 40
// What a process learns of its first calls is not what the later ones cost.
const warmUpCalls = 80

type Call = (round: number) => Promise<unknown>

interface Measured {
  perSecond: number
  p95: number
}

async function measure(...sides: Call[]): Promise<Measured[]> {
  for (const call of sides) await inTurn(call, warmUpCalls)
  const times: number[][] = sides.map(() => [])
  const seconds: number[] = sides.map(() => 0)
  for (let turn = 0; turn < turns; turn++) {
    for (const [side, call] of sides.entries()) {
      const since = performance.now()
      times[side]?.push(...(await inTurn(call, callsPerTurn)))
      seconds[side] = (seconds[side] ?? 0) + (performance.now() - since) / 1000
    }
  }
  return times.map((each, side) => ({
    perSecond: each.length / (seconds[side] ?? 0),
    p95: each.sort((a, b) => a - b)[Math.floor(each.length * 0.95)] ?? 0,
  }))
}

/** Some calls, several at once. @returns how many milliseconds each took */
async function inTurn(call: Call, calls: number): Promise<number[]> {
  const times: number[] = []
  let next = 0
  const worker = async () => {
    for (let round = next++; round < calls; round = next++) {
      const begun = performance.now()
      await call(round)
      times.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return times
}

const project = await createProject()
const stack = await project.start()
try {
  const url = `http://127.0.0.1:${project.port}`
  const signUp = async (name: string) => {
    const client = createClient(url, localKeys.publishable, {
      auth: { persistSession: false },
      realtime: { transport: WebSocket as never },
    })
    const email = `${name}@example.com`
    const { data, error } = await client.auth.signUp({ email, password: 'a-long-password' })
    if (error || !data.session) throw error ?? new Error('Nobody was signed up.')
    return { client, id: data.session.user.id, token: data.session.access_token }
  }
  const people = await Promise.all(Array.from({ length: 21 }, (_, number) => signUp(`person${number}`)))
  const [ana, ...others] = people as [(typeof people)[0], ...typeof people]
  // Limits are not what is measured here.
  const database = new pg.Client(`postgresql://postgres:postgres@127.0.0.1:${project.databasePort}/postgres`)
  await database.connect()
  await database.query(
    `update private.limits set value = 1000000 where name in ('calls_per_minute', 'messages_per_minute')`,
  )
  await database.end()
  const rooms: string[] = []
  for (const { id } of others) {
    const { data } = await ana.client.rpc('start_direct_chat', { p_user_id: id, p_content: 'hello' }).throwOnError()
    rooms.push((data as { id: string }).id)
  }
  const room = (round: number) => rooms[round % rooms.length] as string
  const rpc = async (name: string, args: object) => {
    await ana.client.rpc(name, args).throwOnError()
  }
  const http = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${url}/functions/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${ana.token}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    await response.json()
  }

  const calls = {
    'list the chats': [() => rpc('get_rooms', { p_limit: 500 }), () => http('GET', '/api/chat/rooms')],
    'send a message': [
      (round: number) => rpc('send_message', { p_room_id: room(round), p_content: `message ${round}` }),
      (round: number) => http('POST', '/api/chat/messages/', { room: room(round), content: `message ${round}` }),
    ],
    'read messages': [
      (round: number) => rpc('get_messages', { p_room_id: room(round), p_limit: 50 }),
      (round: number) => http('GET', `/api/chat/rooms/${room(round)}/messages?limit=50`),
    ],
  } satisfies Record<string, [Call, Call]>

  // What any call of a function costs, whatever it does: on the way to it, and until it runs.
  const empty = async () => {
    const response = await fetch(`${url}/functions/v1/api/nothing`)
    await response.json()
  }
  const [hop] = (await measure(empty)) as [Measured]

  const table = []
  for (const [what, [byRpc, byHttp]] of Object.entries(calls)) {
    const [direct, door] = (await measure(byRpc, byHttp)) as [Measured, Measured]
    const ratio = door.p95 / direct.p95
    const withoutHop = (door.p95 - hop.p95) / direct.p95
    table.push({
      what,
      RPC: `${direct.perSecond.toFixed(0)}/s, p95 ${direct.p95.toFixed(1)} ms`,
      door: `${door.perSecond.toFixed(0)}/s, p95 ${door.p95.toFixed(1)} ms`,
      ratio: `${ratio.toFixed(2)}×`,
      'without the hop': `${withoutHop.toFixed(2)}×`,
      target: '≤ 1.40×',
      met: ratio <= 1.4,
    })
  }
  console.table(table)
  console.log(
    `The hop, a call of a function that asks nothing: ${hop.perSecond.toFixed(0)}/s, p95 ${hop.p95.toFixed(1)} ms`,
  )
} finally {
  await stack.stop('SIGTERM')
  project.remove()
}
