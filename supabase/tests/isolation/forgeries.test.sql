-- What a client may claim, and what it does not get by it.
begin;
select plan(18);

select tests.create_user(name) from unnest(array['ana', 'ben', 'carl', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben', 'carl']);
insert into public.organizations (slug, name) values ('grand', 'Grand');
select tests.create_room('lobby', members => array['ana', 'eve']);
select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), 'a secret');
select public.send_message(tests.room_id('lobby'), 'hello');
select tests.sign_in('ben');
select public.mark_read(tests.room_id('lounge'));
select tests.as_owner();
-- Carl's time is over, though nobody has taken him out yet.
update public.chat_room_members
set expires_at = now() - interval '1 second'
where room_id = tests.room_id('lounge') and user_id = tests.user_id('carl');

-- Columns
create function pg_temp.state_of(p_statement text) returns text language plpgsql as $$
begin
  execute p_statement;
  return 'done';
exception
  when others then
    return sqlstate;
end;
$$;
create function pg_temp.others(p_relation regclass, p_verb text) returns setof text language sql as $$
  select quote_ident(attname) from pg_attribute
  where attrelid = p_relation and attnum > 0 and not has_column_privilege('authenticated', attrelid, attname, p_verb)
$$;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ana');
select cmp_ok(
  (select count(*) from pg_temp.others('public.chat_messages', 'insert')), '>', 10::bigint, 'a message has columns that nobody writes'
);
select is_empty(
  $$ select name, state
     from pg_temp.others('public.chat_messages', 'insert') as name, pg_temp.state_of(format(
       'insert into public.chat_messages (room_id, content, %s) values (tests.room_id(''lounge''), ''forged'', default)', name
     )) as state
     where state <> '42501' $$,
  'not who wrote it, its seq, or that it is deleted: not even the default may be said'
);
select is_empty(
  $$ select relation, name, state
     from
       unnest(array['chat_messages', 'chat_rooms', 'profiles', 'organizations']) as relation,
       pg_temp.others(('public.' || relation)::regclass, 'update') as name,
       pg_temp.state_of(format('update public.%I set %s = default', relation, name)) as state
     where state <> '42501' $$,
  'nor are they changed later'
);

-- Tokens
select tests.present(jsonb_build_object(
  'sub', tests.user_id('eve'),
  'role', 'service_role',
  'is_anonymous', false,
  'app_metadata', jsonb_build_object('role', 'admin', 'organization_role', 'admin', 'rooms', array[tests.room_id('lounge')]),
  'user_metadata', jsonb_build_object('sub', tests.user_id('ana'), 'role', 'admin')
)::text);
select is_empty(
  $$ select from public.chat_rooms where title = 'lounge' union all select from public.organizations $$,
  'a token that says more than who one is gives no more'
);
select tests.refuses($$ select public.get_messages(tests.room_id('lounge')) $$, 'not_a_member', 'nor by a function');

-- Views, and what is private
select is_empty(
  $$ select relname from pg_class
     where relnamespace = 'public'::regnamespace and relkind = 'v' and (reloptions @> array['security_invoker=true']) is not true $$,
  'a view shows what its reader may see'
);
select is_empty(
  $$ select tablename, policyname from pg_policies where schemaname = 'private' and (qual, cmd) <> ('false', 'SELECT') $$,
  'what is private has no policy but that nobody reads it'
);

-- Channels
select tests.as_owner();
create function pg_temp.hears(p_who text) returns text language plpgsql as $$
declare
  heard bigint;
  shown text;
begin
  perform tests.as_owner();
  perform set_config('realtime.topic', (select topic from public.chat_rooms where title = 'lounge'), true);
  perform tests.sign_in(p_who);
  select count(*) into heard from realtime.messages;
  shown := pg_temp.state_of($s$ insert into realtime.messages (topic, extension) values (realtime.topic(), 'presence') $s$);
  perform tests.as_owner();
  return concat_ws(' ', heard > 0, shown);
end;
$$;
select is(pg_temp.hears('ben'), 't done', 'a member hears a room, and is seen there');
select is(pg_temp.hears('carl'), 'f 42501', 'whose time is over does not');
select is(pg_temp.hears('eve'), 'f 42501', 'nor does a stranger');

-- Behind the triggers, the policies alone: what the last trigger would write, if it were wrong.
create function pg_temp.forge() returns trigger language plpgsql as $$
begin
  return jsonb_populate_record(new, current_setting('tests.forged')::jsonb);
end;
$$;
create trigger z_forge before insert on public.chat_messages for each row execute function pg_temp.forge();
create trigger z_forge before insert on public.message_reactions for each row execute function pg_temp.forge();
create trigger z_forge before insert on public.user_blocks for each row execute function pg_temp.forge();
create function pg_temp.written(p_who text, p_insert text, p_forged jsonb default '{}') returns text language plpgsql as $$
begin
  perform set_config('tests.forged', p_forged::text, true), tests.sign_in(p_who);
  return pg_temp.state_of('insert into public.' || p_insert);
end;
$$;
create function pg_temp.message() returns uuid language sql stable security definer as $$
  select id from public.chat_messages where content = 'hello'
$$;
grant execute on all functions in schema pg_temp to authenticated;
select tests.as_owner();
select is(pg_temp.written('eve', statement), 'done', 'as oneself: ' || statement)
from (
  values
    ($$chat_messages (room_id, content) values (tests.room_id('lobby'), 'hi')$$),
    ($$message_reactions (message_id, emoji) values (pg_temp.message(), '👍')$$),
    ($$user_blocks (blocked_id) values (tests.user_id('ben'))$$)
) as statements (statement);
select is(pg_temp.written('eve', statement, forged), '42501', what)
from (
  values
    (
      'nobody writes as another',
      $$chat_messages (room_id, content) values (tests.room_id('lobby'), 'hi')$$, jsonb_build_object('sender_id', tests.user_id('ana'))
    ),
    (
      'or where one is not',
      $$chat_messages (room_id, content) values (tests.room_id('lobby'), 'hi')$$, jsonb_build_object('room_id', tests.room_id('lounge'))
    ),
    (
      'reacts as another',
      $$message_reactions (message_id, emoji) values (pg_temp.message(), '🎉')$$, jsonb_build_object('user_id', tests.user_id('ana'))
    ),
    (
      'or where one is not',
      $$message_reactions (message_id, emoji) values (pg_temp.message(), '🎉')$$, jsonb_build_object('room_id', tests.room_id('lounge'))
    ),
    (
      'or blocks for another',
      $$user_blocks (blocked_id) values (tests.user_id('carl'))$$, jsonb_build_object('blocker_id', tests.user_id('ana'))
    )
) as forgeries (what, statement, forged);

select * from finish();
rollback;
