-- Growth: what somebody read on in one month, more than 90 days ago, is one range.
begin;
select plan(10);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col']) as name;
select tests.create_room(title, members => array['ana', 'ben', 'col']) from unnest(array['lounge', 'bar']) as title;
insert into public.chat_messages (room_id, sender_id, content)
select tests.room_id('lounge'), tests.user_id('ana'), n from generate_series(1, 12) as n;
insert into public.chat_messages (room_id, sender_id, content)
select tests.room_id('bar'), tests.user_id('ana'), n from generate_series(1, 12) as n;
update public.user_chat_preferences set last_read_seq = 12;

-- Noon of a day of the month that ended half a year ago.
create function pg_temp.day(p_day int, p_month int default 0) returns timestamptz language sql as $$
  select date_trunc('month', now() - interval '7 months', 'UTC') + make_interval(months => p_month, days => p_day - 1, hours => 12)
$$;
insert into public.read_ranges (room_id, user_id, from_seq, to_seq, read_at)
select tests.room_id(r.room), tests.user_id(r.reader), r.from_seq, r.to_seq, r.read_at
from (
  values
    ('lounge', 'ben', 1, 2, pg_temp.day(3)), ('lounge', 'ben', 3, 3, pg_temp.day(4)), ('lounge', 'ben', 4, 5, pg_temp.day(20)),
    -- 6 was cleared, and never read.
    ('lounge', 'ben', 7, 7, pg_temp.day(21)), ('lounge', 'ben', 8, 8, pg_temp.day(22)),
    ('lounge', 'ben', 9, 9, pg_temp.day(1, 1)), ('lounge', 'ben', 10, 10, pg_temp.day(2, 1)),
    ('lounge', 'ben', 11, 11, now() - interval '89 days'), ('lounge', 'ben', 12, 12, now() - interval '88 days'),
    ('lounge', 'col', 1, 1, pg_temp.day(5)), ('lounge', 'col', 2, 2, pg_temp.day(6)),
    ('bar', 'ben', 1, 1, pg_temp.day(5)), ('bar', 'ben', 2, 12, pg_temp.day(6))
) as r (room, reader, from_seq, to_seq, read_at);
-- Written an hour before it was read.
update public.chat_messages as m
set created_at = r.read_at - interval '1 hour'
from public.read_ranges as r
where r.room_id = m.room_id and r.user_id = tests.user_id('ben') and m.seq between r.from_seq and r.to_seq;
create temporary table before as select * from public.message_reads;
create function pg_temp.ranges(p_room text, p_reader text) returns text language sql as $$
  select string_agg(from_seq || '-' || to_seq, ' ' order by from_seq)
  from public.read_ranges
  where room_id = tests.room_id(p_room) and user_id = tests.user_id(p_reader)
$$;

select cmp_ok(private.merge_read_ranges(1), '<', 3::bigint, 'a job merges so much at a time');
select cmp_ok(private.merge_read_ranges(), '>', 3::bigint, 'then the others');
select is(private.merge_read_ranges(), 0::bigint, 'and then none');
select is(pg_temp.ranges('lounge', 'ben'), '1-5 7-8 9-10 11-11 12-12', 'a month is one range, but for what was not read; what is younger stays');
select is(pg_temp.ranges('lounge', 'col'), '1-2', 'each reader''s for itself');
select is(pg_temp.ranges('bar', 'ben'), '1-12', 'and each room''s');

select set_eq(
  $$ select message_id, user_id from public.message_reads $$, $$ select message_id, user_id from before $$,
  'who has read what is what it was'
);
select is_empty(
  $$ select m.content, before.read_at, after.read_at
     from before
     join public.message_reads as after using (message_id, user_id)
     join public.chat_messages as m on m.id = message_id
     where after.read_at not between m.created_at and before.read_at and after.user_id = tests.user_id('ben')
       or date_trunc('month', after.read_at, 'UTC') <> date_trunc('month', before.read_at, 'UTC') $$,
  'at a time between its writing and its reading, in that month'
);
select is(
  (select count(*) from before join public.message_reads as after using (message_id, user_id, read_at)
   join public.chat_messages as m on m.id = message_id where m.seq in (11, 12) and after.user_id = tests.user_id('ben') and after.room_id = tests.room_id('lounge')),
  2::bigint, 'to the minute while it is younger'
);
select results_eq(
  $$ select schedule, command from cron.job where jobname = 'merge_read_ranges' $$,
  $$ values ('40 3 * * *', 'select private.merge_read_ranges()') $$, 'every night'
);

select * from finish();
rollback;
