-- The people and rooms that the tests speak of. Runs first, and stays: the other files each start from here.
-- The people of the tests make assertions too.
alter default privileges in schema extensions grant execute on functions to public;
create extension if not exists pgtap with schema extensions;

-- Left by an earlier run.
drop schema if exists tests cascade;
create schema tests;
grant usage on schema tests to anon, authenticated, service_role;

-- Makes an account, as the Auth service would. Answers its id.
create function tests.create_user(p_name text, p_is_anonymous boolean default false)
returns uuid
language plpgsql set search_path = ''
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
  perform tests.present(json_build_object(
    'sub', user_id, 'role', 'authenticated', 'is_anonymous', tests.is_anonymous(user_id)
  )::text);
end;
$$;

-- From here on the statements are those of whoever has a token with these claims.
create function tests.present(p_claims text)
returns void
language plpgsql set search_path = ''
as $$
begin
  perform set_config('request.jwt.claims', p_claims, true);
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
language plpgsql set search_path = ''
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

-- Gives somebody a key to send encrypted messages with, as if it had been uploaded.
create function tests.create_key(p_name text, p_key_id text)
returns void
language plpgsql set search_path = ''
as $$
begin
  insert into public.user_encryption_keys (user_id, device_id, key_id, public_key, fingerprint)
  values (tests.user_id(p_name), 'phone', p_key_id, 'the key', upper(encode(sha256(p_key_id::bytea), 'hex')));
end;
$$;

-- An encrypted message, as far as the server can tell.
create function tests.envelope(p_body text)
returns text
language plpgsql immutable set search_path = ''
as $$
begin
  return jsonb_build_object('v', 1, 'keys', jsonb_build_object('A1B2', 'wrapped'), 'body', p_body);
end;
$$;

-- The SQLSTATE that this refusal has in the list.
create function tests.sqlstate_of(p_code text)
returns text
language plpgsql stable security definer set search_path = ''
as $$
declare
  found text;
begin
  select sqlstate into strict found from private.error_codes where code = p_code;
  return found;
end;
$$;

-- Asserts that a statement is refused with this code. `throws_ok` sees the SQLSTATE alone, which many codes share. The
-- search path is the caller's: pgTAP finds its own functions by it.
create function tests.refuses(p_sql text, p_code text, p_name text)
returns text
language plpgsql
as $$
declare
  state text;
  code text;
begin
  begin
    execute p_sql;
  exception when others then
    get stacked diagnostics state = returned_sqlstate, code = pg_exception_detail;
  end;
  return extensions.is(concat_ws(' ', state, code), concat_ws(' ', tests.sqlstate_of(p_code), p_code), p_name);
end;
$$;

-- Whoever has signed in may ask and assert. People, rooms and keys are made before, by the owner.
grant execute on all functions in schema tests to anon, authenticated, service_role;
revoke execute
on function tests.create_user(text, boolean), tests.create_room(text, text[]), tests.create_key(text, text)
from anon, authenticated, service_role;

select extensions.plan(1);
select extensions.has_schema('tests', 'the people of the tests can be made');
select * from extensions.finish();
