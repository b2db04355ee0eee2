import { deepStrictEqual as equal } from 'node:assert'
import { health } from './health.ts'

interface Asked {
  path: string
  apikey: string | null
}

/** Runs the scene with a REST API that answers so, and gives back what it was asked. */
async function withRest(answer: () => Response, scene: () => Promise<void>): Promise<Asked[]> {
  const asked: Asked[] = []
  const rest = Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: () => {} }, (request) => {
    asked.push({ path: new URL(request.url).pathname, apikey: request.headers.get('apikey') })
    return answer()
  })
  Deno.env.set('SUPABASE_URL', `http://127.0.0.1:${rest.addr.port}`)
  Deno.env.set('SUPABASE_SECRET_KEYS', '{"default":"sb_secret_test"}')
  try {
    await scene()
  } finally {
    await rest.shutdown()
  }
  return asked
}

async function ask(method = 'GET'): Promise<[status: number, body: string]> {
  const response = await health(new Request('http://localhost/health', { method }))
  return [response.status, await response.text()]
}

Deno.test('health: ok when the chat can be read through REST', async () => {
  const asked = await withRest(
    () => Response.json([]),
    async () => equal(await ask(), [200, '{"status":"ok"}']),
  )
  equal(asked, [{ path: '/rest/v1/chat_rooms', apikey: 'sb_secret_test' }])
})

Deno.test('health: unavailable, without the reason, when REST answers with an error', async () => {
  await withRest(
    () => Response.json({ code: 'PGRST205', message: 'no such table' }, { status: 404 }),
    async () => equal(await ask(), [503, '{"status":"unavailable"}']),
  )
})

Deno.test('health: unavailable when nobody answers', async () => {
  await withRest(
    () => new Response(),
    async () => {},
  )
  equal(await ask(), [503, '{"status":"unavailable"}'])
})

Deno.test('health: only reading is allowed', async () => {
  equal(await ask('POST'), [405, ''])
})
