begin;
select plan(34);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_key('ana', 'key');
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.sign_in('ana');
select public.start_direct_chat(tests.user_id('ben'), p_content => 'just us');
select public.send_message(tests.room_id('lounge'), 'helo');
select public.send_message(tests.room_id('lounge'), 'second');
select public.send_message(tests.room_id('lounge'), p_encrypted_content => tests.envelope('secret'), p_encryption_key_id => 'key');

select tests.as_owner();
insert into public.chat_messages (room_id, sender_id, message_type, content)
values (tests.room_id('lounge'), tests.user_id('ana'), 'system', 'Ana came');
create temporary table named as
select coalesce(content, 'encrypted') as name, id from public.chat_messages;
grant select on named to authenticated;
create function pg_temp.id(p_name text) returns uuid language sql stable as $$ select id from named where name = p_name $$;
-- As PostgREST writes it: the id is in the statement.
create function pg_temp.update(p_name text, p_content text) returns text language sql as $$
  select format(
    'update public.chat_messages set content = %L where id = %L returning content, change_seq, is_edited', p_content, pg_temp.id(p_name)
  )
$$;
create function pg_temp.edits() returns setof jsonb language sql security definer as $$
  select payload from realtime.messages where event = 'message-edited' order by inserted_at
$$;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ana');
select results_eq(
  $$ select e ->> 'content', (e ->> 'is_edited')::boolean, e -> 'edited_at' <> 'null', (e ->> 'change_seq')::int
     from public.edit_message(pg_temp.id('helo'), 'hello') as e $$,
  $$ values ('hello', true, true, 1) $$,
  'staff.edit: the author changes the text, which shows'
);
select is(
  (select e ->> 'content' from pg_temp.edits() as edit, jsonb_extract_path(edit, 'message') as e), 'hello',
  'messaging.live: the edit is announced'
);
select is((select edit -> 'room_id' from pg_temp.edits() as edit), to_jsonb(tests.room_id('lounge')), 'with its room');
select is(
  (select count(*) from realtime.messages where event = 'message-edited' and topic <> 'room:' || tests.room_id('lounge')),
  0::bigint, 'on the room''s topic alone'
);

select results_eq(
  pg_temp.update('helo', 'hello, Ben'),
  $$ values ('hello, Ben', 2::bigint, true) $$,
  'a plain update does the same'
);
select is((select count(*) from pg_temp.edits()), 2::bigint, 'and is announced');
select is(
  public.edit_message(pg_temp.id('helo'), 'hello, Ben') ->> 'change_seq', '2', 'the same text again is no change'
);
select is((select count(*) from pg_temp.edits()), 2::bigint, 'of which nobody hears');
select is(
  (select array_agg(content order by seq) from public.chat_messages where room_id = tests.room_id('lounge') and not is_encrypted),
  array['hello, Ben', 'second', 'Ana came'], 'no other message has changed'
);

select tests.refuses($$ select public.edit_message(pg_temp.id('helo'), '') $$, 'content_required', 'a message keeps some text');
select tests.refuses($$ select public.edit_message(pg_temp.id('helo'), null) $$, 'content_required', 'null is none');
select tests.refuses(
  $$ select public.edit_message(pg_temp.id('helo'), repeat('x', 10001)) $$, 'content_too_long', 'and no endless one'
);
select tests.refuses(
  pg_temp.update('helo', repeat('x', 10001)),
  'content_too_long', 'also by a plain update'
);
select tests.refuses(
  $$ select public.edit_message(pg_temp.id('encrypted'), 'clear') $$, 'encrypted_message', 'mobile.encrypted: not edited'
);
select tests.refuses(
  pg_temp.update('encrypted', 'clear'),
  'encrypted_message', 'nor by a plain update'
);
select tests.refuses(
  $$ select public.edit_message(pg_temp.id('Ana came'), 'Ana left') $$, 'system_message', 'nobody puts words into the system''s mouth'
);
select tests.refuses(
  $$ select public.edit_message(gen_random_uuid(), 'x') $$, 'message_not_found', 'there is no such message'
);
select tests.refuses($$ select public.edit_message(null, 'x') $$, 'message_not_found', 'nor one without an id');
select tests.refuses(
  $$ update public.chat_messages set content = 'all the same' $$, 'one_message_per_update', 'one update edits one message'
);
select throws_ok(
  $$ update public.chat_messages set is_edited = false where id = pg_temp.id('helo') $$,
  '42501', null, 'nobody hides an edit'
);

select tests.sign_in('ben');
select tests.refuses(
  $$ select public.edit_message(pg_temp.id('helo'), 'mine') $$, 'not_the_author', 'others do not edit it'
);
select is_empty(
  pg_temp.update('helo', 'mine'),
  'by a plain update they touch nothing'
);
select tests.sign_in('eve');
select tests.refuses(
  $$ select public.edit_message(pg_temp.id('helo'), 'mine') $$, 'not_a_member', 'nor do strangers'
);
select tests.sign_out();
select throws_ok(
  $$ select public.edit_message(gen_random_uuid(), 'mine') $$, '42501', null, 'nor who is not signed in'
);

select tests.sign_in('ana');
select public.delete_message(pg_temp.id('second'));
select tests.refuses(
  $$ select public.edit_message(pg_temp.id('second'), 'back') $$, 'message_deleted', 'what is deleted is not edited'
);
select tests.refuses(
  pg_temp.update('second', 'back'),
  'message_deleted', 'nor by a plain update'
);
select is(
  (select content from public.chat_messages where id = pg_temp.id('second')), '[Message deleted]', 'it stays deleted'
);

select lives_ok($$ select public.edit_message(pg_temp.id('just us'), 'you and me') $$, 'in a direct chat too');
select tests.as_owner();
insert into public.user_blocks (blocker_id, blocked_id) values (tests.user_id('ben'), tests.user_id('ana'));
select tests.sign_in('ana');
select tests.refuses(
  $$ select public.edit_message(pg_temp.id('just us'), 'listen to me') $$, 'blocked', 'a block stops words that come as an edit'
);
select tests.refuses(
  pg_temp.update('just us', 'listen to me'),
  'blocked', 'by a plain update too'
);

select tests.as_owner();
update public.chat_rooms set closed_at = now() where id = tests.room_id('lounge');
select tests.sign_in('ana');
select tests.refuses(
  $$ select public.edit_message(pg_temp.id('helo'), 'too late') $$, 'stay_over', 'nothing is edited in a closed chat'
);
select tests.as_owner();
update public.chat_rooms set closed_at = null where id = tests.room_id('lounge');
delete from public.chat_room_members where user_id = tests.user_id('ana') and room_id = tests.room_id('lounge');
select tests.sign_in('ana');
select tests.refuses(
  $$ select public.edit_message(pg_temp.id('helo'), 'bye') $$, 'not_a_member', 'who has left edits nothing there'
);
select is_empty(
  pg_temp.update('helo', 'bye'), 'nor by a plain update'
);

select tests.as_owner();
update public.chat_messages set content = 'hello, all' where id = pg_temp.id('helo');
select is(
  (select change_seq from public.chat_messages where id = pg_temp.id('helo')),
  (select last_change_seq from public.chat_rooms where id = tests.room_id('lounge')), 'a job''s edit is a change as well'
);

select * from finish();
rollback;
