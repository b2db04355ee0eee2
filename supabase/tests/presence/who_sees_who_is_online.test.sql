begin;
select plan(16);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col', 'dan', 'eve', 'fay']) as name;
select tests.create_room('lounge', members => array['ana', 'ben', 'dan']);
insert into public.organizations (slug, name) values ('grand', 'Grand');
insert into public.organization_members (organization_id, user_id)
select id, tests.user_id(person) from public.organizations, unnest(array['ana', 'col']) as person;

create function pg_temp.let_pass(p_time interval, p_name text) returns void language sql security definer as $$
  update public.user_presence set last_activity = last_activity - p_time, online_until = online_until - p_time
  where user_id = tests.user_id(p_name)
$$;
create function pg_temp.online() returns setof text language sql as $$
  select username from unnest(public.online_users()) as user_id join public.profiles on id = user_id
$$;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ana');
select is(public.online_users(), '{}', 'rooms.online: nobody has been active');
select public.heartbeat();
select tests.sign_in('ben');
select public.heartbeat();
select tests.sign_in('col');
select public.heartbeat();
select tests.sign_in('eve');
select public.heartbeat();

select tests.sign_in('ana');
select set_eq(
  $$ select pg_temp.online() $$, array['ana', 'ben', 'col'], 'the caller, who shares a room and who shares a hotel; no stranger'
);
select set_eq(
  $$ select username from public.user_presence join public.profiles on id = user_id where online_until > now() $$,
  array['ana', 'ben', 'col'],
  'the same by the table'
);
select throws_ok(
  $$ select looking_at_room_id from public.user_presence $$, '42501', null, 'which does not tell what they look at'
);
select tests.sign_in('eve');
select set_eq($$ select pg_temp.online() $$, array['eve'], 'a stranger sees herself alone');

select tests.as_owner();
select pg_temp.let_pass('299 seconds', 'ben');
select private.end_leases();
select tests.sign_in('ana');
select set_eq($$ select pg_temp.online() $$, array['ana', 'ben', 'col'], 'active 299 seconds ago is online here, though the lease is over');
select is(
  (select status from public.user_presence where user_id = tests.user_id('ben')), 'offline', 'and his status says so'
);
select tests.as_owner();
select pg_temp.let_pass('1 second', 'ben');
select tests.sign_in('ana');
select set_eq($$ select pg_temp.online() $$, array['ana', 'col'], '5 minutes ago is not');
select tests.sign_in('col');
select public.mark_offline();
select tests.sign_in('ana');
select set_eq($$ select pg_temp.online() $$, array['ana'], 'nor is who has said "offline"');

select tests.sign_in('ben');
select public.heartbeat();
select public.block_user(tests.user_id('ana'));
select tests.sign_in('ana');
select set_eq($$ select pg_temp.online() $$, array['ana'], 'who blocks is not shown');
select is_empty(
  $$ select from public.user_presence where user_id = tests.user_id('ben') $$, 'nor in the table'
);
select tests.sign_in('ben');
select set_eq($$ select pg_temp.online() $$, array['ben'], 'nor is who is blocked');
select public.unblock_user(tests.user_id('ana'));
select set_eq($$ select pg_temp.online() $$, array['ana', 'ben'], 'until the block is over');

select throws_ok(
  $$ update public.user_presence set status = 'offline' $$, '42501', null, 'nobody writes the table past the functions'
);
select tests.present('{"role": "authenticated"}');
select tests.refuses($$ select public.online_users() $$, 'not_signed_in', 'nobody sees nobody');
select tests.sign_out();
select throws_ok($$ select public.online_users() $$, '42501', null, 'nor who has no token');

select * from finish();
rollback;
