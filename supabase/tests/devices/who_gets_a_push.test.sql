begin;
select plan(25);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col', 'dan', 'eve']) as name;
select tests.create_key('col', 'key');
select tests.create_room('lounge', members => array['ana', 'ben', 'col']);
select tests.create_room('cellar', members => array['ana', 'ben', 'dan']);
insert into public.user_devices (user_id, target, platform)
select tests.user_id(person), person || '''s phone', 'ios' from unnest(array['ana', 'ben', 'col', 'dan', 'eve']) as person;
insert into public.user_devices (user_id, target, platform) values (tests.user_id('col'), 'col''s browser', 'web');

-- To where the last message of the lounge is pushed.
create function pg_temp.pushed() returns setof text language sql as $$
  select push.target
  from public.chat_rooms as r, private.push_recipients(r.last_message_id) as push
  where r.title = 'lounge'
$$;
create function pg_temp.last_message() returns uuid language sql as $$
  select last_message_id from public.chat_rooms where title = 'lounge'
$$;

select tests.sign_in('ana');
select public.send_message(tests.room_id('cellar'), 'one');
select public.send_message(tests.room_id('cellar'), 'two');
select public.send_message(tests.room_id('lounge'), 'hello');
select tests.as_owner();
select set_eq(
  $$ select pg_temp.pushed() $$, array['ben''s phone', 'col''s phone', 'col''s browser'],
  'staff.push: to all devices of the members, not to the sender, nor to strangers'
);
select set_eq(
  $$ select target, is_mention, show_preview from private.push_recipients(pg_temp.last_message()) $$,
  $$ values ('ben''s phone', false, true), ('col''s phone', false, true), ('col''s browser', false, true) $$,
  'nobody is mentioned, and everybody sees the text'
);

select tests.sign_in('ben');
select public.heartbeat(p_room_id => tests.room_id('lounge'));
select tests.as_owner();
select set_eq($$ select pg_temp.pushed() $$, array['col''s phone', 'col''s browser'], 'not to who looks at the room');
select tests.sign_in('ben');
select public.heartbeat(p_room_id => tests.room_id('cellar'));
select tests.as_owner();
select ok('ben''s phone' in (select pg_temp.pushed()), 'but to who looks at another');
select tests.sign_in('ben');
select public.heartbeat();
select tests.as_owner();
select ok('ben''s phone' in (select pg_temp.pushed()), 'and to who is online and looks at none');
update public.user_presence set online_until = now(), looking_at_room_id = tests.room_id('lounge');
select ok('ben''s phone' in (select pg_temp.pushed()), 'and to who looked at it until the lease was over');

update public.user_chat_preferences set is_muted = true where user_id = tests.user_id('ben') and room_id = tests.room_id('lounge');
select ok('ben''s phone' not in (select pg_temp.pushed()), 'staff.unread: not to who muted the chat');
update public.user_chat_preferences set muted_until = now() + interval '1 hour' where is_muted;
select ok('ben''s phone' not in (select pg_temp.pushed()), 'until a time');
insert into public.message_mentions (message_id, room_id, user_id)
values (pg_temp.last_message(), tests.room_id('lounge'), tests.user_id('ben'));
select set_eq(
  $$ select target, is_mention from private.push_recipients(pg_temp.last_message()) $$,
  $$ values ('ben''s phone', true), ('col''s phone', false), ('col''s browser', false) $$,
  'unless he is mentioned'
);
update public.message_mentions set user_id = null;
select set_eq(
  $$ select target, is_mention from private.push_recipients(pg_temp.last_message()) $$,
  $$ values ('ben''s phone', true), ('col''s phone', true), ('col''s browser', true) $$,
  'or everybody is'
);
insert into public.notification_preferences (user_id, mentions_break_mute) values (tests.user_id('ben'), false);
select ok('ben''s phone' not in (select pg_temp.pushed()), 'and has not switched that off');
update public.user_chat_preferences set muted_until = now() where is_muted;
select ok('ben''s phone' in (select pg_temp.pushed()), 'a mute that is over is none');

update public.notification_preferences set show_preview = false;
select set_eq(
  $$ select target, show_preview from private.push_recipients(pg_temp.last_message()) $$,
  $$ values ('ben''s phone', false), ('col''s phone', true), ('col''s browser', true) $$,
  'without a preview for who wants none'
);
update public.notification_preferences set push_enabled = false;
select ok('ben''s phone' not in (select pg_temp.pushed()), 'nor is anything pushed to who wants nothing');
update public.notification_preferences
set push_enabled = true, time_zone = 'Asia/Tokyo',
  quiet_from = (now() at time zone 'Asia/Tokyo')::time - interval '1 hour',
  quiet_until = (now() at time zone 'Asia/Tokyo')::time + interval '1 hour';
select ok('ben''s phone' not in (select pg_temp.pushed()), 'in quiet hours nothing is, a mention neither');
update public.notification_preferences set time_zone = 'America/New_York';
select ok('ben''s phone' in (select pg_temp.pushed()), 'on his clock');

insert into public.user_blocks (blocker_id, blocked_id) values (tests.user_id('ben'), tests.user_id('ana'));
select ok('ben''s phone' not in (select pg_temp.pushed()), 'who blocks the sender gets none');
update public.user_blocks set blocker_id = tests.user_id('ana'), blocked_id = tests.user_id('ben');
select ok('ben''s phone' not in (select pg_temp.pushed()), 'nor does who is blocked');
delete from public.user_blocks;

select tests.sign_in('col');
insert into public.chat_messages (room_id, encrypted_content, encryption_key_id) values (tests.room_id('lounge'), tests.envelope('secret'), 'key');
select tests.as_owner();
select set_eq(
  $$ select target, show_preview from private.push_recipients(pg_temp.last_message()) $$,
  $$ values ('ana''s phone', false), ('ben''s phone', false) $$,
  'mobile.encrypted: no preview of what is encrypted'
);
update public.user_chat_preferences set last_read_seq = 2
where user_id = tests.user_id('ana') and room_id = tests.room_id('lounge');
select set_eq($$ select pg_temp.pushed() $$, array['ben''s phone'], 'who has read it already gets none');
delete from public.chat_room_members where user_id = tests.user_id('ben') and room_id = tests.room_id('lounge');
select is_empty($$ select pg_temp.pushed() $$, 'nor does who has left');

select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), 'again');
select tests.as_owner();
select isnt_empty($$ select pg_temp.pushed() $$, 'what is there is pushed');
update public.chat_rooms set floor_seq = last_seq where title = 'lounge';
select is_empty($$ select pg_temp.pushed() $$, 'not what was cleared for everyone');
update public.chat_rooms set floor_seq = 0 where title = 'lounge';
update public.chat_messages set is_deleted = true, deleted_at = now() where id = pg_temp.last_message();
select is_empty($$ select pg_temp.pushed() $$, 'nor what was deleted');
insert into public.chat_messages (room_id, message_type, content) values (tests.room_id('lounge'), 'system', 'Ben left');
select is_empty($$ select pg_temp.pushed() $$, 'nor what the system says');

select * from finish();
rollback;
