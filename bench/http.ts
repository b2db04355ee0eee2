// What the HTTP door costs: its list, send and read beside the same calls by RPC.
//
//   npm run bench:http

import { createClient } from '@supabase/supabase-js'
import pg from 'pg'
import WebSocket from 'ws'
import { localKeys } from '../src/stack/keys.ts'
import { createProject } from '../tests/support/project.ts'

const rounds = 200
const atOnce = 4

interface Measured {
  perSecond: number
  p95: number
}

async function measure(work: (round: number) => Promise<unknown>): Promise<Measured> {
  const times: number[] = []
  let next = 0
  const since = performance.now()
  const worker = async () => {
    for (let round = next++; round < rounds; round = next++) {
      const begun = performance.now()
      await work(round)
      times.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  const seconds = (performance.now() - since) / 1000
  return { perSecond: rounds / seconds, p95: times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? 0 }
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
  } satisfies Record<string, [(round: number) => Promise<unknown>, (round: number) => Promise<unknown>]>

  // What any call of a function costs, whatever it does: on the way to it, and until it runs.
  const empty = async () => {
    const response = await fetch(`${url}/functions/v1/api/nothing`)
    await response.json()
  }
  for (let round = 0; round < 10; round++) await empty()
  const hop = await measure(empty)

  const table = []
  for (const [what, [byRpc, byHttp]] of Object.entries(calls)) {
    // The first calls pay for what is kept afterwards.
    for (const call of [byRpc, byHttp]) for (let round = 0; round < 10; round++) await call(round)
    const [direct, door] = [await measure(byRpc), await measure(byHttp)]
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
