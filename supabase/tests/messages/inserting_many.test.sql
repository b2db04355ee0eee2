begin;
select plan(6);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
update private.limits set value = 1000 where name = 'messages_per_minute';

select tests.sign_in('ana');
select lives_ok(
  $$ insert into public.chat_messages (room_id, content) select tests.room_id('lounge'), n from generate_series(1, 100) as n $$,
  '100 messages in one insert'
);
select throws_ok(
  $$ insert into public.chat_messages (room_id, content) select tests.room_id('lounge'), n from generate_series(1, 101) as n $$,
  'PT422', 'One insert writes at most 100 messages.',
  'not more: everybody else in the room would wait for it'
);
select is((select max(seq) from public.chat_messages), 100::bigint, 'a refused insert costs no seq');

-- A job of the project's own, which may choose ids.
select tests.as_owner();
insert into public.chat_messages (id, room_id, content)
values ('00000000-0000-7000-8000-000000000001', tests.room_id('lounge'), 'imported');
select is_empty(
  $$ insert into public.chat_messages (id, room_id, content)
     values ('00000000-0000-7000-8000-000000000001', tests.room_id('lounge'), 'imported')
     on conflict do nothing returning id $$,
  'an import that runs twice changes nothing'
);
select results_eq(
  $$ select last_seq from public.chat_rooms where id = tests.room_id('lounge') $$, array[101::bigint], 'and leaves no hole'
);
select is(
  (select last_message_id from public.chat_rooms where id = tests.room_id('lounge')),
  '00000000-0000-7000-8000-000000000001'::uuid,
  'the room''s last message is its newest'
);

select * from finish();
rollback;
