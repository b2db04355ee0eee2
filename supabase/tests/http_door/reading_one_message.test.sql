-- One message is read, and with it all before it; and which of several are.
begin;
select plan(10);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.create_room('office', members => array['ana', 'ben']);
create function pg_temp.message(p_room text, p_seq int) returns uuid language sql stable security definer as $$
  select id from public.chat_messages where room_id = tests.room_id(p_room) and seq = p_seq
$$;
create function pg_temp.read() returns text language sql as $$
  select coalesce(string_agg(content, ' ' order by content), '')
  from public.chat_messages
  where id = any (public.read_messages(array(select id from public.chat_messages)))
$$;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), 'lounge' || n) from generate_series(1, 3) as n;
select public.send_message(tests.room_id('office'), 'office');
select is(pg_temp.read(), '', 'nobody has read what ana wrote');
select tests.refuses(
  $$ select public.mark_message_read(pg_temp.message('lounge', 2)) $$, 'own_message', 'and she does not read it herself'
);

select tests.sign_in('ben');
select is(
  public.mark_message_read(pg_temp.message('lounge', 2)) - array['room_id', 'read_at'],
  jsonb_build_object('unread_count', 1, 'updated_count', 2, 'last_read_message_id', pg_temp.message('lounge', 2)),
  'whom it was written for reads it, and what stands before it'
);
select is(pg_temp.read(), 'lounge1 lounge2', 'which is so for him');
select tests.sign_in('ana');
select is(pg_temp.read(), 'lounge1 lounge2', 'and for her');
select tests.refuses($$ select public.mark_message_read(gen_random_uuid()) $$, 'message_not_found', 'there has to be one');
select tests.sign_in('eve');
select tests.refuses(
  $$ select public.mark_message_read(pg_temp.message('lounge', 2)) $$, 'not_a_member', 'a stranger reads nothing'
);
select is(
  public.read_messages(array[pg_temp.message('lounge', 1)]), '{}'::uuid[], 'and is not told who has read what'
);
select tests.sign_in('ben');
select public.mark_read(tests.room_id('office'));
select is(pg_temp.read(), 'lounge1 lounge2 office', 'each room by its own cursor');
select tests.refuses(
  $$ select public.read_messages(array_fill(gen_random_uuid(), array[501])) $$, 'message_count_out_of_range', 'of 500 at most'
);

select * from finish();
rollback;
