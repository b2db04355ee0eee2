-- However many a text names, and however many are in the room.
begin;
select plan(6);

select tests.create_user(name) from unnest(array['ana', 'zoe']) as name;
select tests.create_user('p' || n) from generate_series(1, 120) as n;
select tests.create_room('hall', members => array['ana', 'zoe'] || array(select 'p' || n from generate_series(1, 120) as n));

select tests.sign_in('ana');
create temporary table by_name as
select public.send_message(tests.room_id('hall'), string_agg('@p' || n, ' ')) -> 'message' as message from generate_series(1, 120) as n;
select is(jsonb_array_length(message -> 'mentions'), 100, 'a message mentions at most 100 by their names') from by_name;
create temporary table by_all as
select public.send_message(tests.room_id('hall'), '@all') -> 'message' as message;
grant select on by_all to authenticated;
select is(jsonb_array_length(message -> 'mentions'), 100, 'of all, 100 are named') from by_all;
select is(
  (select count(*) from public.message_mentions where message_id = (select (message ->> 'id')::uuid from by_all)),
  1::bigint, 'in one row'
);
select ok(
  not (public.get_messages(tests.room_id('hall'))::jsonb #> '{0,mentions}') @> to_jsonb(tests.user_id('ana')),
  'the sender is not among them'
);

select tests.sign_in('zoe');
select ok((public.get_messages(tests.room_id('hall'))::jsonb #> '{0,mentions}') @> to_jsonb(tests.user_id('zoe')), 'zoe finds herself among them');
select tests.sign_in('p120');
select ok((public.get_messages(tests.room_id('hall'))::jsonb #> '{0,mentions}') @> to_jsonb(tests.user_id('p120')), 'so does everybody');

select * from finish();
rollback;
