-- A reply quotes what it answers, to those who may see that: in pages as each of them may, in events as all of them may.
begin;
select plan(15);

select tests.create_user(name) from unnest(array['ana', 'ben', 'cleo']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
update public.chat_rooms set history_for_new_members = false, created_by = tests.user_id('ana');
create function pg_temp.id(p_content text) returns uuid language sql security definer as $$
  select id from public.chat_messages where content = p_content
$$;
-- What the caller sees quoted, from a page, by itself, and through the room's list.
create function pg_temp.quoted(p_content text) returns text[] language sql as $$
  select array[
    (select m #>> '{reply_to,content}' from jsonb_array_elements(public.get_messages(tests.room_id('lounge'))::jsonb) as m where m ->> 'content' = p_content),
    private.my_message_json(pg_temp.id(p_content)) #>> '{reply_to,content}',
    public.get_rooms() #>> '{0,last_message,reply_to,content}'
  ]
$$;
-- The quote in what the room was told of this message.
create function pg_temp.told(p_content text) returns jsonb language sql security definer as $$
  select payload #> '{message,reply_to}' from realtime.messages where payload #>> '{message,content}' = p_content and topic like 'room:%'
$$;
create function pg_temp.change_seq(p_content text) returns bigint language sql security definer as $$
  select change_seq from public.chat_messages where content = p_content
$$;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), 'question');
select tests.sign_in('ben');
select public.send_message(tests.room_id('lounge'), 'answer', p_reply_to_id => pg_temp.id('question'));
select is(pg_temp.quoted('answer'), array['question', 'question', 'question'], 'who may see a message sees it quoted');
select is(pg_temp.told('answer') ->> 'content', 'question', 'and hears it, while nobody is there who may not');

-- Before the joining
select tests.as_owner();
insert into public.chat_room_members (room_id, user_id) values (tests.room_id('lounge'), tests.user_id('cleo'));
select tests.sign_in('ben');
select public.send_message(tests.room_id('lounge'), 'once more', p_reply_to_id => pg_temp.id('question'));
select is(
  pg_temp.told('once more'), jsonb_build_object('id', pg_temp.id('question'), 'sender_id', tests.user_id('ana'), 'content', null),
  'who came later does not hear what was said before: the event names it alone'
);
select tests.sign_in('cleo');
select is(pg_temp.quoted('once more'), array[null, null, null]::text[], 'nor read it');
select tests.sign_in('ana');
select is(pg_temp.quoted('once more'), array['question', 'question', 'question'], 'those who were there do');
select public.send_message(tests.room_id('lounge'), 'a later question');
select public.send_message(tests.room_id('lounge'), 'a later answer', p_reply_to_id => pg_temp.id('a later question'));
select is(pg_temp.told('a later answer') ->> 'content', 'a later question', 'what all may see is told');

-- Deleted, brought back and edited
select tests.sign_in('ana');
select set_config('tests.before', pg_temp.change_seq('a later answer')::text, true);
select set_config('tests.question', pg_temp.id('a later question')::text, true);
select public.delete_message(pg_temp.id('a later question'));
select is(
  pg_temp.quoted('a later answer'), array_fill('[Message deleted]'::text, array[3]), 'of a deleted message the placeholder is quoted'
);
select cmp_ok(
  pg_temp.change_seq('a later answer'), '>', current_setting('tests.before')::bigint, 'which is a change of the answer, for who syncs'
);
select set_config('tests.before', pg_temp.change_seq('a later answer')::text, true);
select public.undo_delete_message(current_setting('tests.question')::uuid);
select is(pg_temp.quoted('a later answer'), array_fill('a later question'::text, array[3]), 'what is brought back is quoted again');
select cmp_ok(pg_temp.change_seq('a later answer'), '>', current_setting('tests.before')::bigint, 'another change');
select public.edit_message(current_setting('tests.question')::uuid, 'another question');
select is(pg_temp.quoted('a later answer'), array_fill('another question'::text, array[3]), 'as it was edited');

-- Cleared
select tests.sign_in('ben');
select public.clear_chat(tests.room_id('lounge'));
select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), 'the last answer', p_reply_to_id => current_setting('tests.question')::uuid);
select is(pg_temp.told('the last answer') -> 'content', 'null', 'what somebody has cleared is not told');
select tests.sign_in('ben');
select is(pg_temp.quoted('the last answer'), array[null, null, null]::text[], 'and not quoted to that person');
select tests.sign_in('ana');
select is(pg_temp.quoted('the last answer'), array_fill('another question'::text, array[3]), 'to others it is');
select public.edit_message(pg_temp.id('the last answer'), 'the very last');
select is(pg_temp.told('the very last') -> 'content', 'null', 'an event of an edit hides as much');

select * from finish();
rollback;
