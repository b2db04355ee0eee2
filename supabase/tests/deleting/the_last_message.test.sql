begin;
select plan(11);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.sign_in('ana');
insert into public.chat_messages (room_id, content) select tests.room_id('lounge'), n::text from generate_series(1, 4) as n;
create temporary table named as select content as name, id, created_at from public.chat_messages;
grant select on named to authenticated;
create function pg_temp.id(p_name text) returns uuid language sql as $$ select id from named where name = p_name $$;
create temporary table listed as select updated_at from public.chat_rooms where id = tests.room_id('lounge');
create function pg_temp.last() returns text language sql as $$
  select private.room_json(tests.room_id('lounge')) #>> '{last_message,content}'
$$;

select is(pg_temp.last(), '4', 'the newest');
select public.delete_message(pg_temp.id('2'));
select is(pg_temp.last(), '4', 'a delete farther back changes nothing');
select public.delete_message(pg_temp.id('4'));
select is(pg_temp.last(), '3', 'hotel.delete.last: it moves back to the newest one left');
select results_eq(
  $$ select last_message_at from public.chat_rooms where id = tests.room_id('lounge') $$,
  $$ select created_at from named where name = '3' $$, 'with its time'
);
select public.delete_message(pg_temp.id('3'));
select is(pg_temp.last(), '1', 'over what was deleted before');
select public.undo_delete_message(pg_temp.id('2'));
select is(pg_temp.last(), '2', 'and forth with what comes back');
select public.undo_delete_message(pg_temp.id('4'));
select public.undo_delete_message(pg_temp.id('3'));
select is(pg_temp.last(), '4', 'but not past what is newer');
select public.delete_messages(array(select id from named));
select is(pg_temp.last(), null, 'without any message there is none');
select is(
  (select last_message_at from public.chat_rooms where id = tests.room_id('lounge')), null, 'and no time of one'
);
select public.undo_delete_message(pg_temp.id('1'));
select is(pg_temp.last(), '1', 'until one comes back');
select results_eq(
  $$ select updated_at from public.chat_rooms where id = tests.room_id('lounge') $$, 'select updated_at from listed',
  'the room keeps its place in the list'
);

select * from finish();
rollback;
