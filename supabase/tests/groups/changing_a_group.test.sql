begin;
select plan(17);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
create temporary table rooms (what text, id uuid);
grant all on rooms to authenticated;
create function pg_temp.lounge() returns text[] language sql security definer as $$
  select array[title, description, avatar_url, history_for_new_members::text]
  from public.chat_rooms where id = (select id from rooms where what = 'group')
$$;
grant execute on function pg_temp.lounge() to authenticated;

select tests.sign_in('ana');
select public.create_group_chat('lounge', array[tests.user_id('ben')]);
insert into rooms values ('group', tests.room_id('lounge'));
insert into rooms values ('direct', (public.start_direct_chat(tests.user_id('eve')) ->> 'id')::uuid);

select lives_ok(
  $$ update public.chat_rooms
     set title = 'Lounge', description = 'For talks', avatar_url = 'https://example.com/a.png', history_for_new_members = false
     where title = 'lounge' $$,
  'an admin changes the group'
);
select is(pg_temp.lounge(), array['Lounge', 'For talks', 'https://example.com/a.png', 'false'], 'as it says');
select lives_ok(
  $$ update public.chat_rooms set title = null, description = null, avatar_url = null, history_for_new_members = null
     where title = 'Lounge' $$,
  'and takes it back'
);
select is(pg_temp.lounge(), array[null, null, null, 'false'], 'what has to be something stays');
select ok(
  (select r.updated_at > now() from public.chat_rooms as r join rooms using (id) where what = 'group'), 'the room was updated'
);

select tests.refuses(
  $$ update public.chat_rooms set title = '' where id = (select id from rooms where what = 'group') $$,
  'title_invalid', 'a title is not empty'
);
select tests.refuses(
  $$ update public.chat_rooms set title = repeat('x', 201) where id = (select id from rooms where what = 'group') $$,
  'title_invalid', 'nor endless'
);
select tests.refuses(
  $$ update public.chat_rooms set description = repeat('x', 2001) where id = (select id from rooms where what = 'group') $$,
  'description_too_long', 'nor is a description'
);
select tests.refuses(
  $$ update public.chat_rooms set avatar_url = 'javascript:x' where id = (select id from rooms where what = 'group') $$,
  'avatar_url_invalid', 'a picture is on the web'
);
select tests.refuses(
  $$ update public.chat_rooms set title = 'us' where id = (select id from rooms where what = 'direct') $$,
  'not_a_group', 'a direct chat has no title'
);
select throws_ok($$ update public.chat_rooms set type = 'direct' $$, '42501', null, 'a group stays one');
select throws_ok($$ update public.chat_rooms set created_by = null $$, '42501', null, 'of whoever made it');

select tests.sign_in('ben');
select tests.refuses($$ update public.chat_rooms set title = 'mine' $$, 'not_an_admin', 'members change nothing');

select tests.sign_in('ana');
select public.set_member_role((select id from rooms where what = 'group'), tests.user_id('ben'), 'admin');
select tests.sign_in('ben');
select lives_ok($$ update public.chat_rooms set title = 'ours' $$, 'admins do');
select is((pg_temp.lounge())[1], 'ours', 'as owners');

select tests.as_owner();
delete from rooms where what = 'direct';
select tests.create_user('fay');
select tests.sign_in('fay');
select lives_ok($$ update public.chat_rooms set title = 'nobody''s' $$, 'strangers reach no room');
select is((pg_temp.lounge())[1], 'ours', 'and change none');

select * from finish();
rollback;
