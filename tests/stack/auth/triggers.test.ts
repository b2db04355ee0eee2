import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Project, signUp, startProject } from './project.ts'

let project: Project
beforeAll(async () => {
  project = await startProject()
  await project.sql(`create table public.seen (email text, role text, confirmed boolean, app jsonb, meta jsonb)`)
  await project.sql(`create function public.note_user() returns trigger language plpgsql security definer set search_path = '' as $$
    begin
      if new.email = 'refused@hotel.test' then raise exception 'not this one'; end if;
      insert into public.seen
      values (new.email, session_user, new.email_confirmed_at is not null, new.raw_app_meta_data, new.raw_user_meta_data);
      return new;
    end;
  $$`)
  await project.sql(
    'create trigger note_user after insert on auth.users for each row execute function public.note_user()',
  )
})
afterAll(() => project.close())

test('a trigger on auth.users runs under the service’s role and sees the row as in production: not confirmed yet', async () => {
  await project.client().auth.signUp({
    email: 'ana@hotel.test',
    password: 'correct horse',
    options: { data: { first_name: 'Ana' } },
  })
  await project.admin.auth.admin.createUser({
    email: 'ben@hotel.test',
    email_confirm: true,
    app_metadata: { staff: true },
  })
  expect(await project.sql('select * from public.seen order by email')).toMatchObject([
    {
      email: 'ana@hotel.test',
      role: 'supabase_auth_admin',
      confirmed: false,
      app: { provider: 'email', providers: ['email'] },
      meta: { first_name: 'Ana', email: 'ana@hotel.test' },
    },
    { email: 'ben@hotel.test', confirmed: false, app: { provider: 'email', providers: ['email'] } },
  ])
})

test('a trigger that raises undoes the sign-up, and its reason is logged, not told', async () => {
  const { error } = await project.client().auth.signUp({ email: 'refused@hotel.test', password: 'correct horse' })
  expect(error).toMatchObject({ status: 500, message: 'Database error saving new user' })
  expect(project.log.at(-1)).toContain('not this one')
  expect(await project.sql(`select from auth.users where email = 'refused@hotel.test'`)).toEqual([])
  // Nothing is left half done: the next one gets in.
  expect((await signUp(project, 'next@hotel.test')).user.email).toBe('next@hotel.test')
})

test('with Parley’s own schema people sign up, come anonymously, become permanent, and are deleted', async () => {
  const parley = await startProject({ migrated: true })
  try {
    const { user } = await signUp(parley, 'cora@hotel.test')
    const guest = parley.client()
    const { data } = await guest.auth.signInAnonymously()
    expect((await guest.auth.updateUser({ email: 'guest@hotel.test', password: 'correct horse' })).error).toBeNull()
    const emails = await parley.sql('select id, email from public.profiles order by email')
    expect(emails).toEqual([
      { id: user.id, email: 'cora@hotel.test' },
      { id: data.user?.id, email: 'guest@hotel.test' },
    ])
    for (const { id } of [user, data.user ?? { id: '' }]) {
      expect((await parley.admin.auth.admin.deleteUser(id)).error).toBeNull()
    }
    expect(await parley.sql('select id from public.profiles')).toEqual([])
    expect(parley.log).toEqual([])
  } finally {
    await parley.close()
  }
})
