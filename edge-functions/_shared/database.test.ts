import { deepStrictEqual as equal, rejects, throws } from 'node:assert'
import { callerDatabase, serviceDatabase } from './database.ts'

interface Asked {
  path: string
  apikey: string | null
  authorization: string | null
}

/** Runs the scene with a project that answers so, and gives back what it was asked. */
async function withProject(answer: () => Response, scene: () => Promise<void>): Promise<Asked[]> {
  const asked: Asked[] = []
  const project = Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: () => {} }, ({ url, headers }) => {
    asked.push({
      path: new URL(url).pathname,
      apikey: headers.get('apikey'),
      authorization: headers.get('authorization'),
    })
    return answer()
  })
  Deno.env.set('SUPABASE_URL', `http://127.0.0.1:${project.addr.port}`)
  Deno.env.set('SUPABASE_PUBLISHABLE_KEYS', '{"default":"publishable"}')
  Deno.env.set('SUPABASE_SECRET_KEYS', '{"default":"secret"}')
  try {
    await scene()
  } finally {
    await project.shutdown()
  }
  return asked
}

const caller = (authorization = 'Token abc') =>
  callerDatabase(new Request('http://localhost/', { headers: { authorization } }))

Deno.test('a caller asks with the own token, the service with its key', async () => {
  const asked = await withProject(
    () => Response.json({ id: 'me' }),
    async () => {
      await caller('bearer abc').rpc('f', {})
      await serviceDatabase().rows('t?select=id')
    },
  )
  equal(asked, [
    { path: '/rest/v1/rpc/f', apikey: 'publishable', authorization: 'Bearer abc' },
    { path: '/rest/v1/t', apikey: 'secret', authorization: null },
  ])
  for (const authorization of ['', 'abc', 'Basic abc', 'Bearer ']) {
    throws(() => caller(authorization), { status: 401, code: 'not_signed_in' })
  }
})

Deno.test('a refusal of SQL keeps its code and status; what others say is for the log alone', async () => {
  const refusals: [status: number, error: object, shown: object][] = [
    [
      403,
      { code: 'PT403', details: 'not_a_member', message: 'No.' },
      { status: 403, code: 'not_a_member', message: 'No.' },
    ],
    [422, { code: 'PT422', details: 'file_empty' }, { status: 400, code: 'file_empty' }],
    [429, { code: 'PT429', details: 'too_many', hint: '7' }, { status: 429, details: { retryAfter: 7 } }],
    [401, { code: '42501', message: 'permission denied' }, { status: 401, code: 'not_signed_in' }],
    [400, { code: '22P05', message: 'unsupported Unicode' }, { status: 400, code: 'invalid_input' }],
    [404, { code: '42P01', message: 'relation "t" does not exist' }, { status: 503, code: 'unavailable' }],
    [500, {}, { status: 503, code: 'unavailable' }],
  ]
  for (const [status, error, shown] of refusals) {
    await withProject(
      () => Response.json(error, { status }),
      () => rejects(caller().rpc('f', {}), shown),
    )
  }
  await withProject(
    () => new Response('<html>', { status: 502 }),
    () => rejects(caller().rpc('f', {}), { status: 503, message: /try again later/ }),
  )
})

Deno.test('a project that is not there is unavailable', async () => {
  Deno.env.set('SUPABASE_URL', 'http://127.0.0.1:1')
  await rejects(caller().rpc('f', {}), { status: 503 })
})
