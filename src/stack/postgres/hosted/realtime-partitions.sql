-- A partition of realtime.messages for each UTC day from yesterday to three days ahead; those older than three days go.
-- Run once in a new database, and daily by the realtime service.

do $$
declare
  today date := (now() at time zone 'UTC')::date;
  day date;
  name text;
begin
  -- Two services on one database must not both find a day missing.
  perform pg_advisory_xact_lock(hashtext('realtime.messages'));

  for day in select generate_series(today - 1, today + 3, '1 day')::date loop
    name := to_char(day, '"messages_"YYYY_MM_DD');
    continue when to_regclass(format('realtime.%I', name)) is not null;
    execute format(
      'create table realtime.%I partition of realtime.messages for values from (%L) to (%L)', name, day, day + 1
    );
  end loop;

  for name in
    select c.relname
    from pg_inherits as i
    join pg_class as c on c.oid = i.inhrelid
    where i.inhparent = 'realtime.messages'::regclass
      and c.relname ~ '^messages_\d{4}_\d\d_\d\d$'
      and to_date(right(c.relname, 10), 'YYYY_MM_DD') < today - 3
  loop
    execute format('drop table realtime.%I', name);
  end loop;
end;
$$;
