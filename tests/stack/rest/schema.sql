-- What the tests of /rest/v1 serve: a small chat, and functions that answer in every way a function can.

create type public.mood as enum ('glad', 'sad');

create table public.people (
  id uuid primary key,
  name text not null unique,
  phone text,
  mood public.mood,
  created_at timestamptz not null default '2024-05-06 07:08:09.123456+00'
);

create table public.rooms (
  id bigint generated always as identity primary key,
  title text not null,
  owner_id uuid references public.people (id),
  seq bigint not null default 0,
  price numeric(12, 3),
  settings jsonb not null default '{}',
  tags text[] not null default '{}',
  moods public.mood[],
  flags boolean[],
  numbers bigint[],
  times timestamptz[],
  open_during tstzrange,
  opened_on date,
  title_length integer generated always as (char_length(title)) stored,
  constraint title_is_short check (char_length(title) < 30)
);

create table public.members (
  room_id bigint references public.rooms (id),
  invited_by uuid references public.people (id),
  person_id uuid references public.people (id),
  primary key (room_id, person_id)
);

create table public.notes (
  id integer primary key,
  body text,
  author uuid default auth.uid()
);
alter table public.notes enable row level security;
create policy "People keep their own notes"
on public.notes for all to authenticated
using (author = (select auth.uid()))
with check (author = (select auth.uid()));

-- People are read and changed by column: nobody's phone is shown.
revoke all on public.people from anon, authenticated;
grant select (id, name, mood, created_at), insert (id, name), update (name) on public.people to authenticated;

insert into public.people (id, name, phone) values
  ('00000000-0000-4000-8000-00000000000a', 'ana', '+1'),
  ('00000000-0000-4000-8000-00000000000b', 'ben', '+2');

insert into public.rooms (title, owner_id, price, settings, tags, moods, flags, numbers, times, open_during, opened_on)
values
  (
    'lobby', '00000000-0000-4000-8000-00000000000a', 12.500, '{"sound": {"on": true}}', array['a', null, 'NULL', 'x "y", {z}'],
    '{glad,sad}', '{true,null,false}', '{1,null}', '{2024-05-06 07:08:09+00}', '[2024-01-01,2024-02-01)', '2024-05-06'
  ),
  ('bar', '00000000-0000-4000-8000-00000000000b', null, '{}', '{}', null, null, null, null, null, null);

insert into public.members (room_id, person_id, invited_by) values
  (1, '00000000-0000-4000-8000-00000000000a', null),
  (1, '00000000-0000-4000-8000-00000000000b', '00000000-0000-4000-8000-00000000000a');

create function public.add(p_a integer, p_b integer default 10) returns integer
language sql immutable as $$ select p_a + p_b $$;

create function public.echo(p_value jsonb) returns jsonb
language sql immutable as $$ select p_value $$;

create function public.show_arguments(
  p_ids uuid[], p_tags text[], p_at timestamptz, p_big bigint, p_flags boolean[] default null, p_mood public.mood default null
) returns jsonb
language sql stable as $$
  select jsonb_build_object('ids', p_ids, 'tags', p_tags, 'at', p_at, 'big', p_big, 'flags', p_flags, 'mood', p_mood)
$$;

create function public.overloaded(p_a integer) returns text language sql as $$ select 'a number' $$;
create function public.overloaded(p_a integer, p_b text) returns text language sql as $$ select 'a number and a text' $$;

create function public.nothing() returns void language sql as $$ $$;
create function public.none() returns text language sql as $$ select null::text $$;
create function public.moment() returns timestamptz language sql stable as $$ select '2024-05-06 07:08:09+00'::timestamptz $$;
create function public.letters() returns setof text language sql stable as $$ values ('a'), ('b') $$;
create function public.pair(out number integer, out letter text) language sql as $$ select 1, 'x' $$;
create function public.pairs() returns table (number integer, letter text) language sql as $$ values (1, 'x'), (2, null) $$;
create function public.rooms_from(p_id bigint default 0) returns setof public.rooms
language sql stable as $$ select * from public.rooms where id >= p_id $$;

create function public.fail(p_state text, p_message text default 'no', p_detail text default null, p_hint text default null)
returns void
language plpgsql as $$
begin
  insert into public.notes (id, author) values (99, null);
  if p_detail is null then
    raise exception using errcode = p_state, message = p_message;
  end if;
  raise exception using errcode = p_state, message = p_message, detail = p_detail, hint = p_hint;
end
$$;

create function public.context() returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'user', current_user,
    'uid', auth.uid(),
    'role', auth.role(),
    'claims', auth.jwt(),
    'old_sub', current_setting('request.jwt.claim.sub', true),
    'old_role', current_setting('request.jwt.claim.role', true),
    'method', current_setting('request.method', true),
    'path', current_setting('request.path', true),
    'headers', current_setting('request.headers', true)::jsonb,
    'cookies', current_setting('request.cookies', true)::jsonb,
    'search_path', current_setting('search_path'),
    'statement_timeout', current_setting('statement_timeout'),
    'read_only', current_setting('transaction_read_only')
  )
$$;
-- The same, asked by a table request.
create view public.contexts with (security_invoker = true) as select public.context();

create function public.answer(p_status text default '', p_headers text default '') returns text
language plpgsql as $$
begin
  insert into public.notes (id, author) values (98, null) on conflict (id) do nothing;
  perform set_config('response.status', p_status, true), set_config('response.headers', p_headers, true);
  return 'done';
end
$$;

create function public.rooms_in_time() returns setof public.rooms
language sql stable set statement_timeout = '20s' as $$ select * from public.rooms $$;
create function public.time_limit(public.people) returns text
language sql stable as $$ select current_setting('statement_timeout') $$;

create function public.nap() returns integer language sql as $$ select 1 from pg_sleep(0.02) $$;
create function public.sleep() returns integer language sql as $$ select 1 from pg_sleep(60) $$;
