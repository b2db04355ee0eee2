begin;
select plan(9);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
insert into public.chat_messages (room_id, sender_id, content)
values (tests.room_id('lounge'), tests.user_id('ana'), 'question'), (tests.room_id('lounge'), null, 'from nobody any more');
create temporary table question as select id from public.chat_messages where content = 'question';
grant select on question to authenticated;

select tests.sign_in('ben');
select public.send_message(
  tests.room_id('lounge'), 'answer', p_reply_to_id => (select id from question), p_metadata => '{"mood": "glad"}'
);
create temporary table looks as
select m ->> 'content' as content, m from jsonb_array_elements(public.get_messages(tests.room_id('lounge'))::jsonb) as m;

select results_eq(
  'select content from looks', array['answer', 'from nobody any more', 'question'], 'each message of a page is there'
);
select results_eq(
  $$ select m #>> '{sender,username}' from looks $$, array['ben', null, 'ana'], 'with its own sender, if there still is one'
);
select is(
  (select m -> 'reply_to' from looks where content = 'answer'),
  jsonb_build_object('id', (select id from question), 'sender_id', tests.user_id('ana'), 'content', 'question'),
  'a reply quotes what it answers'
);
select is((select m -> 'reply_to' from looks where content = 'question'), 'null', 'others quote nothing');
select is((select m -> 'metadata' from looks where content = 'answer'), '{"mood": "glad"}', 'metadata comes back');
select is(
  private.my_message_json((select id from question)),
  (select m from looks where content = 'question'),
  'a single message looks as in a page'
);
select tests.refuses(
  $$ select private.my_message_json(gen_random_uuid()) $$, 'message_not_found', 'there is no such message'
);

select tests.sign_in('eve');
select tests.refuses(
  $$ select private.my_message_json((select id from question)) $$, 'not_a_member', 'a stranger is shown none'
);

select tests.as_owner();
select is(
  (select payload -> 'message' from realtime.messages where payload #>> '{message,content}' = 'answer'),
  (select m from looks where content = 'answer'),
  'the event looks the same'
);

select * from finish();
rollback;
