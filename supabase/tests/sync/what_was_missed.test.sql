-- Sync gives what was missed: in order, once, in pages; and what was changed of what one has.
begin;
select plan(27);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
update private.limits set value = 100000 where name = 'messages_per_minute';

create function pg_temp.write(p_room text, p_from int, p_to int)
returns void
language sql
as $$
  insert into public.chat_messages (room_id, sender_id, content)
  select tests.room_id(p_room), tests.user_id('ana'), n from generate_series(p_from, p_to) as n
$$;

create function pg_temp.change(p_room text, p_seq bigint, p_content text)
returns void
language sql
as $$
  update public.chat_messages
  set content = p_content, is_edited = true, edited_at = now(), change_seq = private.next_change_seq(room_id)
  where room_id = tests.room_id(p_room) and seq = p_seq
$$;

-- One client's memory: what it was answered last, and the cursors it sends next.
create temporary table memory (answer jsonb);
insert into memory values ('{"cursors": {}}');
grant all on memory to authenticated;
create function pg_temp.sync(p_limit int default 500)
returns void
language sql
as $$ update memory set answer = public.sync_messages(answer -> 'cursors', p_limit)::jsonb $$;
create function pg_temp.told(p_key text, p_field text default null)
returns text
language sql
as $$
  select string_agg(case when p_field is null then element #>> '{}' else element ->> p_field end, ' ' order by place)
  from memory, jsonb_array_elements(answer -> p_key) with ordinality as listed (element, place)
$$;

grant execute on function pg_temp.sync(int), pg_temp.told(text, text) to authenticated;

select pg_temp.write('lounge', 1, 5);
select tests.sign_in('ben');
select pg_temp.sync();
select is(pg_temp.told('messages', 'content'), '1 2 3 4 5', 'the first time all, in order');
select is(pg_temp.told('rooms', 'title'), 'lounge', 'with the room');
select is((select answer -> 'has_more' from memory), 'false', 'and that is all');
select pg_temp.sync();
select is(pg_temp.told('messages', 'content'), null, 'the second time nothing: each once');
select is(pg_temp.told('rooms', 'title'), null, 'no room with nothing new');

select tests.as_owner();
select pg_temp.write('lounge', 6, 12);
select pg_temp.change('lounge', 2, 'two');
select pg_temp.change('lounge', 8, 'eight');
select tests.sign_in('ben');
select pg_temp.sync(3);
select is(pg_temp.told('changed', 'content'), 'two', 'what was changed of what one has');
select is(pg_temp.told('messages', 'content'), '6 7', 'and new messages, a page at a time');
select is((select answer -> 'has_more' from memory), 'true', 'there is more');
select pg_temp.sync(3);
select is(pg_temp.told('messages', 'content'), 'eight 9 10', 'a new message that was changed comes as it is');
select is(pg_temp.told('changed', 'content'), null, 'and not again as a change');
select pg_temp.sync(3);
select is(pg_temp.told('messages', 'content'), '11 12', 'the last page');
select is((select answer -> 'has_more' from memory), 'false', 'says so');

select is(
  (
    select string_agg(message ->> 'content', ' ')
    from jsonb_array_elements(
      public.sync_messages(jsonb_build_object(tests.room_id('lounge'), 10))::jsonb -> 'messages'
    ) as message
  ),
  '11 12',
  'a bare number is a seq'
);

select tests.as_owner();
update public.chat_rooms set title = 'lounge', description = 'By the pool' where id = tests.room_id('lounge');
select tests.sign_in('ben');
select pg_temp.sync();
select is(pg_temp.told('rooms', 'description'), 'By the pool', 'a room that changed itself is told too');

select tests.as_owner();
update private.limits set value = 5 where name = 'sync_messages_behind';
select pg_temp.write('lounge', 13, 18);
select tests.sign_in('ben');
select pg_temp.sync();
select is(pg_temp.told('reset'), tests.room_id('lounge')::text, 'who is too far behind fetches afresh');
select is(pg_temp.told('messages', 'content'), null, 'instead of page after page');
select pg_temp.sync();
select is(pg_temp.told('reset'), null, 'and goes on from there');

select is(
  (select public.sync_messages(jsonb_build_object(tests.room_id('lounge'), 999))::jsonb -> 'reset' ->> 0),
  tests.room_id('lounge')::text,
  'a cursor from the future is not of this room'
);

select tests.as_owner();
delete from public.chat_room_members where user_id = tests.user_id('ben');
select tests.sign_in('ben');
select pg_temp.sync();
select is(pg_temp.told('gone_rooms'), tests.room_id('lounge')::text, 'a room that one has left is gone');
select is((select answer -> 'cursors' from memory), '{}', 'with its cursor');

select tests.as_owner();
select tests.create_room('bar', members => array['ana', 'ben']);
select pg_temp.write('bar', 1, 3);
select tests.sign_in('ben');
select pg_temp.sync();
select tests.as_owner();
insert into public.chat_room_members (room_id, user_id) values (tests.room_id('bar'), tests.user_id('eve'));
select tests.sign_in('ben');
select pg_temp.sync();
select is(pg_temp.told('rooms', 'member_count'), '3', 'a room that somebody joined is told');
select tests.as_owner();
update public.chat_room_members set role = 'admin' where room_id = tests.room_id('bar') and user_id = tests.user_id('eve');
select tests.sign_in('ben');
select pg_temp.sync();
select is(pg_temp.told('rooms', 'title'), 'bar', 'and one where somebody has another role');
select tests.as_owner();
update public.chat_rooms set history_for_new_members = false where id = tests.room_id('bar');
delete from public.chat_room_members where room_id = tests.room_id('bar') and user_id = tests.user_id('ben');
insert into public.chat_room_members (room_id, user_id) values (tests.room_id('bar'), tests.user_id('ben'));
select tests.sign_in('ben');
select pg_temp.sync();
select is(pg_temp.told('reset'), tests.room_id('bar')::text, 'who comes again and may not read what was, forgets it');

select tests.sign_in('eve');
select is(
  (select public.sync_messages(jsonb_build_object(tests.room_id('lounge'), 0))::jsonb -> 'messages'), '[]', 'strangers sync nothing'
);
select tests.refuses($$ select public.sync_messages('{"x": "y"}', 0) $$, 'limit_out_of_range', 'a page holds something');
select tests.refuses(
  format('select public.sync_messages(%L)', '[1]'), 'cursor_invalid', 'cursors are an object'
);

select tests.sign_in('ana');
select tests.refuses(
  format('select public.sync_messages(%L)', jsonb_build_object(tests.room_id('lounge'), jsonb_build_object('seq', -1))),
  'cursor_invalid',
  'and each says how far one is'
);

select * from finish();
rollback;
