begin;
select plan(11);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_room('lounge', members => array['ana']);
create function pg_temp.write(p_content text) returns void language sql as $$
  insert into public.chat_messages (room_id, sender_id, content)
  values (tests.room_id('lounge'), tests.user_id('ana'), p_content)
$$;
create function pg_temp.unread() returns int language sql as $$
  select public.calculate_unread_count(tests.user_id('ben'), tests.room_id('lounge'))
$$;
grant execute on function pg_temp.unread() to authenticated;
create function pg_temp.last_read() returns table (last_read_seq bigint, content text) language sql as $$
  select p.last_read_seq, m.content
  from public.user_chat_preferences as p
  left join public.chat_messages as m on m.id = p.last_read_message_id
  where p.user_id = tests.user_id('ben')
$$;

select pg_temp.write(content) from unnest(array['one', 'two']) as content;
insert into public.chat_room_members (room_id, user_id) values (tests.room_id('lounge'), tests.user_id('ben'));
select results_eq(
  'select * from pg_temp.last_read()', $$ values (2::bigint, 'two') $$, 'a late joiner starts with everything read'
);
select is(pg_temp.unread(), 0, 'and nothing unread');
select pg_temp.write('three');
select is(pg_temp.unread(), 1, 'what comes then is unread');

delete from public.chat_room_members where user_id = tests.user_id('ben');
select pg_temp.write('four');
insert into public.chat_room_members (room_id, user_id) values (tests.room_id('lounge'), tests.user_id('ben'));
select results_eq(
  'select * from pg_temp.last_read()', $$ values (4::bigint, 'four') $$, 'who comes again starts as a late joiner'
);
select is(pg_temp.unread(), 0, 'with nothing unread');
select pg_temp.write('five');
select is(pg_temp.unread(), 1, 'and counts on from there');

select tests.sign_in('ben');
select is(pg_temp.unread(), 1, 'one''s own count is told');
select is(
  public.calculate_unread_count(tests.user_id('ana'), tests.room_id('lounge')), 0, 'somebody else''s is not'
);
select public.send_message(tests.room_id('lounge'), 'mine');
select is(pg_temp.unread(), 1, 'what I write is not unread, and reads nothing');
select tests.as_owner();
delete from public.chat_room_members where user_id = tests.user_id('ben');
insert into public.chat_room_members (room_id, user_id) values (tests.room_id('lounge'), tests.user_id('ben'));
select ok(
  (select has_written from public.chat_room_members where user_id = tests.user_id('ben')), 'who comes again has written before'
);

select tests.sign_in('ana');
select is(public.calculate_unread_count(tests.user_id('ben'), tests.room_id('lounge')), 0, 'nor is his told to her');

select * from finish();
rollback;
