begin;
select plan(20);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col', 'dan', 'eve', 'fay']) as name;
select tests.create_user('ghost', p_is_anonymous => true);
insert into public.organizations (slug, name) values ('grand', 'Grand');
insert into public.organization_members (organization_id, user_id)
select id, tests.user_id(person) from public.organizations, unnest(array['ana', 'ben', 'col']) as person;
insert into public.user_blocks (blocker_id, blocked_id)
values (tests.user_id('ana'), tests.user_id('eve')), (tests.user_id('fay'), tests.user_id('ana'));
create function pg_temp.people(variadic p_names text[]) returns uuid[] language sql as $$
  select array_agg(tests.user_id(name)) from unnest(p_names) as name
$$;
grant execute on function pg_temp.people(text[]) to authenticated;

select tests.sign_in('ana');
select public.create_group_chat('lounge', pg_temp.people('ben'));
select public.create_group_chat('hall', null, p_organization_id => (select id from public.organizations));
select public.send_message(tests.room_id('lounge'), 'before');

select is(
  public.add_room_members(tests.room_id('lounge'), pg_temp.people('col', 'col')) -> 'member_count', '3', 'an owner adds'
);
select is(
  (select role::text from public.chat_room_members where user_id = tests.user_id('col')), 'member', 'as a member'
);
select public.set_member_role(tests.room_id('lounge'), tests.user_id('ben'), 'admin');
select is(
  public.add_room_members(tests.room_id('lounge'), pg_temp.people('ben', 'col')) -> 'member_count', '3',
  'adding again changes nothing'
);
select is(
  (select role::text from public.chat_room_members where room_id = tests.room_id('lounge') and user_id = tests.user_id('ben')),
  'admin', 'not even a role'
);
select is(public.add_room_members(tests.room_id('lounge'), null) -> 'member_count', '3', 'nobody named, nobody added');
select is(
  public.add_room_members(tests.room_id('hall'), pg_temp.people('ben', 'col')) -> 'member_count', '3',
  'staff.participants: people of the same hotel are added to its groups'
);
select tests.refuses(
  $$ select public.add_room_members(tests.room_id('hall'), pg_temp.people('dan')) $$,
  'not_in_organization', 'and nobody else'
);

select tests.refuses(
  $$ select public.add_room_members(tests.room_id('lounge'), pg_temp.people('dan', 'eve')) $$,
  'blocked', 'not somebody I have blocked'
);
select is(
  (select count(*) from public.chat_room_members where user_id = tests.user_id('dan')), 0::bigint, 'nor those named beside'
);
select tests.refuses(
  $$ select public.add_room_members(tests.room_id('lounge'), pg_temp.people('fay')) $$, 'blocked', 'nor who has blocked me'
);
select tests.refuses(
  $$ select public.add_room_members(tests.room_id('lounge'), array[gen_random_uuid()]) $$,
  'user_not_found', 'nor who does not exist'
);
select tests.refuses(
  $$ select public.add_room_members(tests.room_id('lounge'), pg_temp.people('ghost')) $$,
  'user_not_found', 'nor a guest without an account'
);
select tests.refuses(
  $$ select public.add_room_members(tests.room_id('lounge'), (select array_agg(gen_random_uuid()) from generate_series(1, 501))) $$,
  'too_many_members', 'not 501 people at once'
);

select tests.sign_in('ben');
select lives_ok(
  $$ select public.add_room_members(tests.room_id('lounge'), pg_temp.people('eve')) $$,
  'another admin adds whom the owner has blocked: groups go on'
);
select tests.sign_in('ana');
select lives_ok(
  $$ select public.add_room_members(tests.room_id('lounge'), pg_temp.people('eve')) $$, 'who is there already is no refusal'
);

select tests.sign_in('col');
select tests.refuses(
  $$ select public.add_room_members(tests.room_id('lounge'), pg_temp.people('dan')) $$, 'not_an_admin', 'members do not add'
);
select is(
  (select public.calculate_unread_count(tests.user_id('col'), tests.room_id('lounge'))), 0, 'who comes late has nothing unread'
);
select tests.refuses(
  format($$ select public.add_room_members(%L, pg_temp.people('dan')) $$, public.start_direct_chat(tests.user_id('ben')) ->> 'id'),
  'not_a_group', 'a direct chat stays between two'
);

select tests.sign_in('dan');
select tests.refuses(
  $$ select public.add_room_members(tests.room_id('lounge'), pg_temp.people('dan')) $$, 'not_a_member', 'strangers add nobody'
);
select tests.refuses(
  $$ select public.add_room_members(gen_random_uuid(), pg_temp.people('dan')) $$, 'room_not_found', 'there is no such group'
);

select * from finish();
rollback;
