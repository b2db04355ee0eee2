-- Reading moves one's cursor forward, and only one's own.
begin;
select plan(27);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.create_room('cellar', members => array['ana', 'ben']);
select tests.create_room('vault', members => array['eve']);
update private.limits set value = 1000 where name = 'messages_per_minute';

create function pg_temp.write(p_name text, p_title text, p_from int, p_to int)
returns void
language sql
as $$
  insert into public.chat_messages (room_id, sender_id, content)
  select tests.room_id(p_title), tests.user_id(p_name), n from generate_series(p_from, p_to) as n
$$;
create function pg_temp.message_id(p_title text, p_seq bigint) returns uuid language sql security definer as $$
  select id from public.chat_messages where room_id = tests.room_id(p_title) and seq = p_seq
$$;
grant execute on function pg_temp.message_id(text, bigint) to authenticated;

select pg_temp.write('ana', 'lounge', 1, 5);
select pg_temp.write('ben', 'lounge', 6, 7);
select pg_temp.write('ana', 'lounge', 8, 10);
select pg_temp.write('ana', 'cellar', 1, 3);
select pg_temp.write('eve', 'vault', 1, 1);
update public.chat_messages set is_deleted = true, deleted_at = now() where id = pg_temp.message_id('lounge', 2);

select tests.sign_in('ben');
select is(
  public.mark_read(tests.room_id('lounge'), pg_temp.message_id('lounge', 3)) - 'read_at',
  jsonb_build_object(
    'room_id', tests.room_id('lounge'), 'unread_count', 5, 'last_read_message_id', pg_temp.message_id('lounge', 3), 'updated_count', 2
  ),
  'rooms.read1: reading a message reads all before it, and what is left stays unread'
);
select is(
  public.mark_read(tests.room_id('lounge'), pg_temp.message_id('lounge', 1)) ->> 'last_read_message_id',
  pg_temp.message_id('lounge', 3)::text,
  'reading an older one moves nothing back'
);
select is(
  public.mark_read(tests.room_id('lounge')) - 'read_at',
  jsonb_build_object(
    'room_id', tests.room_id('lounge'), 'unread_count', 0, 'last_read_message_id', pg_temp.message_id('lounge', 10), 'updated_count', 5
  ),
  'rooms.read: without a message all are read, and only others'' count'
);
select ok(
  (public.mark_read(tests.room_id('lounge')) ->> 'read_at')::timestamptz <= clock_timestamp(), 'the time of reading is told'
);
select is((public.mark_read(tests.room_id('lounge')) ->> 'updated_count')::int, 0, 'reading again reads nothing');
select is(
  (select last_delivered_seq from public.user_chat_preferences where room_id = tests.room_id('lounge')), 10::bigint,
  'what was read was delivered'
);

select is(
  public.mark_unread(tests.room_id('lounge')), jsonb_build_object('room_id', tests.room_id('lounge'), 'unread_count', 1),
  'mobile.status: marked unread by hand, a room shows at least one message'
);
select is((public.unread_counts() ->> 'total_unread')::int, 4, 'in the total too');
select is((public.mark_read(tests.room_id('lounge')) ->> 'unread_count')::int, 0, 'until it is read');

select is(
  public.mark_rooms_read(array[tests.room_id('lounge'), tests.room_id('cellar'), tests.room_id('vault'), tests.room_id('cellar')]),
  '{"rooms_updated": 1}'::jsonb,
  'mobile.readall: of several rooms, those with something to read; not another''s room'
);
select is((public.unread_counts() ->> 'total_unread')::int, 0, 'then nothing is unread');
select tests.refuses($$ select public.mark_rooms_read('{}') $$, 'room_count_out_of_range', 'no room is none to read');
select tests.refuses(
  $$ select public.mark_rooms_read(array_fill(tests.room_id('lounge'), array[501])) $$, 'room_count_out_of_range', '501 are too many'
);
select lives_ok($$ select public.mark_rooms_read(array_fill(tests.room_id('lounge'), array[500])) $$, '500 are not');

select tests.as_owner();
select pg_temp.write('ana', 'lounge', 11, 13);
select tests.sign_in('ben');
select is(
  public.mark_messages_seen(
    tests.room_id('lounge'), array[pg_temp.message_id('lounge', 12), pg_temp.message_id('lounge', 11), pg_temp.message_id('vault', 1)]
  ) - 'read_at',
  jsonb_build_object(
    'room_id', tests.room_id('lounge'), 'unread_count', 1, 'last_read_message_id', pg_temp.message_id('lounge', 12), 'updated_count', 2
  ),
  'mobile.seen: the newest of the messages seen counts, and those before it'
);
select tests.refuses(
  $$ select public.mark_messages_seen(tests.room_id('lounge'), array[pg_temp.message_id('vault', 1)]) $$,
  'message_not_found', 'messages of other rooms are none'
);
select tests.refuses(
  $$ select public.mark_messages_seen(tests.room_id('lounge'), '{}') $$, 'message_count_out_of_range', 'some message has to be named'
);
select tests.refuses(
  $$ select public.mark_read(tests.room_id('lounge'), pg_temp.message_id('vault', 1)) $$, 'message_not_found', 'neither here'
);

select public.mark_delivered(tests.room_id('lounge'), 1000);
select is(
  (select last_delivered_seq from public.user_chat_preferences where room_id = tests.room_id('lounge')), 13::bigint,
  'no more is delivered than there is'
);
select public.mark_delivered(tests.room_id('lounge'), 2);
select is(
  (select last_delivered_seq from public.user_chat_preferences where room_id = tests.room_id('lounge')), 13::bigint,
  'and nothing is taken back'
);

select tests.sign_in('eve');
select tests.refuses($$ select public.mark_read(tests.room_id('lounge')) $$, 'not_a_member', 'a stranger reads nothing');
select tests.refuses($$ select public.mark_unread(tests.room_id('lounge')) $$, 'not_a_member', 'nor marks it');
select tests.refuses($$ select public.mark_delivered(tests.room_id('lounge'), 1) $$, 'not_a_member', 'nor gets it');
select tests.refuses(
  $$ select public.mark_messages_seen(tests.room_id('lounge'), array[pg_temp.message_id('lounge', 1)]) $$, 'not_a_member', 'nor sees it'
);
select tests.refuses($$ select public.unread_counts(tests.room_id('lounge')) $$, 'not_a_member', 'nor counts it');
select tests.refuses($$ select public.mark_read(gen_random_uuid()) $$, 'room_not_found', 'what is not there is not found');
select tests.sign_out();
select throws_ok($$ select public.mark_rooms_read(array[gen_random_uuid()]) $$, '42501', null, 'somebody without an account reads nothing');

select * from finish();
rollback;
