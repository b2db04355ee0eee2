begin;
select plan(13);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.sign_in('ana');
insert into public.chat_messages (room_id, content) select tests.room_id('lounge'), n::text from generate_series(1, 7) as n;

create function pg_temp.seqs(p_page jsonb) returns int[] language sql as $$
  select array_agg((m ->> 'seq')::int order by position)
  from jsonb_array_elements(p_page) with ordinality as page (m, position)
$$;

select is(
  pg_temp.seqs(public.get_messages(tests.room_id('lounge'), p_limit => 3)::jsonb), array[7, 6, 5], 'newest first'
);
select is(
  pg_temp.seqs(public.get_messages(tests.room_id('lounge'), p_before_seq => 5, p_limit => 3)::jsonb), array[4, 3, 2], 'then before'
);
select is(
  pg_temp.seqs(public.get_messages(tests.room_id('lounge'), p_after_seq => 5)::jsonb), array[6, 7], 'after: oldest first'
);
select is(public.get_messages(tests.room_id('lounge'), p_after_seq => 7)::jsonb, '[]', 'nothing new is an empty list');
select tests.refuses(
  $$ select public.get_messages(tests.room_id('lounge'), p_limit => 0) $$, 'limit_out_of_range', 'a page holds something'
);
select tests.refuses(
  $$ select public.get_messages(tests.room_id('lounge'), p_limit => 101) $$, 'limit_out_of_range', 'and not everything'
);
select tests.refuses(
  $$ select public.get_messages(tests.room_id('lounge'), 5, 2) $$, 'one_cursor_only', 'either before or after'
);
select tests.refuses($$ select public.get_messages(gen_random_uuid()) $$, 'room_not_found', 'there is no such room');

select set_eq(
  $$ select jsonb_object_keys(public.get_messages(tests.room_id('lounge'), p_limit => 1)::jsonb -> 0) $$,
  array[
    'id', 'room_id', 'seq', 'change_seq', 'sender_id', 'sender', 'message_type', 'content', 'reply_to', 'forwarded_from',
    'forwarded_count', 'is_edited', 'edited_at', 'is_deleted', 'is_encrypted', 'encryption_key_id', 'encrypted_content',
    'attachments', 'reactions', 'mentions', 'metadata', 'client_id', 'created_at'
  ],
  'a message has the contract''s shape'
);

select tests.as_owner();
update public.user_chat_preferences set visible_from_seq = 4 where user_id = tests.user_id('ben');
select tests.sign_in('ben');
select is(
  pg_temp.seqs(public.get_messages(tests.room_id('lounge'))::jsonb), array[7, 6, 5], 'what is not shown to a member is not in a page'
);
select is(
  pg_temp.seqs(public.get_messages(tests.room_id('lounge'), p_before_seq => 7)::jsonb), array[6, 5], 'nor before a message'
);
select is(
  pg_temp.seqs(public.get_messages(tests.room_id('lounge'), p_after_seq => 1, p_limit => 2)::jsonb), array[5, 6], 'nor after one'
);
select is(
  pg_temp.seqs(public.get_messages(tests.room_id('lounge'), p_after_seq => 5)::jsonb), array[6, 7], 'later ones are'
);

select * from finish();
rollback;
