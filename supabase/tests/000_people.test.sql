-- The people and rooms that the tests speak of. Runs first, and stays: the other files each start from here.
-- The people of the tests make assertions too.
alter default privileges in schema extensions grant execute on functions to public;
create extension if not exists pgtap with schema extensions;

create schema tests;
grant usage on schema tests to anon, authenticated, service_role;
alter default privileges in schema tests grant execute on functions to anon, authenticated, service_role;

-- Makes an account, as the Auth service would. Answers its id.
create function tests.create_user(p_name text, p_is_anonymous boolean default false)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  user_id uuid := gen_random_uuid();
begin
  insert into auth.users (id, email, is_anonymous, raw_user_meta_data)
  values (
    user_id,
    case when not p_is_anonymous then p_name || '@example.com' end,
    p_is_anonymous,
    jsonb_build_object('username', p_name, 'first_name', initcap(p_name))
  );
  return user_id;
end;
$$;

create function tests.user_id(p_name text)
returns uuid
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (select id from public.profiles where username = p_name);
end;
$$;

-- From here on the statements are this person's, as if they came through the API.
create function tests.sign_in(p_name text)
returns void
language plpgsql set search_path = ''
as $$
declare
  user_id uuid := tests.user_id(p_name);
begin
  if user_id is null then
    raise exception 'There is no % to sign in: tests.create_user(%) first.', p_name, quote_literal(p_name);
  end if;
  perform set_config('request.jwt.claims', json_build_object(
    'sub', user_id, 'role', 'authenticated', 'is_anonymous', tests.is_anonymous(user_id)
  )::text, true);
  perform set_config('role', 'authenticated', true);
end;
$$;

create function tests.is_anonymous(p_user_id uuid)
returns boolean
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (select is_anonymous from auth.users where id = p_user_id);
end;
$$;

-- From here on nobody is signed in.
create function tests.sign_out()
returns void
language plpgsql set search_path = ''
as $$
begin
  perform set_config('request.jwt.claims', '{"role": "anon"}', true);
  perform set_config('role', 'anon', true);
end;
$$;

-- From here on the statements are the project owner's again.
create function tests.as_owner()
returns void
language plpgsql set search_path = ''
as $$
begin
  perform set_config('request.jwt.claims', '', true);
  perform set_config('role', 'postgres', true);
end;
$$;

-- A group with these people in it, found again by its title.
create function tests.create_room(p_title text, members text[])
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  new_room_id uuid;
begin
  insert into public.chat_rooms (type, title) values ('group', p_title) returning id into new_room_id;
  insert into public.chat_room_members (room_id, user_id)
  select new_room_id, tests.user_id(member) from unnest(members) as member;
  return new_room_id;
end;
$$;

create function tests.room_id(p_title text)
returns uuid
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (select id from public.chat_rooms where title = p_title);
end;
$$;

select extensions.plan(1);
select extensions.has_schema('tests', 'the people of the tests can be made');
select * from extensions.finish();
