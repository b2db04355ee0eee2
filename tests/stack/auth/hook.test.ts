import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { claimsOf, type Project, signUp, startProject } from './project.ts'

let project: Project
beforeAll(async () => {
  project = await startProject({ hook: 'pg-functions://postgres/public/access_token' })
  await project.sql('create table public.events (event jsonb, caller text)')
  await project.sql('grant usage on schema public to supabase_auth_admin')
  await project.sql('grant insert on public.events to supabase_auth_admin')
})
afterAll(() => project.close())
beforeEach(() => hookAnswers(`jsonb_set(event, '{claims,app_metadata,rooms}', '[1, 2]')`))

/** Replaces what the hook answers. */
async function hookAnswers(answer: string) {
  await project.sql(`create or replace function public.access_token(event jsonb) returns jsonb language plpgsql as $$
    begin
      insert into public.events values (event, current_user);
      return ${answer};
    end;
  $$`)
  await project.sql('grant execute on function public.access_token to supabase_auth_admin')
}

test('the hook sees who signs in and how, as the service’s own role, and has the last word on the claims', async () => {
  const { user, session, client } = await signUp(project, 'ana@hotel.test')
  expect(claimsOf(session.access_token)).toMatchObject({
    sub: user.id,
    app_metadata: { providers: ['email'], rooms: [1, 2] },
  })
  await client.auth.refreshSession()
  await project.client().auth.signInAnonymously()
  const events = await project.sql<{ event: Record<string, unknown>; caller: string }>('select * from public.events')
  expect(events.map(({ event }) => event.authentication_method)).toEqual(['password', 'token_refresh', 'anonymous'])
  expect(events[0]).toMatchObject({
    caller: 'supabase_auth_admin',
    event: { user_id: user.id, claims: { sub: user.id, role: 'authenticated', session_id: expect.any(String) } },
  })
  expect(Object.keys(events[0]?.event ?? {}).sort()).toEqual(['authentication_method', 'claims', 'user_id'])
})

test('a hook that refuses is heard, with its status and its words, and nobody is signed in', async () => {
  await signUp(project, 'ben@hotel.test')
  const sessions = () => project.sql('select id from auth.sessions')
  const before = await sessions()
  await hookAnswers(`'{"error": {"http_code": 403, "message": "Not on this floor."}}'`)
  const { error } = await project
    .client()
    .auth.signInWithPassword({ email: 'ben@hotel.test', password: 'correct horse' })
  expect(error).toMatchObject({ status: 403, message: 'Not on this floor.' })
  expect(await sessions()).toHaveLength(before.length)
})

test('a hook that raises, forgets the claims or takes away what a token needs: 500, logged', async () => {
  const failures = [
    ['(1 / 0)::text::jsonb', 'Error running hook URI: pg-functions://postgres/public/access_token'],
    ["'{}'", 'output claims field is missing'],
    ["event #- '{claims,session_id}'", 'output claims do not conform to the expected schema: \n- session_id\n'],
  ] as const
  for (const [answer, message] of failures) {
    await hookAnswers(answer)
    const { error } = await project.client().auth.signInAnonymously()
    expect(error).toMatchObject({ status: 500, message })
    expect(project.log.at(-1)).toContain(message)
  }
  expect(project.log.some((line) => line.includes('division by zero'))).toBe(true)
})

test('a hook that takes longer than two seconds is stopped', async () => {
  await hookAnswers(`to_jsonb(pg_sleep(10)::text)`)
  const { error } = await project.client().auth.signInAnonymously()
  expect(error).toMatchObject({ status: 500 })
  expect(project.log.at(-1)).toContain('statement timeout')
})

test('a hook that is no Postgres function is refused at the start', async () => {
  await expect(startProject({ hook: 'https://hooks.test/token' })).rejects.toThrow(
    'not the address of a Postgres function',
  )
})
