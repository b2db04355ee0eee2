begin;
select plan(15);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col', 'dan', 'eve', 'fay']) as name;
select tests.create_room('lounge', members => array['ana', 'ben', 'dan']);
select tests.create_room('cellar', members => array['ana', 'ben', 'col']);
insert into public.user_blocks (blocker_id, blocked_id) values (tests.user_id('dan'), tests.user_id('ana'));

-- Takes what was told since: who, of whom, and what.
create function pg_temp.told() returns table (told text) language plpgsql security definer as $$
begin
  return query
  with taken as (delete from realtime.messages where event = 'user-status' returning topic, payload)
  select concat_ws(' ', listener.username, 'hears', subject.username, payload ->> 'status')
  from taken
  join public.profiles as listener on topic = 'user:' || listener.id
  join public.profiles as subject on subject.id = (payload ->> 'user_id')::uuid;
end;
$$;
create function pg_temp.let_pass(p_time interval, p_name text) returns void language sql security definer as $$
  update public.user_presence set last_activity = last_activity - p_time, online_until = online_until - p_time
  where user_id = tests.user_id(p_name)
$$;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ben');
select public.heartbeat();
select is_empty($$ select pg_temp.told() $$, 'rooms.live: nobody is online to hear of the first one');
select tests.sign_in('dan');
select public.heartbeat();
select tests.sign_in('eve');
select public.heartbeat();
select pg_temp.told();

select tests.sign_in('ana');
select public.heartbeat();
select set_eq(
  $$ select pg_temp.told() $$, array['ben hears ana online'],
  'who is online and shares a room hears it, once for two rooms; not who blocks, is offline or a stranger'
);
select public.heartbeat(300);
select pg_temp.let_pass('11 seconds', 'ana');
select public.heartbeat();
select is_empty($$ select pg_temp.told() $$, 'further heartbeats are no news');

select tests.as_owner();
select private.end_leases();
select is_empty($$ select pg_temp.told() $$, 'no lease has ended');
select pg_temp.let_pass('5 minutes', 'ana');
select tests.sign_in('ana');
select public.heartbeat();
select is_empty($$ select pg_temp.told() $$, 'one that beats again before it was missed was never away');

select tests.as_owner();
select pg_temp.let_pass('36 seconds', 'ana');
select set_config('tests.last_seen', (select to_jsonb(last_activity) #>> '{}' from public.user_presence where user_id = tests.user_id('ana')), true);
select private.end_leases();
select is(
  (select payload -> 'last_seen' #>> '{}' from realtime.messages where event = 'user-status'),
  current_setting('tests.last_seen'),
  'mobile.connect: last seen at the last heartbeat'
);
select set_eq($$ select pg_temp.told() $$, array['ben hears ana offline'], 'a lease that ended is told of');
select private.end_leases();
select is_empty($$ select pg_temp.told() $$, 'once');
select results_eq(
  $$ select username, status from public.user_presence join public.profiles on id = user_id order by 1 $$,
  $$ values ('ana', 'offline'), ('ben', 'online'), ('dan', 'online'), ('eve', 'online') $$,
  'and nobody else''s has ended'
);

select tests.sign_in('ana');
select public.heartbeat();
select set_eq($$ select pg_temp.told() $$, array['ben hears ana online'], 'back again');
select public.mark_offline();
select set_eq($$ select pg_temp.told() $$, array['ben hears ana offline'], 'who says "offline" is told of at once');
select public.mark_offline();
select is_empty($$ select pg_temp.told() $$, 'once');

select tests.as_owner();
select is(
  (select schedule || ' ' || command from cron.job where jobname = 'end-leases'),
  '10 seconds select private.end_leases()',
  'the clock looks for ended leases every 10 seconds'
);

-- A guest and the hotel share the guest's room, where staff have no row.
insert into public.organizations (slug, name) values ('grand', 'Grand');
insert into public.organization_members (organization_id, user_id) select id, tests.user_id('eve') from public.organizations;
insert into public.chat_rooms (type, organization_id, room_number, title) select 'guest', id, '101', 'stay' from public.organizations;
insert into public.chat_room_members (room_id, user_id, expires_at)
values (tests.room_id('stay'), tests.user_id('fay'), now() + interval '1 day');
select tests.sign_in('fay');
select public.heartbeat();
select set_eq($$ select pg_temp.told() $$, array['eve hears fay online'], 'the staff hear of their guest');
select tests.sign_in('eve');
select public.mark_offline();
select set_eq($$ select pg_temp.told() $$, array['fay hears eve offline'], 'and a guest of the staff');

select * from finish();
rollback;
