begin;
select plan(15);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col', 'eve']) as name;
create function pg_temp.set_role(p_name text, p_role text) returns jsonb language sql as $$
  select public.set_member_role(tests.room_id('lounge'), tests.user_id(p_name), p_role)
$$;
create function pg_temp.role_of(p_name text) returns text language sql security definer as $$
  select role::text from public.chat_room_members where user_id = tests.user_id(p_name)
$$;
grant execute on function pg_temp.set_role(text, text), pg_temp.role_of(text) to authenticated;

select tests.sign_in('ana');
select public.create_group_chat('lounge', array[tests.user_id('ben'), tests.user_id('col')]);
select is(
  (select p ->> 'role' from jsonb_array_elements(pg_temp.set_role('ben', 'admin') -> 'participants') as p where p ->> 'username' = 'ben'),
  'admin', 'an owner makes admins, and is answered the room'
);
select tests.refuses($$ select pg_temp.set_role('ben', 'king') $$, 'unknown_role', 'there is no other role');
select tests.refuses($$ select pg_temp.set_role('ben', null) $$, 'unknown_role', 'and no role is none');
select tests.refuses($$ select pg_temp.set_role('eve', 'admin') $$, 'user_not_found', 'strangers have no role');

select tests.sign_in('ben');
select lives_ok($$ select pg_temp.set_role('col', 'admin') $$, 'an admin makes admins');
select lives_ok($$ select pg_temp.set_role('col', 'member') $$, 'and unmakes them');
select tests.refuses($$ select pg_temp.set_role('ben', 'owner') $$, 'not_an_owner', 'but no owners');
select tests.refuses($$ select pg_temp.set_role('ana', 'member') $$, 'not_an_owner', 'nor unmakes them');

select tests.sign_in('col');
select tests.refuses($$ select pg_temp.set_role('col', 'admin') $$, 'not_an_admin', 'members make nobody anything');
select throws_ok(
  $$ update public.chat_room_members set role = 'owner' $$, '42501', null, 'not by a plain update either'
);

select tests.sign_in('ana');
select lives_ok($$ select pg_temp.set_role('ben', 'owner') $$, 'an owner makes another');
select lives_ok($$ select pg_temp.set_role('ana', 'member') $$, 'and steps down');
select tests.sign_in('ben');
select tests.refuses($$ select pg_temp.set_role('ben', 'member') $$, 'last_admin', 'the last one does not');
select is(pg_temp.role_of('ben'), 'owner', 'and stays what he is');

select tests.sign_in('eve');
select tests.refuses($$ select pg_temp.set_role('eve', 'admin') $$, 'not_a_member', 'strangers set none');

select * from finish();
rollback;
