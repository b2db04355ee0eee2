begin;
select plan(25);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.create_room('cellar', members => array['ben', 'eve']);

-- What stands in somebody's row: the seconds left of the lease, and those since the last heartbeat.
create function pg_temp.presence(p_name text) returns text language sql security definer as $$
  select concat_ws(' ', status, extract(epoch from online_until - now())::int, extract(epoch from now() - last_activity)::int)
  from public.user_presence where user_id = tests.user_id(p_name)
$$;
create function pg_temp.let_pass(p_time interval) returns void language sql security definer as $$
  update public.user_presence set last_activity = last_activity - p_time, online_until = online_until - p_time
$$;
create function pg_temp.looks_at(p_name text) returns uuid language sql security definer as $$
  select looking_at_room_id from public.user_presence where user_id = tests.user_id(p_name)
$$;
-- Whether the row was written again: another version of it stands elsewhere.
create function pg_temp.version(p_name text) returns tid language sql security definer as $$
  select ctid from public.user_presence where user_id = tests.user_id(p_name)
$$;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ana');
select is(
  public.heartbeat(), jsonb_build_object('status', 'online', 'last_activity', now()), 'mobile.connect: a heartbeat answers that one is online'
);
select is(pg_temp.presence('ana'), 'online 35 0', 'and buys 35 seconds');

select pg_temp.let_pass('9 seconds');
select set_config('tests.version', pg_temp.version('ana')::text, true);
select is(
  public.heartbeat() ->> 'last_activity', (to_jsonb(now() - interval '9 seconds') #>> '{}'), 'a second one within 10 seconds answers when the last one was'
);
select is(pg_temp.version('ana')::text, current_setting('tests.version'), 'and writes nothing');
select lives_ok($$ select public.heartbeat(300) $$, 'unless it asks for more');
select is(pg_temp.presence('ana'), 'online 300 0', 'rooms.heartbeat: a lease of 5 minutes');
select pg_temp.let_pass('11 seconds');
select public.heartbeat();
select is(pg_temp.presence('ana'), 'online 289 0', 'a shorter lease does not cut the longer one, and is a heartbeat');
select pg_temp.let_pass('290 seconds');
select public.heartbeat();
select is(pg_temp.presence('ana'), 'online 35 0', 'when it is over, the next one buys its own');

select public.heartbeat(p_room_id => tests.room_id('lounge'));
select is(pg_temp.looks_at('ana'), tests.room_id('lounge'), 'a heartbeat says at once which room is on the screen');
select public.heartbeat();
select is(pg_temp.looks_at('ana'), null, 'and that none is');
select lives_ok($$ select public.heartbeat(p_room_id => tests.room_id('cellar')) $$, 'a room that is not mine is no reason to be offline');
select is(pg_temp.looks_at('ana'), null, 'and counts as none');

select public.heartbeat(p_room_id => tests.room_id('lounge'));
select is(public.mark_offline(), '{"status": "offline"}', 'rooms.offline: one says so, and is offline');
select results_eq(
  $$ select status, online_until, last_activity from public.user_presence where user_id = tests.user_id('ana') $$,
  $$ values ('offline', '-infinity'::timestamptz, now()) $$,
  'at once, last seen at the last heartbeat'
);
select is(pg_temp.looks_at('ana'), null, 'looking at nothing');
select lives_ok($$ select public.mark_offline() $$, 'saying it twice is as well');
select public.heartbeat();
select is(pg_temp.presence('ana'), 'online 35 0', 'and the next heartbeat is heard, however soon');
select public.mark_offline();

select tests.sign_in('ben');
select lives_ok($$ select public.mark_offline() $$, 'who never beat may say it too');
select is(pg_temp.presence('ben'), null, 'and still has no presence');

select tests.sign_in('ana');
select tests.refuses($$ select public.heartbeat(34) $$, 'lease_out_of_range', 'no lease shorter than the beat');
select tests.refuses($$ select public.heartbeat(301) $$, 'lease_out_of_range', 'nor longer than 5 minutes');
select tests.refuses($$ select public.heartbeat(null) $$, 'lease_out_of_range', 'nor of no length');
select is(
  (select status from public.user_presence where user_id = tests.user_id('ana')), 'offline', 'a refused one keeps nobody online'
);

select tests.present('{"sub": "00000000-0000-4000-8000-000000000009", "role": "authenticated"}');
select tests.refuses($$ select public.heartbeat() $$, 'user_not_found', 'a token whose account is gone beats for nobody');

select tests.present('{"role": "authenticated"}');
select tests.refuses($$ select public.heartbeat() $$, 'not_signed_in', 'nor does one of nobody');

select * from finish();
rollback;
