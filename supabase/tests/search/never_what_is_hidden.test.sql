-- In a small account, and in one so large that the index of words and the newest messages are asked.
begin;
select plan(24);

select tests.create_user(name) from unnest(array['ana', 'ben', 'cleo']) as name;
select tests.create_room('lounge', members => array['ana', 'ben', 'cleo']);

create function pg_temp.found(p_query text) returns text[] language sql as $$
  select array(select m ->> 'content' from jsonb_array_elements(public.search_messages(p_query)::jsonb) as m)
$$;
grant execute on function pg_temp.found(text) to authenticated;
create function pg_temp.write(p_content text) returns void language sql as $$
  insert into public.chat_messages (room_id, sender_id, content)
  values (tests.room_id('lounge'), tests.user_id('ana'), p_content)
$$;
-- Asserts all of it, from whatever is there on.
create function pg_temp.scene(p_when text) returns setof text language plpgsql as $$
begin
  perform pg_temp.write('zebra one'), pg_temp.write('zebra two'), pg_temp.write('zebra three');
  insert into public.chat_messages (room_id, sender_id, encrypted_content, encryption_key_id)
  values (tests.room_id('lounge'), tests.user_id('ana'), '{"v": 1, "keys": {"A1B2": "wrapped"}, "body": "zebra"}', 'key');

  perform tests.sign_in('ana');
  return next extensions.is(pg_temp.found('zebra'), array['zebra three', 'zebra two', 'zebra one'], p_when || ': never what is encrypted');
  perform public.delete_message((select id from public.chat_messages where content = 'zebra two'));
  return next extensions.is(pg_temp.found('zebra'), array['zebra three', 'zebra one'], p_when || ': nor what is deleted');
  return next extensions.is(pg_temp.found('deleted'), array[]::text[], p_when || ': not by its placeholder either');
  perform public.undo_delete_message((select id from public.chat_messages where is_deleted));
  return next extensions.is(pg_temp.found('zebra'), array['zebra three', 'zebra two', 'zebra one'], p_when || ': brought back, it is found');
  perform public.edit_message((select id from public.chat_messages where content = 'zebra one'), 'a horse');
  return next extensions.is(pg_temp.found('zebra'), array['zebra three', 'zebra two'], p_when || ': nor what it was before an edit');
  return next extensions.is(pg_temp.found('hors'), array['a horse'], p_when || ': but what it is now');

  perform tests.as_owner();
  update public.user_chat_preferences
  set cleared_seq = (select seq from public.chat_messages where content = 'zebra two')
  where user_id = tests.user_id('ben');
  perform tests.sign_in('ben');
  return next extensions.is(pg_temp.found('zebra'), array['zebra three'], p_when || ': nor what I have cleared');
  return next extensions.is(
    (select count(*) from jsonb_array_elements(public.search_messages('zebra', tests.room_id('lounge'))::jsonb)), 1::bigint,
    p_when || ': nor in this one room'
  );
  perform tests.as_owner();
  update public.chat_rooms
  set floor_seq = (select seq from public.chat_messages where content = 'zebra two') where title = 'lounge';
  update public.user_chat_preferences set cleared_seq = (select floor_seq from public.chat_rooms where title = 'lounge');
  perform tests.sign_in('ana');
  return next extensions.is(pg_temp.found('zebra'), array['zebra three'], p_when || ': nor what was cleared for everyone');
  perform tests.as_owner();
  delete from public.chat_room_members where user_id = tests.user_id('ben');
  perform tests.sign_in('ben');
  return next extensions.is(pg_temp.found('zebra'), array[]::text[], p_when || ': nor where I am no more');
  perform tests.as_owner();
end;
$$;

savepoint small;
select pg_temp.scene('a small account');
rollback to small;

insert into public.chat_rooms (id, type, title) values (private.uuid_v7(), 'group', 'archive');
insert into public.chat_room_members (room_id, user_id)
select tests.room_id('archive'), tests.user_id(name) from unnest(array['ana', 'ben']) as name;
do $$ begin
  for i in 1..30 loop
    insert into public.chat_messages (room_id, sender_id, content)
    select tests.room_id('archive'), tests.user_id('ana'), 'common ' || case n % 2 when 0 then 'even' else 'odd' end
    from generate_series(1, 100) as n;
  end loop;
end $$;
select pg_temp.scene('a large account');

analyze public.chat_messages;
select tests.sign_in('ana');
select is(jsonb_array_length(public.search_messages('common even', p_limit => 100)::jsonb), 100, 'a common word is found among the newest');
select is(pg_temp.found('zebra'), array['zebra three'], 'a rare one by its index');
insert into public.chat_messages (room_id, content) values (tests.room_id('lounge'), 'common only once');
select is(pg_temp.found('only'), array['common only once'], 'also one that was written just now');
select tests.sign_in('cleo');
select is(pg_temp.found('common'), array['common only once'], 'what is common elsewhere is found in few messages');

select * from finish();
rollback;
