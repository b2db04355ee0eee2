-- Reading is told to the room, and the counts to one's own devices: once, and only when something changed.
begin;
select plan(10);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.create_room('cellar', members => array['ana', 'ben']);
insert into public.chat_messages (room_id, sender_id, content) values (tests.room_id('lounge'), tests.user_id('ana'), 'hello');
insert into public.chat_messages (room_id, sender_id, content) values (tests.room_id('cellar'), tests.user_id('ana'), 'hello');

-- What was told since the last time this was asked.
create function pg_temp.told() returns table (topic text, event text, payload jsonb) language sql security definer as $$
  with gone as (delete from realtime.messages where event <> 'new-message' returning *)
  select topic, event, payload - 'id' from gone order by event, topic, payload ->> 'room_id'
$$;
create function pg_temp.message_id(p_title text) returns uuid language sql security definer as $$
  select id from public.chat_messages where room_id = tests.room_id(p_title) order by seq desc limit 1
$$;
grant execute on function pg_temp.told(), pg_temp.message_id(text) to authenticated;

select tests.sign_in('ben');
select public.mark_read(tests.room_id('lounge'));
select results_eq(
  $$ select topic, event, payload #- '{seen_by,seen_at}' from pg_temp.told() $$,
  $$ values
    (
      'room:' || tests.room_id('lounge'),
      'messages-seen',
      jsonb_build_object(
        'room_id', tests.room_id('lounge'), 'up_to_seq', 1,
        'seen_by', jsonb_build_object('user_id', tests.user_id('ben'), 'user_name', 'Ben')
      )
    ),
    (
      'user:' || tests.user_id('ben'),
      'unread-count-update',
      jsonb_build_object('room_id', tests.room_id('lounge'), 'unread_count', 0, 'total_unread', 1)
    ) $$,
  'messaging.live: a read receipt for the room, the new counts for one''s own devices'
);
select public.mark_read(tests.room_id('lounge'));
select public.mark_rooms_read(array[tests.room_id('lounge')]);
select is_empty('select * from pg_temp.told()', 'what changes nothing is not told');

select public.mark_messages_seen(tests.room_id('cellar'), array[pg_temp.message_id('cellar')]);
select is(
  (select payload -> 'message_ids' from pg_temp.told() where event = 'messages-seen'),
  jsonb_build_array(pg_temp.message_id('cellar')),
  'mobile.seen: messages seen by id are told of by id'
);

select public.mark_unread(tests.room_id('lounge'));
select results_eq(
  'select event, payload from pg_temp.told()',
  $$ values ('unread-count-update', jsonb_build_object('room_id', tests.room_id('lounge'), 'unread_count', 1, 'total_unread', 1)) $$,
  'a mark set by hand is one''s own affair'
);
select public.mark_unread(tests.room_id('lounge'));
select is_empty('select * from pg_temp.told()', 'and told once');

select tests.as_owner();
insert into public.chat_messages (room_id, sender_id, content) values (tests.room_id('cellar'), tests.user_id('ana'), 'again');
select tests.sign_in('ben');
select public.mark_rooms_read(array[tests.room_id('lounge'), tests.room_id('cellar')]);
select results_eq(
  $$ select topic, event, payload ->> 'total_unread' from pg_temp.told() order by 2, 1 $$,
  $$ values
    ('room:' || tests.room_id('cellar'), 'messages-seen', null),
    ('user:' || tests.user_id('ben'), 'unread-count-update', '0'),
    ('user:' || tests.user_id('ben'), 'unread-count-update', '0') $$,
  'several rooms: each is told of, with the total at the end'
);

select tests.sign_in('ana');
select public.mark_read(tests.room_id('lounge'));
select isnt_empty($$ select * from public.unread_counts() $$, 'counts are answered');
select is((public.unread_counts() ->> 'total_unread')::int, 0, 'nothing of one''s own is unread');
select tests.as_owner();

-- From the 101st member on, receipts are asked for.
insert into public.chat_room_members (room_id, user_id)
select tests.room_id('cellar'), tests.create_user('guest' || n) from generate_series(1, 98) as n;
insert into public.chat_messages (room_id, sender_id, content) values (tests.room_id('cellar'), tests.user_id('ana'), 'to a hundred');
delete from realtime.messages;
select tests.sign_in('ben');
select public.mark_read(tests.room_id('cellar'));
select is((select count(*) from pg_temp.told() where event = 'messages-seen'), 1::bigint, 'a room of a hundred hears who reads');
select tests.as_owner();
insert into public.chat_room_members (room_id, user_id) values (tests.room_id('cellar'), tests.create_user('onemore'));
insert into public.chat_messages (room_id, sender_id, content) values (tests.room_id('cellar'), tests.user_id('ana'), 'to more');
select tests.sign_in('ben');
select public.mark_read(tests.room_id('cellar'));
select is((select count(*) from pg_temp.told() where event = 'messages-seen'), 0::bigint, 'a larger one does not');

select * from finish();
rollback;
