-- What the push function is given, and what it may take away.
begin;
select plan(14);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col']) as name;
select tests.create_key('ana', 'key');
select tests.create_room('lounge', members => array['ana', 'ben', 'col']);
insert into public.user_devices (user_id, target, platform) values
(tests.user_id('ben'), 'ben''s phone', 'ios'), (tests.user_id('col'), 'col''s browser', 'web');
insert into public.notification_preferences (user_id, show_preview) values (tests.user_id('col'), false);

create function pg_temp.deliveries() returns jsonb language sql as $$
  select public.push_deliveries(array(select id from public.chat_messages order by seq))
$$;

select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), repeat('hello ', 50));
select tests.as_owner();
select is(jsonb_array_length(pg_temp.deliveries()), 1, 'a message that two devices are to show is one delivery');
select is(pg_temp.deliveries() #>> '{0,room_name}', 'lounge', 'staff.push: it says which group');
select is(pg_temp.deliveries() #>> '{0,sender_name}', 'Ana', 'and who wrote');
select is(char_length(pg_temp.deliveries() #>> '{0,preview}'), 200, 'and the beginning of what');
select set_eq(
  $$ select device ->> 'target', (device ->> 'badge')::int, (device ->> 'show_preview')::boolean
     from jsonb_array_elements(pg_temp.deliveries() #> '{0,devices}') as device $$,
  $$ values ('ben''s phone', 1, true), ('col''s browser', 1, false) $$,
  'each device its badge, and whether the text may be seen there'
);

select tests.sign_in('ana');
select public.send_message(
  tests.room_id('lounge'), p_encrypted_content => tests.envelope('x'), p_encryption_key_id => 'key'
);
select tests.as_owner();
select is(pg_temp.deliveries() #> '{1,preview}', 'null', 'mobile.encrypted: an encrypted message has no preview');
select tests.sign_in('ana');
select public.delete_message((select id from public.chat_messages where seq = 1));
select tests.as_owner();
select is(jsonb_array_length(pg_temp.deliveries()), 1, 'a deleted one is pushed to nobody');
select is(public.push_deliveries('{}'), '[]', 'no messages, no deliveries');
select is(public.push_deliveries(array[gen_random_uuid()]), '[]', 'nor for one that is not there');

select public.drop_devices(array(select id from public.user_devices where target = 'ben''s phone'), now() - interval '1 second');
select is((select count(*) from public.user_devices), 2::bigint, 'a device that registered since then stays');
select public.drop_devices(
  array(select id from public.user_devices where target = 'ben''s phone'), now() + interval '1 second'
);
select results_eq($$ select target from public.user_devices $$, array['col''s browser'], 'one that is gone is taken off');

select tests.sign_in('ana');
select throws_ok($$ select public.push_deliveries('{}') $$, '42501', null, 'members see nobody''s devices');
select throws_ok($$ select public.drop_devices('{}', now()) $$, '42501', null, 'and take none off this way');
set local role service_role;
select is(public.push_deliveries('{}'), '[]', 'the service may');

select * from finish();
rollback;
