-- Deleting a chat: hidden and cleared for oneself, a group is left.
begin;
select plan(15);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);

create function pg_temp.told() returns table (topic text, event text, payload jsonb) language sql security definer as $$
  with gone as (delete from realtime.messages returning *) select topic, event, payload - 'id' from gone
$$;
create function pg_temp.direct() returns uuid language sql security definer as $$
  select id from public.chat_rooms where type = 'direct'
$$;
create function pg_temp.room_exists(p_title text) returns boolean language sql security definer as $$
  select exists (select from public.chat_rooms where title = p_title)
$$;
grant execute on function pg_temp.told(), pg_temp.direct(), pg_temp.room_exists(text) to authenticated;

select tests.sign_in('ana');
select public.start_direct_chat(tests.user_id('ben'), p_content => 'hello');
select pg_temp.told();
select tests.sign_in('ben');
select is(
  public.delete_chat(pg_temp.direct()) - 'deleted_at', jsonb_build_object('room_id', pg_temp.direct()), 'mobile.delete: a chat is deleted'
);
select results_eq(
  $$ select topic, payload - 'deleted_at' from pg_temp.told() where event = 'room-deleted' $$,
  $$ values (
    'user:' || tests.user_id('ben'), jsonb_build_object('room_id', pg_temp.direct(), 'deleted_by', tests.user_id('ben'))
  ) $$,
  'my own devices hear of it, nobody else'
);
select results_eq(
  $$ select is_deleted, deleted_at is not null, cleared_seq from public.user_chat_preferences where room_id = pg_temp.direct() $$,
  $$ values (true, true, 1::bigint) $$,
  'it is hidden and cleared'
);
select is(jsonb_array_length(public.get_messages(pg_temp.direct())::jsonb), 0, 'for me');
select is((public.unread_counts() ->> 'total_unread')::int, 0, 'and leaves nothing unread');

select tests.sign_in('ana');
select is(jsonb_array_length(public.get_messages(pg_temp.direct())::jsonb), 1, 'the other sees all');
select results_eq(
  $$ select is_deleted from public.user_chat_preferences where room_id = pg_temp.direct() $$, 'values (false)', 'and keeps the chat'
);
select public.send_message(pg_temp.direct(), 'still there?');
select tests.sign_in('ben');
select is(
  public.get_messages(pg_temp.direct())::jsonb #>> '{0,content}', 'still there?', 'it comes back when a newer message arrives'
);
select is(jsonb_array_length(public.get_messages(pg_temp.direct())::jsonb), 1, 'with that alone');
select is((public.unread_counts() ->> 'total_unread')::int, 1, 'which is unread');

select tests.sign_in('eve');
select tests.refuses($$ select public.delete_chat(pg_temp.direct()) $$, 'not_a_member', 'a stranger deletes nothing');
select tests.refuses($$ select public.delete_chat(gen_random_uuid()) $$, 'room_not_found', 'what is not there is not found');

select tests.sign_in('ben');
select public.delete_chat(tests.room_id('lounge'));
select tests.sign_in('ana');
select set_eq(
  $$ select user_id from public.chat_room_members where room_id = tests.room_id('lounge') $$,
  $$ values (tests.user_id('ana')) $$,
  'a group is left'
);
select ok(pg_temp.room_exists('lounge'), 'and stays for the others');
select public.delete_chat(tests.room_id('lounge'));
select ok(not pg_temp.room_exists('lounge'), 'the last one out takes it along');

select * from finish();
rollback;
