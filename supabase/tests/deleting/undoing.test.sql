begin;
select plan(26);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_key('ben', 'key');
select tests.create_room('lounge', members => array['ana', 'ben']);
update public.chat_room_members set role = 'owner' where user_id = tests.user_id('ana');
select tests.sign_in('ben');
select public.send_message(tests.room_id('lounge'), 'for @ana', p_metadata => '{"mood": "glad"}');
select public.send_message(tests.room_id('lounge'), p_encrypted_content => tests.envelope('secret'), p_encryption_key_id => 'key');
create temporary table named as select coalesce(content, 'encrypted') as name, id from public.chat_messages;
grant select on named to authenticated;
create function pg_temp.id(p_name text) returns uuid language sql as $$ select id from named where name = p_name $$;
select public.edit_message(pg_temp.id('for @ana'), 'for @ana alone');
select public.add_reaction(pg_temp.id('for @ana'), '👍');
create temporary table before as
select m from jsonb_array_elements(public.get_messages(tests.room_id('lounge'))::jsonb) as m;
grant select on before to authenticated;

select results_eq(
  $$ select jsonb_array_length(m -> 'mentions'), jsonb_array_length(m -> 'reactions') from before where m ->> 'content' like 'for%' $$,
  $$ values (1, 1) $$, 'it mentions somebody, and has a reaction'
);
select public.delete_message(pg_temp.id('for @ana'));
select public.delete_message(pg_temp.id('encrypted'));
select tests.refuses(
  $$ select public.add_reaction(pg_temp.id('for @ana'), '🔥') $$, 'message_deleted', 'nobody reacts to what is deleted'
);
select tests.sign_in('ana');
select is(public.calculate_unread_count(tests.user_id('ana'), tests.room_id('lounge')), 0, 'deleted, it is not unread');
select tests.refuses(
  $$ select public.undo_delete_message(pg_temp.id('for @ana')) $$, 'not_the_deleter', 'hotel.undo: by whoever deleted it, not by the owner'
);
select tests.sign_in('eve');
select tests.refuses(
  $$ select public.undo_delete_message(pg_temp.id('for @ana')) $$, 'not_a_member', 'not by a stranger'
);

select tests.sign_in('ben');
select is(
  public.undo_delete_message(pg_temp.id('for @ana')) - 'change_seq',
  (select m - 'change_seq' from before where m ->> 'content' like 'for @ana%'),
  'hotel.undo: text, metadata, mentions, reactions and the mark of an edit come back'
);
select is(
  public.undo_delete_message(pg_temp.id('encrypted')) - 'change_seq',
  (select m - 'change_seq' from before where m -> 'is_encrypted' = 'true'),
  'and what was encrypted'
);
select is(
  (select change_seq from public.chat_messages where id = pg_temp.id('encrypted')), 6::bigint, 'it is a change like others'
);
select tests.refuses(
  $$ select public.undo_delete_message(pg_temp.id('encrypted')) $$, 'message_not_deleted', 'twice is once'
);
select tests.refuses($$ select public.undo_delete_message(gen_random_uuid()) $$, 'message_not_found', 'there is no such message');
select tests.sign_in('ana');
select is(public.calculate_unread_count(tests.user_id('ana'), tests.room_id('lounge')), 2, 'restored, they are unread again');
select is(
  (select array_agg(m ->> 'content') from jsonb_array_elements(public.get_messages(tests.room_id('lounge'), p_limit => 1)::jsonb) as m),
  array[null::text], 'and in their place'
);
select tests.as_owner();
select results_eq(
  $$ select topic, payload -> 'room_id', payload #>> '{message,content}', payload #> '{message,is_deleted}'
     from realtime.messages where event = 'message-restored' and payload #>> '{message,content}' is not null $$,
  $$ values ('room:' || tests.room_id('lounge'), to_jsonb(tests.room_id('lounge')), 'for @ana alone', 'false'::jsonb) $$,
  'message-restored tells the room'
);
select is_empty($$ select * from private.deleted_messages $$, 'nothing is kept of it');

-- Too late.
select tests.sign_in('ben');
select public.delete_message(pg_temp.id('for @ana'));
select tests.as_owner();
select ok(
  (select undo_until - deleted_at between '29 seconds' and '31 seconds'
   from private.deleted_messages join public.chat_messages on id = message_id),
  '30 seconds to undo it in'
);
update private.deleted_messages set undo_until = clock_timestamp() - interval '1 millisecond';
select tests.sign_in('ben');
select tests.refuses(
  $$ select public.undo_delete_message(pg_temp.id('for @ana')) $$, 'undo_window_over', 'hotel.undo: later it is too late'
);
select is(
  (select content from public.chat_messages where id = pg_temp.id('for @ana')), '[Message deleted]', 'it stays deleted'
);
select tests.as_owner();
select private.wipe_deleted_messages();
select tests.sign_in('ben');
select tests.refuses(
  $$ select public.undo_delete_message(pg_temp.id('for @ana')) $$, 'undo_window_over', 'also once it is wiped'
);

-- An author's delete that an owner makes final is no longer the author's to undo, nor anybody's.
select public.delete_message(pg_temp.id('encrypted'));
select tests.sign_in('ana');
select public.delete_message(pg_temp.id('encrypted'), p_hard => true);
select tests.refuses(
  $$ select public.undo_delete_message(pg_temp.id('encrypted')) $$, 'undo_window_over', 'deleted for good is for good'
);
select tests.sign_in('ben');
select tests.refuses(
  $$ select public.undo_delete_message(pg_temp.id('encrypted')) $$, 'not_the_deleter', 'for its author as well'
);

-- A hotel says how long.
select tests.as_owner();
insert into public.organizations (id, slug, name, undo_window)
values ('00000000-0000-4000-8000-0000000000f1', 'inn', 'The Inn', '1 hour');
update public.chat_rooms set organization_id = '00000000-0000-4000-8000-0000000000f1';
insert into public.chat_messages (room_id, sender_id, content) values (tests.room_id('lounge'), tests.user_id('ben'), 'inn');
insert into named select content, id from public.chat_messages where content = 'inn';
select tests.sign_in('ben');
select public.delete_message(pg_temp.id('inn'));
select tests.as_owner();
select ok(
  (select undo_until - deleted_at between '59 minutes' and '61 minutes'
   from private.deleted_messages join public.chat_messages on id = message_id),
  'a hotel says for how long'
);
delete from public.chat_room_members where user_id = tests.user_id('ben');
select tests.sign_in('ben');
select tests.refuses(
  $$ select public.undo_delete_message(pg_temp.id('inn')) $$, 'not_a_member', 'who has left undoes nothing'
);
select tests.as_owner();
insert into public.chat_room_members (room_id, user_id) values (tests.room_id('lounge'), tests.user_id('ben'));
select tests.sign_in('ben');
select lives_ok($$ select public.undo_delete_message(pg_temp.id('inn')) $$, 'who is back does');
select public.delete_message(pg_temp.id('inn'));
select tests.as_owner();
update public.chat_rooms set floor_seq = last_seq;
select tests.sign_in('ben');
select tests.refuses(
  $$ select public.undo_delete_message(pg_temp.id('inn')) $$, 'message_not_found', 'nothing comes back that was cleared since'
);
select tests.sign_out();
select throws_ok($$ select public.undo_delete_message(gen_random_uuid()) $$, '42501', null, 'nobody signed in undoes');
select throws_ok($$ select public.delete_message(gen_random_uuid()) $$, '42501', null, 'nor deletes');

select * from finish();
rollback;
