-- Pages by number, and what else the HTTP door asks.
begin;
select plan(29);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.create_room('bar', members => array['ana']);
create function pg_temp.message(p_seq int) returns uuid language sql stable security definer as $$
  select id from public.chat_messages where room_id = tests.room_id('lounge') and seq = p_seq
$$;
create function pg_temp.texts(p_page json) returns text language sql as $$
  select string_agg(m ->> 'content', ' ' order by nth) from json_array_elements(p_page -> 'messages') with ordinality as e (m, nth)
$$;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), n::text) from generate_series(1, 7) as n;
select public.delete_message(pg_temp.message(3));
select public.send_message(tests.room_id('bar'), 'bar');

-- Pages
select is(pg_temp.texts(public.message_page(tests.room_id('lounge'), 3)), '7 6 5', 'the newest first');
select is(public.message_page(tests.room_id('lounge'), 3) ->> 'count', '7', 'all are counted');
select is(public.message_page(tests.room_id('lounge'), 3) ->> 'has_more', 'true', 'there are more');
select is(pg_temp.texts(public.message_page(tests.room_id('lounge'), 3, 3)), '4 [Message deleted] 2', 'past the first page');
select is(
  public.message_page(tests.room_id('lounge'), 3, 6) ->> 'has_more', 'false', 'the last page is the last'
);
select is(
  pg_temp.texts(public.message_page(tests.room_id('lounge'), 3, 3, p_with_deleted => false)), '4 2 1', 'without the deleted ones'
);
select is(
  public.message_page(tests.room_id('lounge'), p_with_deleted => false) ->> 'count', '6', 'which are not counted then'
);
select is(pg_temp.texts(public.message_page(tests.room_id('lounge'), 2, p_before_seq => 5)), '4 [Message deleted]', 'before a seq');
select is(pg_temp.texts(public.message_page(tests.room_id('lounge'), 2, p_before_id => pg_temp.message(5))), '4 [Message deleted]', 'or a message');
select is(pg_temp.texts(public.message_page(tests.room_id('lounge'), 2, p_after_seq => 4)), '5 6', 'after a seq, the oldest first');
select is(pg_temp.texts(public.message_page(tests.room_id('lounge'), 2, p_after_id => pg_temp.message(4))), '5 6', 'or a message');
select tests.refuses($$ select public.message_page(tests.room_id('lounge'), 0) $$, 'limit_out_of_range', 'no page is empty');
select tests.refuses($$ select public.message_page(tests.room_id('lounge'), 1, -1) $$, 'limit_out_of_range', 'nor before the first');
select tests.refuses(
  $$ select public.message_page(tests.room_id('lounge'), p_before_seq => 1, p_after_seq => 1) $$, 'one_cursor_only', 'in one direction'
);
select tests.refuses(
  $$ select public.message_page(tests.room_id('lounge'), p_before_id => gen_random_uuid()) $$, 'message_not_found', 'before none'
);
select tests.refuses(
  $$ select public.message_page(tests.room_id('lounge'), p_before_id => (select id from public.chat_messages where content = 'bar')) $$,
  'message_not_found', 'nor before one of another room'
);

-- Reading
select is(public.message_page(tests.room_id('lounge'), 1) #>> '{read_ids}', '[]', 'mine is unread while nobody has read it');
select tests.sign_in('ben');
select is(public.message_page(tests.room_id('lounge'), 1) #>> '{read_ids}', '[]', 'and by whom it waits for');
select public.mark_read(tests.room_id('lounge'));
select is(
  public.message_page(tests.room_id('lounge'), 1) #>> '{read_ids,0}', pg_temp.message(7)::text, 'until that person reads it'
);
select tests.sign_in('ana');
select is(
  public.message_page(tests.room_id('lounge'), 1, p_with_readers => true) #>> array['readers', pg_temp.message(7)::text, '0', 'user_id'],
  tests.user_id('ben')::text,
  'who sent it sees who did'
);
select is(public.read_by_others(array[tests.room_id('lounge')]) ->> tests.room_id('lounge')::text, '7', 'and how far');
select tests.refuses(
  $$ select public.read_by_others(array_fill(tests.room_id('lounge'), array[501])) $$, 'room_count_out_of_range', 'in 500 rooms at most'
);

-- Places
select is(public.locate_message(pg_temp.message(1)) ->> 'room_id', tests.room_id('lounge')::text, 'a message is in its room');
select tests.sign_in('eve');
select tests.refuses($$ select public.locate_message(pg_temp.message(1)) $$, 'not_a_member', 'which a stranger is not told');
select tests.refuses($$ select public.locate_organization('nowhere') $$, 'organization_not_found', 'what is nowhere has no place');

-- Calls
select is(public.count_calls(), tests.user_id('eve'), 'who calls is told who that is');
select tests.refuses('select public.count_calls(0)', 'limit_out_of_range', 'none is no call');
select tests.refuses('select public.count_calls(101)', 'limit_out_of_range', 'and 101 are not called at once');
select tests.as_owner();
update private.limits set value = 0 where name = 'calls_per_minute';
select tests.sign_in('eve');
select tests.refuses($$ select public.count_calls() $$, 'too_many_requests', 'and calls not too often');

select * from finish();
rollback;
