begin;
select plan(12);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);

select tests.sign_in('ana');
select results_eq($$ select title from public.chat_rooms $$, array['lounge'], 'a member sees the room');
select is((select count(*) from public.chat_room_members), 2::bigint, 'and who is in it');
select results_eq(
  $$ select user_id from public.user_chat_preferences $$, array[tests.user_id('ana')], 'and her own preferences alone'
);
select throws_ok($$ update public.chat_rooms set last_seq = 9 $$, '42501', null, 'nobody moves the counter');
select throws_ok(
  $$ insert into public.chat_rooms (type, title) values ('group', 'mine') $$, '42501', null, 'nobody inserts a room'
);
select throws_ok(
  $$ insert into public.chat_room_members (room_id, user_id) values (tests.room_id('lounge'), tests.user_id('eve')) $$,
  '42501', null, 'nobody lets somebody in past the functions'
);
select throws_ok(
  $$ update public.user_chat_preferences set last_read_seq = 9 $$, '42501', null, 'nobody moves a cursor past the functions'
);

select tests.sign_in('eve');
select is_empty($$ select id from public.chat_rooms $$, 'a stranger sees no room');
select is_empty($$ select user_id from public.chat_room_members $$, 'and no members');

select tests.as_owner();
insert into public.organizations (slug, name) values ('grand', 'Grand');
insert into public.organization_members (organization_id, user_id) select id, tests.user_id('eve') from public.organizations;
update public.chat_rooms set organization_id = (select id from public.organizations);
select tests.sign_in('eve');
select is_empty($$ select id from public.chat_rooms $$, 'nor a colleague: the rooms of guests alone are the whole hotel''s');
select is_empty($$ select user_id from public.chat_room_members $$, 'or its members');

select tests.as_owner();
delete from public.chat_room_members where user_id = tests.user_id('ben');
select tests.sign_in('ben');
select is_empty($$ select id from public.chat_rooms $$, 'an ex-member sees it no longer');

select * from finish();
rollback;
