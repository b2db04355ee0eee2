begin;
select plan(20);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col', 'dan']) as name;
insert into public.organizations (slug, name) values ('grand', 'Grand');
insert into public.organization_members (organization_id, user_id, role)
select id, tests.user_id(person), role::public.organization_role
from public.organizations, (values ('ana', 'manager'), ('dan', 'admin')) as staff (person, role);
insert into public.chat_rooms (type, title, room_number, organization_id) select 'guest', 'guest', '101', id from public.organizations;
insert into public.chat_room_members (room_id, user_id) values (tests.room_id('guest'), tests.user_id('col'));
create temporary table ana as select tests.user_id('ana') as id;
grant select on ana to authenticated;
create function pg_temp.seqs(p_title text) returns table (seq bigint, sender text, content text) language sql security definer as $$
  select m.seq, p.username, m.content
  from public.chat_messages as m
  left join public.profiles as p on p.id = m.sender_id
  where m.room_id = tests.room_id(p_title)
  order by 1
$$;
create function pg_temp.roles(p_title text) returns table (username text, role text) language sql security definer as $$
  select p.username, m.role::text
  from public.chat_room_members as m
  join public.profiles as p on p.id = m.user_id
  where m.room_id = tests.room_id(p_title)
  order by 1
$$;

-- Ana has everything: rooms of every kind, messages, archived, muted, blocked, online.
select tests.sign_in('ana');
select public.create_group_chat('lounge', array[tests.user_id('ben'), tests.user_id('col')]);
select public.create_group_chat('alone', null);
select public.create_group_chat('staff', array[tests.user_id('dan')], p_organization_id => (select id from public.organizations));
select public.start_direct_chat(tests.user_id('ben'), p_content => 'between us');
select public.send_message(tests.room_id('lounge'), 'from Ana');
select public.send_message(tests.room_id('guest'), 'at your service');
select public.send_message(tests.room_id('alone'), 'to myself');
insert into public.user_blocks (blocked_id) values (tests.user_id('dan'));
select public.heartbeat();
select tests.sign_in('ben');
select public.send_message(tests.room_id('lounge'), 'from Ben');
insert into public.user_blocks (blocked_id) values (tests.user_id('ana'));
select public.heartbeat();
select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), 'from Ana again');
select tests.as_owner();
update public.chat_room_members set joined_at = now() - interval '1 day' where user_id = tests.user_id('col');
update public.user_chat_preferences set is_archived = true, archived_at = now(), is_muted = true where user_id = tests.user_id('ana');
create temporary table before as select id, title, topic from public.chat_rooms;

select lives_ok($$ delete from auth.users where id = (select id from ana) $$, 'an account with everything ends');
select is_empty($$ select id from public.profiles where id = (select id from ana) $$, 'and its profile with it');
select is_empty($$ select user_id from public.chat_room_members where user_id = (select id from ana) $$, 'in no room');
select is_empty($$ select user_id from public.user_chat_preferences where user_id = (select id from ana) $$, 'keeping nothing');

select results_eq(
  $$ select * from pg_temp.seqs('lounge') $$,
  $$ values (1::bigint, null, 'from Ana'), (2, 'ben', 'from Ben'), (3, null, 'from Ana again') $$,
  'others keep what was said, without its sender'
);
select results_eq(
  $$ select * from pg_temp.roles('lounge') $$, $$ values ('ben', 'member'), ('col', 'admin') $$,
  'the longest-standing member is admin now'
);
select results_eq($$ select * from pg_temp.roles('staff') $$, $$ values ('dan', 'admin') $$, 'at work too');
select is(tests.room_id('alone'), null, 'a room with nobody left is gone');
select is((select created_by from public.chat_rooms where title = 'lounge'), null, 'nobody made the others');
select is((select last_seq from public.chat_rooms where title = 'lounge'), 3::bigint, 'their counters stay');

select set_eq(
  $$ select title from public.chat_rooms as r join before using (id, title) where r.topic <> before.topic $$,
  array['lounge', 'staff', 'guest'], 'every room that she heard has another topic'
);
select isnt(
  (select topic from public.chat_rooms where type = 'direct'), (select topic from before where title is null), 'the direct one too'
);
select set_eq(
  $$ select payload ->> 'topic' from realtime.messages where event = 'room-topic' and topic = 'user:' || tests.user_id('ben') $$,
  $$ select topic from public.chat_rooms as r join public.chat_room_members as m on m.room_id = r.id where m.user_id = tests.user_id('ben') $$,
  'who stays and is online is told where to'
);

select tests.sign_in('ben');
select is(
  array(select r ->> 'unread_count' from json_array_elements(public.get_rooms(p_room_id => tests.room_id('lounge'))) as r),
  array['2'], 'what was unread is unread'
);
select is(
  (select r -> 'participants' from json_array_elements(public.get_rooms()) as r where r ->> 'type' = 'direct')::jsonb #>> '{1,username}',
  null, 'a direct chat is there, with oneself'
);
select is(
  (select r #>> '{last_message,content}' from json_array_elements(public.get_rooms()) as r where r ->> 'type' = 'direct'),
  'between us', 'and with its words'
);
select lives_ok($$ select public.send_message(tests.room_id('lounge'), 'she is gone') $$, 'those who stay go on');
select is((select max(seq) from public.chat_messages where room_id = tests.room_id('lounge')), 4::bigint, 'without a gap');

select tests.as_owner();
delete from auth.users where id = tests.user_id('ben');
select is_empty($$ select id from public.chat_rooms where type = 'direct' $$, 'a direct chat ends with the second of the two');
delete from auth.users where id in (tests.user_id('col'), tests.user_id('dan'));
select results_eq($$ select title from public.chat_rooms $$, array['guest'], 'a guest''s room stays with the hotel');

select * from finish();
rollback;
