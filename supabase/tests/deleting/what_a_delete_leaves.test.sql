begin;
select plan(36);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_key('ana', 'key');
select tests.create_room('lounge', members => array['ana', 'ben']);
create function pg_temp.events(p_event text) returns table (topic text, payload jsonb) language sql security definer as $$
  select topic, payload from realtime.messages where event = p_event order by inserted_at
$$;
create function pg_temp.kept() returns bigint language sql security definer as $$
  select count(*) from private.deleted_messages
$$;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), 'a secret for @ben', p_metadata => '{"where": "here"}');
select public.send_message(tests.room_id('lounge'), p_encrypted_content => tests.envelope('secret'), p_encryption_key_id => 'key');
create temporary table named as select coalesce(content, 'encrypted') as name, id from public.chat_messages;
grant select on named to authenticated;
create function pg_temp.id(p_name text) returns uuid language sql as $$ select id from named where name like p_name || '%' $$;
select tests.sign_in('ben');
select public.send_message(tests.room_id('lounge'), 'really?', p_reply_to_id => pg_temp.id('a secret'));
select public.add_reaction(pg_temp.id('a secret'), '👍');
select is(public.calculate_unread_count(tests.user_id('ben'), tests.room_id('lounge')), 2, 'two are unread');

select tests.sign_in('ana');
create temporary table answer as select public.delete_message(pg_temp.id('a secret'), p_reason => 'a slip') as m;
grant select on answer to authenticated;
select is(m ->> 'content', '[Message deleted]', 'hotel.delete.text: a placeholder stands for a text') from answer;
select is(m -> 'is_deleted', 'true', 'hotel.delete: which says that it is deleted') from answer;
select is(m -> 'metadata', '{}', 'its metadata are gone') from answer;
select is(m -> 'mentions', '[]', 'and whom it mentioned') from answer;
select is(m -> 'reactions', '[]', 'and what others felt') from answer;
select is(m -> 'seq', '1', 'its place is kept') from answer;
select is(m -> 'change_seq', '2', 'the change is counted') from answer;
select is(
  (select array_agg(payload -> 'message' ->> 'message') from pg_temp.events('message-deleted')), array['[Message deleted]'],
  'hotel.delete.events: it is announced, once, with the text that stands there now'
);
select results_eq(
  $$ select topic, payload -> 'room_id', payload -> 'message_id', payload -> 'hard_delete', payload #> '{message,is_deleted}'
     from pg_temp.events('message-deleted') $$,
  $$ values (
       'room:' || tests.room_id('lounge'), to_jsonb(tests.room_id('lounge')), to_jsonb(pg_temp.id('a secret')),
       'false'::jsonb, 'true'::jsonb
     ) $$,
  'to the room'
);
select is(
  (select count(*) from pg_temp.events('message-deleted') as e where e.payload::text like '%secret%'), 0::bigint,
  'without what it said'
);

select tests.sign_in('ben');
select is(
  (select m #>> '{reply_to,content}' from jsonb_array_elements(public.get_messages(tests.room_id('lounge'))::jsonb) as m
   where m ->> 'content' = 'really?'),
  '[Message deleted]', 'a reply quotes it no longer'
);
select is_empty(
  $$ select id from public.chat_messages where content like '%secret%' or metadata::text like '%here%' $$, 'a plain select finds no trace'
);
select is_empty($$ select * from public.message_mentions $$, 'nor whom it mentioned');
select is_empty($$ select * from public.message_reactions $$, 'nor what others felt');
select is(
  public.calculate_unread_count(tests.user_id('ben'), tests.room_id('lounge')), 1, 'it does not count as unread'
);
select throws_ok($$ delete from public.chat_messages $$, '42501', null, 'nobody deletes a row');
select throws_ok(
  $$ update public.chat_messages set is_deleted = true $$, '42501', null, 'nor says that it is deleted, but by the function'
);
select throws_ok($$ select * from private.deleted_messages $$, '42501', null, 'nobody reads what it held');
select tests.as_owner();
grant select on private.deleted_messages to authenticated;
select tests.sign_in('ben');
select is_empty($$ select message_id from private.deleted_messages $$, 'whatever is granted');

select tests.sign_in('ana');
select tests.refuses(
  $$ select public.delete_message(pg_temp.id('a secret')) $$, 'message_deleted', 'what is deleted is not deleted again'
);
select tests.refuses(
  $$ select public.delete_message(gen_random_uuid()) $$, 'message_not_found', 'nor what never was'
);
select tests.refuses($$ select public.delete_message(null) $$, 'message_not_found', 'nor nothing');
select tests.refuses(
  $$ select public.delete_message(pg_temp.id('encrypted'), p_reason => repeat('x', 501)) $$, 'reason_too_long', 'a reason is short'
);
select is(
  (select m - 'is_encrypted' -> 'content' from public.delete_message(pg_temp.id('encrypted')) as m), '"[Message deleted]"',
  'an encrypted message leaves the same'
);
select results_eq(
  $$ select is_encrypted, encrypted_content, encryption_key_id from public.chat_messages where id = pg_temp.id('encrypted') $$,
  $$ values (false, null::text, null::text) $$, 'and nothing to decrypt'
);

-- The job comes when it can no longer be undone.
select tests.as_owner();
select private.wipe_deleted_messages();
select is(pg_temp.kept(), 2::bigint, 'what can be undone is kept');
update private.deleted_messages set undo_until = clock_timestamp() where message_id = pg_temp.id('a secret');
select private.wipe_deleted_messages();
select is(pg_temp.kept(), 1::bigint, 'what cannot is wiped');
select is_empty('select * from public.message_mentions', 'with whom it mentioned');
select is_empty('select * from public.message_reactions', 'and what others felt');
select is(
  (select schedule || ' ' || command from cron.job where jobname = 'wipe_deleted_messages'),
  '10 seconds select private.wipe_deleted_messages()', 'by a job that runs every 10 seconds'
);

-- For good, at once.
update public.chat_room_members set role = 'owner' where user_id = tests.user_id('ana');
select tests.sign_in('ana');
select is(
  public.delete_message(pg_temp.id('encrypted'), p_hard => true) ->> 'content', '[Message deleted]',
  'what can still be undone can be deleted for good'
);
select is(pg_temp.kept(), 0::bigint, 'it is wiped at once');
select is(
  (select array_agg(payload -> 'hard_delete') from pg_temp.events('message-deleted')),
  array['false', 'false', 'true']::jsonb[], 'which is announced'
);
select tests.refuses(
  $$ select public.delete_message(pg_temp.id('a secret'), p_hard => true) $$, 'message_deleted', 'what is wiped is not wiped again'
);

select tests.as_owner();
select is(
  array[private.placeholder(true, false), private.placeholder(false, true), private.placeholder(true, true)],
  array['[Message deleted]', '[File deleted]', '[Message and file(s) deleted]'],
  'hotel.delete.text: the placeholder says what there was'
);

select * from finish();
rollback;
