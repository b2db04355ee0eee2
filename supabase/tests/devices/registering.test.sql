begin;
select plan(23);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select set_config('tests.devices_per_user', (select value::text from private.limits where name = 'devices_per_user'), true);

create function pg_temp.devices() returns setof text language sql security definer as $$
  select concat_ws(' ', username, target, platform, kind) from public.user_devices join public.profiles as p on p.id = user_id
$$;
grant execute on function pg_temp.devices() to authenticated;

select tests.sign_in('ana');
select public.register_device('phone', 'ios');
select public.register_device('browser', 'web', 'fcm');
select set_eq(
  $$ select pg_temp.devices() $$, array['ana phone ios fcm', 'ana browser web fcm'], 'staff.push: somebody has several devices'
);
select public.register_device('phone', 'android');
select set_eq(
  $$ select pg_temp.devices() $$, array['ana phone android fcm', 'ana browser web fcm'], 'registered again, it is the same device'
);
select results_eq(
  $$ select target from public.user_devices order by 1 $$, array['browser', 'phone'], 'she sees her devices'
);

select tests.sign_in('ben');
select is_empty($$ select * from public.user_devices $$, 'nobody else does');
select lives_ok($$ select public.unregister_device('phone') $$, 'nor takes one off');
select is_empty($$ delete from public.user_devices returning 1 $$, 'in no way');
select public.register_device('phone', 'android');
select set_eq(
  $$ select pg_temp.devices() $$, array['ben phone android fcm', 'ana browser web fcm'], 'signed in by somebody else, it is that person''s'
);

select tests.sign_in('ana');
select public.unregister_device('phone');
select public.unregister_device('browser');
select set_eq($$ select pg_temp.devices() $$, array['ben phone android fcm'], 'one takes off one''s own only');
select lives_ok($$ select public.unregister_device('browser') $$, 'twice is as well');
select public.register_device('tablet', 'ios');
select isnt_empty($$ delete from public.user_devices where target = 'tablet' returning 1 $$, 'by the table too');

select throws_ok(
  $$ insert into public.user_devices (user_id, target, platform) values (tests.user_id('ana'), 'x', 'web') $$,
  '42501', null, 'where nobody writes: a target may be another''s'
);
select throws_ok(
  $$ update public.user_devices set target = 'phone' $$, '42501', null, 'nor changes it'
);

select tests.refuses($$ select public.register_device('', 'web') $$, 'push_target_invalid', 'a device has a target');
select tests.refuses($$ select public.register_device(null, 'web') $$, 'push_target_invalid', 'that is one');
select lives_ok($$ select public.register_device(repeat('x', 2000), 'web') $$, 'of 2,000 bytes at most');
select tests.refuses($$ select public.register_device(repeat('x', 2001), 'web') $$, 'push_target_invalid', 'not more');
select tests.refuses($$ select public.register_device('x', 'symbian') $$, 'unknown_platform', 'of a platform we know');
select tests.refuses($$ select public.register_device('x', 'web', 'pigeon') $$, 'unknown_device_kind', 'by a service we know');

select tests.as_owner();
update public.user_devices set registered_at = now() - interval '1 day' where target like 'xxx%';
select tests.sign_in('ana');
select public.register_device('device ' || n, 'web') from generate_series(1, current_setting('tests.devices_per_user')::int) as n;
select is(
  (select count(*)::text from public.user_devices), current_setting('tests.devices_per_user'), 'there are so many at most'
);
select is_empty($$ select from public.user_devices where target like 'xxx%' $$, 'and the oldest goes');

select tests.present('{"sub": "00000000-0000-4000-8000-000000000009", "role": "authenticated"}');
select tests.refuses($$ select public.register_device('x', 'web') $$, 'user_not_found', 'an account that is gone has none');
select tests.present('{"role": "authenticated"}');
select tests.refuses($$ select public.register_device('x', 'web') $$, 'not_signed_in', 'nor has nobody');
select tests.refuses($$ select public.unregister_device('x') $$, 'not_signed_in', 'who takes none off');

select * from finish();
rollback;
