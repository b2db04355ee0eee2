begin;
select plan(13);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_room(title, members => array['ana', 'ben']) from unnest(array['lounge', 'bar']) as title;
update private.limits set value = 1000 where name = 'messages_per_minute';
select tests.sign_in('ben');
insert into public.chat_messages (room_id, content) values (tests.room_id('bar'), 'ben''s');
select tests.sign_in('ana');
insert into public.chat_messages (room_id, content) select tests.room_id('lounge'), n::text from generate_series(1, 100) as n;
insert into public.chat_messages (room_id, content) values (tests.room_id('bar'), 'one'), (tests.room_id('bar'), 'two');
create temporary table named as select content as name, id from public.chat_messages;
grant select on named to authenticated;
create function pg_temp.id(p_name text) returns uuid language sql as $$ select id from named where name = p_name $$;

select tests.refuses(
  $$ select public.delete_messages(array[pg_temp.id('1'), pg_temp.id('ben''s')]) $$, 'not_the_author', 'hotel.bulk: one that may not'
);
select tests.refuses(
  $$ select public.delete_messages(array[pg_temp.id('1'), gen_random_uuid()]) $$, 'message_not_found', 'or is not there'
);
select tests.refuses(
  $$ select public.delete_messages(array[pg_temp.id('1'), null]) $$, 'message_not_found', 'or is nothing'
);
select is((select count(*) from public.chat_messages where is_deleted), 0::bigint, 'and none is deleted');
select tests.refuses($$ select public.delete_messages('{}') $$, 'message_count_out_of_range', 'at least one');
select tests.refuses($$ select public.delete_messages(null) $$, 'message_count_out_of_range', 'null is none');
select tests.refuses(
  $$ select public.delete_messages(array(select gen_random_uuid() from generate_series(1, 101))) $$,
  'message_count_out_of_range', 'at most 100'
);
select tests.refuses(
  $$ select public.delete_messages(array[pg_temp.id('1')], repeat('x', 501)) $$, 'reason_too_long', 'for a short reason'
);

select is(
  public.delete_messages(array[pg_temp.id('two'), pg_temp.id('1'), pg_temp.id('one')], 'tidying'),
  jsonb_build_object('deleted_message_ids', array[pg_temp.id('two'), pg_temp.id('1'), pg_temp.id('one')]),
  'of several rooms, in any order'
);
select results_eq(
  $$ select change_seq from public.chat_messages where is_deleted and room_id = tests.room_id('bar') order by change_seq $$,
  array[1, 2]::bigint[], 'each is a change of its own'
);
select is(
  (select count(*) from public.chat_messages where is_deleted), 3::bigint, 'and no other'
);
select tests.refuses(
  $$ select public.delete_messages(array[pg_temp.id('2'), pg_temp.id('1')]) $$, 'message_deleted', 'none that is deleted already'
);
select lives_ok(
  $$ select public.delete_messages(array(select id from named where name ~ '^\d+$' and name <> '1') || pg_temp.id('2')) $$,
  'an id that comes twice is deleted once'
);

select * from finish();
rollback;
