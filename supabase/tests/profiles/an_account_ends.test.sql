begin;
select plan(7);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
create function pg_temp.left_of_ana() returns bigint language sql security definer as $$
  select (select count(*) from public.user_presence) + (select count(*) from public.user_blocks)
    + (select count(*) from public.user_devices) + (select count(*) from public.notification_preferences)
$$;

select tests.sign_in('ben');
select public.heartbeat();
select public.mark_offline();
select tests.sign_in('ana');
select public.heartbeat(p_room_id => tests.room_id('lounge'));
select public.block_user(tests.user_id('ben'));
select public.register_device('phone', 'ios');
insert into public.notification_preferences (push_enabled) values (false);
select set_config('tests.ana', tests.user_id('ana')::text, true);

select tests.as_owner();
select is(pg_temp.left_of_ana(), 5::bigint, 'both have been here, and she keeps a block, a device and her wishes');
select lives_ok($$ delete from auth.users where id = tests.user_id('ana') $$, 'an account with all of it ends');
select is(pg_temp.left_of_ana(), 1::bigint, 'nothing of it stays but what is another''s');

select tests.present(json_build_object('sub', current_setting('tests.ana'), 'role', 'authenticated')::text);
select tests.refuses($$ select public.heartbeat() $$, 'user_not_found', 'her token lives on, and is online for nobody');
select tests.refuses($$ select public.register_device('phone', 'ios') $$, 'user_not_found', 'registers no device');
select tests.sign_in('ben');
select tests.refuses(
  format('select public.block_user(%L)', current_setting('tests.ana')), 'user_not_found', 'nobody blocks who is gone'
);
select lives_ok($$ select public.register_device('phone', 'ios') $$, 'her telephone may be another''s now');

select * from finish();
rollback;
