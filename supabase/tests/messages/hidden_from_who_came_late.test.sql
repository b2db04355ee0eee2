-- visible_from_seq: what was written up to there is not shown, by any way of reading.
begin;
select plan(8);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
create function pg_temp.message(p_seq bigint) returns uuid language sql security definer as $$
  select id from public.chat_messages where seq = p_seq
$$;
grant execute on function pg_temp.message(bigint) to authenticated;

select tests.sign_in('ana');
insert into public.chat_messages (room_id, content) select tests.room_id('lounge'), 'message ' || n from generate_series(1, 3) as n;

select tests.as_owner();
update public.user_chat_preferences set visible_from_seq = 2 where user_id = tests.user_id('ben');

select tests.sign_in('ben');
select results_eq($$ select seq from public.chat_messages order by seq $$, array[3]::bigint[], 'the table shows what came after');
select throws_ok(
  $$ select public.send_message(tests.room_id('lounge'), 'what was that?', p_reply_to_id => pg_temp.message(2)) $$,
  'PT404', null, 'a reply does not bring a hidden message up'
);
select lives_ok(
  $$ select public.send_message(tests.room_id('lounge'), 'yes', p_reply_to_id => pg_temp.message(3)) $$,
  'a reply to a visible one is sent'
);
select throws_ok(
  $$ select private.my_message_json(pg_temp.message(1)) $$, 'PT404', null, 'nor does asking for it by its id'
);
select is(private.my_message_json(pg_temp.message(3)) ->> 'content', 'message 3', 'a visible one is told by its id');

select tests.as_owner();
update public.user_chat_preferences set visible_from_seq = 4 where user_id = tests.user_id('ben');
select tests.sign_in('ben');
select is(private.room_json(tests.room_id('lounge')) -> 'last_message', 'null', 'a hidden message is nobody''s last one');

select tests.sign_in('ana');
select is((select count(*) from public.chat_messages), 4::bigint, 'others see everything');
select is(
  private.room_json(tests.room_id('lounge')) #>> '{last_message,content}', 'yes', 'and the last message'
);

select * from finish();
rollback;
