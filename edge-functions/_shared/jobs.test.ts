import { deepStrictEqual as equal, rejects } from 'node:assert'
import { draining, type Job, type Outcome } from './jobs.ts'
import { setting } from './settings.ts'

interface Call {
  name: string
  args: Record<string, unknown>
}

const answers: Record<string, (args: Call['args']) => Response> = {
  read_jobs: () => Response.json([1, 2, 3, 4].map((job_id) => ({ job_id, attempt: 1, enqueued_at: '', job: {} }))),
  finish_jobs: () => Response.json(1),
  fail_job: ({ p_job_id }) =>
    p_job_id === 4
      ? Response.json({ code: 'PT404', details: 'job_not_found', message: 'There is no such job.' }, { status: 404 })
      : Response.json({ state: 'waiting' }),
  continue_job: () => new Response(null, { status: 204 }),
}

/** Calls a function that works so, with a REST API beside it: what it answered, asked and wrote. */
async function call(
  work: (jobs: Job<object>[]) => Promise<Outcome[]>,
  { secret = 'the-secret', missing = '' } = {},
): Promise<{ status: number; body: unknown; asked: Call[]; lines: string[] }> {
  const asked: Call[] = []
  const lines: string[] = []
  const rest = Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: () => {} }, async (request) => {
    const name = new URL(request.url).pathname.split('/').at(-1) ?? ''
    const args = await request.json()
    asked.push({ name, args })
    return answers[name]?.(args) ?? new Response(null, { status: 500 })
  })
  Deno.env.set('SUPABASE_URL', `http://127.0.0.1:${rest.addr.port}`)
  Deno.env.set('SUPABASE_SECRET_KEYS', '{"default":"sb_secret_test"}')
  Deno.env.set('PARLEY_JOB_SECRET', 'the-secret')
  const requireSettings = () => {
    if (missing) setting(missing)
  }
  const handler = draining<object>({ name: 'push', requireSettings, work })
  try {
    const request = new Request('http://localhost/push', { method: 'POST', headers: { 'x-job-secret': secret } })
    const response = await handler(request, (event, facts) => lines.push(JSON.stringify({ event, ...facts })))
    return { status: response.status, body: await response.json(), asked, lines }
  } finally {
    await rest.shutdown()
  }
}

Deno.test('each job is recorded as it ended; one that another has finished meanwhile is no error', async () => {
  const { body, asked, lines } = await call(() =>
    Promise.resolve([
      { jobId: 1, state: 'done' },
      { jobId: 2, state: 'continues', left: { after: 'x' } },
      { jobId: 3, state: 'failed', reason: 'FCM is down.', left: { device_ids: ['y'] } },
      { jobId: 4, state: 'failed', reason: 'FCM is down.' },
    ]),
  )
  equal(body, { success: true, done: 1, failed: 2, continues: 1 })
  equal(asked[0]?.args, { p_queue: 'push', p_limit: 100, p_visibility_seconds: 60 })
  equal(
    asked.slice(1, -1).sort((one, other) => Number(one.args.p_job_id) - Number(other.args.p_job_id)),
    [
      { name: 'continue_job', args: { p_queue: 'push', p_job_id: 2, p_left: { after: 'x' } } },
      {
        name: 'fail_job',
        args: { p_queue: 'push', p_job_id: 3, p_left: { device_ids: ['y'] }, p_reason: 'FCM is down.' },
      },
      { name: 'fail_job', args: { p_queue: 'push', p_job_id: 4, p_reason: 'FCM is down.' } },
    ],
  )
  equal(asked.at(-1), { name: 'finish_jobs', args: { p_queue: 'push', p_job_ids: [1] } })
  equal(lines.at(0), '{"event":"job failed","queue":"push","job_id":3,"reason":"FCM is down.","state":"waiting"}')
})

Deno.test('what fails altogether fails for every job', async () => {
  const { body, asked } = await call(() => Promise.reject(new Error('REST is down.')))
  equal(body, { success: true, done: 0, failed: 4, continues: 0 })
  equal(
    asked.filter(({ name }) => name === 'fail_job').map(({ args }) => args.p_reason),
    Array(4).fill('Error: REST is down.'),
  )
})

Deno.test('without a secret that all jobs need, none is read', async () => {
  Deno.env.delete('CLOUDINARY_URL')
  await rejects(
    call(() => Promise.resolve([]), { missing: 'CLOUDINARY_URL' }),
    {
      message:
        "The secret CLOUDINARY_URL is not set (Cloudinary's console shows it as cloudinary://<key>:<secret>@<cloud name>). See .env.example.",
    },
  )
})

Deno.test('a wrong secret, or one that is as long, reads nothing', async () => {
  for (const secret of ['', 'the-secre', 'THE-SECRET', 'the-secret-and-more']) {
    await rejects(
      call(() => Promise.resolve([]), { secret }),
      { code: 'wrong_job_secret', status: 401 },
    )
  }
})
