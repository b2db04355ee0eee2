begin;
select plan(9);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.sign_in('ana');
insert into public.chat_messages (room_id, content) select tests.room_id('lounge'), n::text from generate_series(1, 7) as n;

create function pg_temp.seqs(p_page jsonb) returns int[] language sql as $$
  select array_agg((m ->> 'seq')::int order by position)
  from jsonb_array_elements(p_page) with ordinality as page (m, position)
$$;

select is(
  pg_temp.seqs(public.get_messages(tests.room_id('lounge'), p_limit => 3)), array[7, 6, 5], 'newest first'
);
select is(
  pg_temp.seqs(public.get_messages(tests.room_id('lounge'), p_before_seq => 5, p_limit => 3)), array[4, 3, 2], 'then before'
);
select is(
  pg_temp.seqs(public.get_messages(tests.room_id('lounge'), p_after_seq => 5)), array[6, 7], 'after: oldest first'
);
select is(public.get_messages(tests.room_id('lounge'), p_after_seq => 7), '[]', 'nothing new is an empty list');
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
  $$ select jsonb_object_keys(public.get_messages(tests.room_id('lounge'), p_limit => 1) -> 0) $$,
  array[
    'id', 'room_id', 'seq', 'change_seq', 'sender_id', 'sender', 'message_type', 'content', 'reply_to', 'forwarded_from',
    'forwarded_count', 'is_edited', 'edited_at', 'is_deleted', 'is_encrypted', 'encryption_key_id', 'encrypted_content',
    'attachments', 'reactions', 'mentions', 'metadata', 'client_id', 'created_at'
  ],
  'a message has the contract''s shape'
);

select * from finish();
rollback;
