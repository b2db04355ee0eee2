begin;
select plan(21);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);

select tests.sign_in('ana');
select lives_ok(
  $$ select public.send_message(tests.room_id('lounge'), 'hello') $$, 'a member sends by the function'
);
select lives_ok(
  $$ insert into public.chat_messages (room_id, content) values (tests.room_id('lounge'), 'and again') $$,
  'and by a plain insert'
);
select throws_ok(
  $$ insert into public.chat_messages (room_id, content, sender_id)
     values (tests.room_id('lounge'), 'forged', tests.user_id('ben')) $$,
  '42501', null, 'nobody writes as somebody else'
);
select throws_ok(
  $$ insert into public.chat_messages (room_id, content, seq) values (tests.room_id('lounge'), 'forged', 99) $$,
  '42501', null, 'nobody chooses a seq'
);
select throws_ok(
  $$ insert into public.chat_messages (room_id, content, created_at)
     values (tests.room_id('lounge'), 'forged', '2000-01-01') $$,
  '42501', null, 'nobody chooses a time'
);
select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), 'Ben left', 'system') $$,
  'unknown_message_type', 'nobody speaks as the system'
);
select throws_ok($$ update public.chat_messages set seq = 99 $$, '42501', null, 'nobody moves a message');
select throws_ok($$ delete from public.chat_messages $$, '42501', null, 'nobody deletes a row');

select tests.sign_in('ben');
select results_eq(
  $$ select content from public.chat_messages order by seq $$, array['hello', 'and again'], 'the other member reads both'
);
select is(
  (select array_agg(m ->> 'content') from jsonb_array_elements(public.get_messages(tests.room_id('lounge'))::jsonb) as m),
  array['and again', 'hello'],
  'by the function newest first'
);

select tests.sign_in('eve');
select is_empty($$ select content from public.chat_messages $$, 'a stranger reads nothing');
select tests.refuses(
  $$ select public.get_messages(tests.room_id('lounge')) $$, 'not_a_member', 'and is told so by the function'
);
select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), 'let me in') $$, 'not_a_member', 'a stranger does not send'
);
select tests.refuses(
  $$ insert into public.chat_messages (room_id, content) values (tests.room_id('lounge'), 'let me in') $$,
  'not_a_member', 'nor insert'
);
select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), '') $$, 'not_a_member', 'nor learns what else would be wrong'
);
select tests.refuses(
  $$ select public.send_message(gen_random_uuid(), 'anybody?') $$, 'room_not_found', 'there is no such room'
);

select tests.present('{"role": "authenticated"}');
select throws_ok(
  $$ insert into public.chat_messages (room_id, content) values (tests.room_id('lounge'), 'from nobody') $$,
  '42501', null, 'a token that names nobody writes nothing'
);
select throws_ok(
  $$ select public.send_message(tests.room_id('lounge'), 'from nobody') $$, '42501', null, 'nor by the function'
);

select tests.sign_out();
select throws_ok(
  $$ select public.get_messages(tests.room_id('lounge')) $$, '42501', null, 'nobody signed in reads'
);

select tests.as_owner();
select results_eq(
  $$ select content from public.chat_messages order by seq $$, array['hello', 'and again'], 'nothing else was written'
);
delete from public.chat_room_members where user_id = tests.user_id('ben');
select tests.sign_in('ben');
select is_empty($$ select content from public.chat_messages $$, 'an ex-member reads nothing');

select * from finish();
rollback;
