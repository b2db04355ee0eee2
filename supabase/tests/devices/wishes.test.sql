begin;
select plan(21);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;

create function pg_temp.is_quiet(p_from time, p_until time, p_time_zone text, p_at timestamptz) returns boolean language sql as $$
  select private.is_quiet(row(null, true, true, true, p_from, p_until, p_time_zone)::public.notification_preferences, p_at)
$$;

select tests.sign_in('ana');
select results_eq(
  $$ insert into public.notification_preferences (quiet_from, quiet_until, time_zone)
     values ('22:00', '07:00', 'Europe/Madrid')
     returning push_enabled, mentions_break_mute, show_preview $$,
  $$ values (true, true, true) $$,
  'staff.unread: quiet hours, on one''s own clock'
);
select lives_ok(
  $$ insert into public.notification_preferences (user_id, show_preview) values (tests.user_id('ana'), false)
     on conflict (user_id) do update set user_id = excluded.user_id, show_preview = excluded.show_preview $$,
  'an upsert changes them'
);
select lives_ok(
  $$ update public.notification_preferences set quiet_from = null, quiet_until = null $$, 'no quiet hours any more'
);
select tests.refuses(
  $$ update public.notification_preferences set quiet_from = '22:00' $$, 'quiet_hours_invalid', 'a beginning needs an end'
);
select tests.refuses(
  $$ update public.notification_preferences set quiet_from = '22:00', quiet_until = '22:00' $$, 'quiet_hours_invalid', 'another one'
);
select tests.refuses(
  format('update public.notification_preferences set time_zone = %L', wrong), 'unknown_time_zone', format('no time zone %L', wrong)
)
from unnest(array['Europe/Atlantis', 'X5', '', null]) as wrong;

select tests.sign_in('ben');
select is_empty($$ select * from public.notification_preferences $$, 'nobody reads another''s');
select is_empty($$ update public.notification_preferences set push_enabled = false returning 1 $$, 'nor changes them');
select throws_ok(
  $$ insert into public.notification_preferences (user_id) values (tests.user_id('ana')) $$, '42501', null, 'nor makes them'
);
select is_empty($$ delete from public.notification_preferences returning 1 $$, 'nor takes them away');
select tests.sign_in('ana');
select isnt_empty($$ delete from public.notification_preferences returning 1 $$, 'one''s own one may');

select tests.as_owner();
select ok(pg_temp.is_quiet('22:00', '07:00', 'UTC', '2026-01-01 23:00Z'), 'quiet before midnight');
select ok(pg_temp.is_quiet('22:00', '07:00', 'UTC', '2026-01-01 06:59Z'), 'and after it');
select ok(not pg_temp.is_quiet('22:00', '07:00', 'UTC', '2026-01-01 07:00Z'), 'until the hour');
select ok(pg_temp.is_quiet('13:00', '15:00', 'UTC', '2026-01-01 13:00Z'), 'from the hour, by day');
select ok(not pg_temp.is_quiet('13:00', '15:00', 'UTC', '2026-01-01 23:00Z'), 'and not by night');
select ok(pg_temp.is_quiet('22:00', '07:00', 'Asia/Tokyo', '2026-01-01 14:00Z'), 'on the clock of that person');
select ok(not pg_temp.is_quiet('22:00', '07:00', 'Atlantis/Gone', '2026-01-01 23:00Z'), 'a zone that is gone stops nobody''s pushes');

select * from finish();
rollback;
