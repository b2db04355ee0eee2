-- What the push function is given, and what it may take away.
begin;
select plan(24);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col']) as name;
select tests.create_key('ana', 'key');
select tests.create_room('lounge', members => array['ana', 'ben', 'col']);
select tests.create_room('cellar', members => array['ana', 'ben']);
insert into public.user_devices (id, user_id, target, platform) values
('00000000-0000-7000-8000-000000000001', tests.user_id('ben'), 'ben''s phone', 'ios'),
('00000000-0000-7000-8000-000000000002', tests.user_id('col'), 'col''s browser', 'web'),
('00000000-0000-7000-8000-000000000003', tests.user_id('col'), 'col''s phone', 'ios');
insert into public.notification_preferences (user_id, show_preview) values (tests.user_id('col'), false);

create function pg_temp.jobs(p_left jsonb default '{}') returns jsonb language sql as $$
  select jsonb_agg(jsonb_build_object('job_id', seq, 'message_id', id) || p_left)
  from public.chat_messages
  where room_id = tests.room_id('lounge')
$$;
create function pg_temp.answer(p_limit int default 100, p_left jsonb default '{}') returns jsonb language sql as $$
  select public.push_deliveries(pg_temp.jobs(p_left), p_limit)
$$;
create function pg_temp.message() returns jsonb language sql as $$
  select pg_temp.answer() #> '{deliveries,0,message}'
$$;
-- The devices of each job, and whether there are more.
create function pg_temp.parts(p_limit int, p_left jsonb default '{}')
returns table (job_id bigint, targets text[], has_more boolean) language sql as $$
  select
    (delivery ->> 'job_id')::bigint,
    array(select device ->> 'target' from jsonb_array_elements(delivery -> 'devices') as device),
    (delivery ->> 'has_more')::boolean
  from jsonb_array_elements(pg_temp.answer(p_limit, p_left) -> 'deliveries') as delivery
$$;

select tests.sign_in('ana');
select public.send_message(tests.room_id('cellar'), 'one');
select public.send_message(tests.room_id('lounge'), repeat('hello ', 50));
select tests.as_owner();
select is(pg_temp.message() ->> 'room_name', 'lounge', 'staff.push: it says which group');
select is(pg_temp.message() ->> 'sender_name', 'Ana', 'and who wrote');
select is(char_length(pg_temp.message() ->> 'preview'), 200, 'and the beginning of what');
select set_eq(
  $$ select device ->> 'target', (device ->> 'show_preview')::boolean
     from jsonb_array_elements(pg_temp.answer() #> '{deliveries,0,devices}') as device $$,
  $$ values ('ben''s phone', true), ('col''s browser', false), ('col''s phone', false) $$,
  'for each device whether the text may be seen there'
);
select is(
  pg_temp.answer() -> 'badges',
  jsonb_build_object(tests.user_id('ben'), 2, tests.user_id('col'), 1),
  'and each person''s badge: all that one has not read'
);

-- In parts
select tests.sign_in('ana');
select public.send_message(
  tests.room_id('lounge'), p_encrypted_content => tests.envelope('x'), p_encryption_key_id => 'key'
);
select tests.as_owner();
select is(pg_temp.answer() #> '{deliveries,1,message,preview}', 'null', 'mobile.encrypted: an encrypted message has no preview');
select results_eq(
  'select * from pg_temp.parts(6)',
  $$ values
    (1::bigint, array['ben''s phone', 'col''s browser', 'col''s phone'], false),
    (2, array['ben''s phone', 'col''s browser', 'col''s phone'], false) $$,
  'as many devices as there are, when that is allowed'
);
select results_eq(
  'select * from pg_temp.parts(5)',
  $$ values
    (1::bigint, array['ben''s phone', 'col''s browser', 'col''s phone'], false),
    (2, array['ben''s phone', 'col''s browser'], true) $$,
  'a job that is too large for the rest is given in part'
);
select results_eq(
  'select * from pg_temp.parts(3)',
  $$ values (1::bigint, array['ben''s phone', 'col''s browser', 'col''s phone'], false), (2, '{}', true) $$,
  'or waits'
);
select results_eq(
  $$ select * from pg_temp.parts(6, '{"after": "00000000-0000-7000-8000-000000000001"}') $$,
  $$ values (1::bigint, array['col''s browser', 'col''s phone'], false), (2, array['col''s browser', 'col''s phone'], false) $$,
  'it goes on after the device where it stopped'
);
select results_eq(
  $$ select * from pg_temp.parts(6, '{"device_ids": ["00000000-0000-7000-8000-000000000003"], "after": null}') $$,
  $$ values (1::bigint, array['col''s phone'], false), (2, array['col''s phone'], false) $$,
  'or is for some devices alone'
);
select is(
  pg_temp.answer(1) -> 'badges', jsonb_build_object(tests.user_id('ben'), 3), 'the badges are of those who are told alone'
);
select tests.refuses('select pg_temp.answer(0)', 'limit_out_of_range', 'for one device at least');
select tests.refuses('select pg_temp.answer(1001)', 'limit_out_of_range', 'and a thousand at most');

-- Nobody
select tests.sign_in('ana');
select public.delete_message((select id from public.chat_messages where room_id = tests.room_id('lounge') and seq = 1));
select tests.as_owner();
select results_eq('select targets from pg_temp.parts(6) where job_id = 1', $$ values ('{}'::text[]) $$, 'a deleted one is pushed to nobody');
select is(
  public.push_deliveries('[]', 1), '{"deliveries": [], "badges": {}}', 'no jobs, no deliveries'
);
select is(
  public.push_deliveries(jsonb_build_array(jsonb_build_object('job_id', 1, 'message_id', gen_random_uuid())), 1) -> 'deliveries',
  '[{"job_id": 1, "message": null, "devices": [], "has_more": false}]', 'nor for a message that is not there'
);

select public.drop_devices(array(select id from public.user_devices where target = 'ben''s phone'), now() - interval '1 second');
select is((select count(*) from public.user_devices), 3::bigint, 'a device that registered since then stays');
select public.drop_devices(
  array(select id from public.user_devices where target = 'ben''s phone'), now() + interval '1 second'
);
select set_eq(
  $$ select target from public.user_devices $$, array['col''s browser', 'col''s phone'], 'one that is gone is taken off'
);

select tests.sign_in('ana');
select throws_ok($$ select public.push_deliveries('[]', 1) $$, '42501', null, 'members see nobody''s devices');
select throws_ok($$ select public.drop_devices('{}', now()) $$, '42501', null, 'and take none off this way');
set local role service_role;
select is(public.push_deliveries('[]', 1) -> 'deliveries', '[]', 'the service may');
select is(public.drop_devices('{}', now())::text, '', 'that too');

-- Slow rooms
reset role;
create or replace function private.push_recipients(p_message_id uuid)
returns table (user_id uuid, device_id uuid, target text, is_mention boolean, show_preview boolean)
language plpgsql as $$
begin
  perform pg_sleep(3.1);
end;
$$;
select results_eq(
  'select job_id, has_more from pg_temp.parts(6)', $$ values (1::bigint, false), (2, true) $$,
  'what has taken too long lets the others wait for another call'
);

select * from finish();
rollback;
