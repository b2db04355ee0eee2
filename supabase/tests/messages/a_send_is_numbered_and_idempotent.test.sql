begin;
select plan(21);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.create_room('bar', members => array['ana', 'ben']);

select tests.sign_in('ana');
create temporary table answers (n int, answer jsonb);
grant all on answers to authenticated;
insert into answers
select n, public.send_message(tests.room_id('lounge'), 'one', p_client_id => '00000000-0000-4000-8000-0000000000c1')
from generate_series(1, 2) as n;

select is((select answer #>> '{message,seq}' from answers where n = 1), '1', 'the first message is number 1');
select is(
  (select answer from answers where n = 2), (select answer from answers where n = 1),
  'mobile.confirm: a retried send answers the first message'
);
select is((select count(*) from public.chat_messages), 1::bigint, 'and makes no second one');
select is(
  (select answer ->> 'temp_id' from answers where n = 1), '00000000-0000-4000-8000-0000000000c1', 'with its temp_id'
);
select is((select (answer ->> 'queued_for_count')::int from answers where n = 1), 1, 'for the one who is to get it');

select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), 'two', p_client_id => '00000000-0000-4000-8000-0000000000c1') $$,
  'client_id_reused', 'the same client id with another text is an error'
);
select is_empty(
  $$ insert into public.chat_messages (room_id, content, client_id)
     values (tests.room_id('lounge'), 'one', '00000000-0000-4000-8000-0000000000c1')
     on conflict do nothing returning id $$,
  'a retried plain insert changes nothing'
);
select lives_ok(
  $$ insert into public.chat_messages (room_id, content)
     values (tests.room_id('lounge'), 'two'), (tests.room_id('lounge'), 'three') $$,
  'several in one insert'
);
select results_eq(
  $$ select seq from public.chat_messages where room_id = tests.room_id('lounge') order by seq $$,
  array[1, 2, 3]::bigint[],
  'and no number is left out'
);
select tests.refuses(
  $$ insert into public.chat_messages (room_id, content)
     values (tests.room_id('lounge'), 'x'), (tests.room_id('bar'), 'y') $$,
  'one_room_per_insert', 'one insert writes to one room'
);
select is(
  (select (public.send_message(tests.room_id('bar'), 'one')) #>> '{message,seq}'), '1', 'each room counts for itself'
);
select is(
  (select last_seq from public.chat_rooms where id = tests.room_id('lounge')), 3::bigint, 'the room knows its newest'
);

select tests.refuses($$ select public.send_message(tests.room_id('lounge'), '') $$, 'content_required', 'no empty message');
select tests.refuses($$ select public.send_message(tests.room_id('lounge')) $$, 'content_required', 'no message without a text');
select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), repeat('x', 10001)) $$, 'content_too_long', 'no endless message'
);
select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), 'x', p_metadata => jsonb_build_object('x', repeat('x', 5000))) $$,
  'metadata_too_large', 'no endless metadata'
);
select tests.refuses(
  format('select public.send_message(tests.room_id(%L), %L, p_metadata => %L)', 'lounge', 'x', wrong),
  'metadata_too_large', format('metadata is an object, not %s', wrong)
)
from unnest(array['[]', '"x"', 'null']::jsonb[]) as wrong;
select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), 'x', p_message_type => null) $$,
  'unknown_message_type', 'a message is of some type'
);
select tests.refuses(
  $$ select public.send_message(
       tests.room_id('lounge'), 'x', p_reply_to_id => (select id from public.chat_messages where room_id = tests.room_id('bar'))
     ) $$,
  'message_not_found', 'no reply to a message of another room'
);

select * from finish();
rollback;
