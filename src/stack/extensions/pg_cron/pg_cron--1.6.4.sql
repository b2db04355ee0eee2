-- Stands in for pg_cron 1.6.4: same tables, functions, policies, messages and, as on hosted, grants. The jobs are run
-- by a scheduler outside the database, which asks `cron._parse_schedule` when.
\echo Use "create extension pg_cron" to load this file. \quit

create schema cron;

-- Tables

create sequence cron.jobid_seq;
create table cron.job (
  jobid bigint primary key default pg_catalog.nextval('cron.jobid_seq'),
  schedule text not null,
  command text not null,
  nodename text not null default 'localhost',
  nodeport integer not null default pg_catalog.inet_server_port(),
  database text not null default pg_catalog.current_database(),
  username text not null default current_user,
  active boolean not null default true,
  jobname text,
  constraint jobname_username_uniq unique (jobname, username)
);

create sequence cron.runid_seq;
create table cron.job_run_details (
  jobid bigint,
  runid bigint primary key default pg_catalog.nextval('cron.runid_seq'),
  job_pid integer,
  database text,
  username text,
  command text,
  status text,
  return_message text,
  start_time timestamptz,
  end_time timestamptz
);

-- Policies

alter table cron.job enable row level security;
create policy cron_job_policy on cron.job using (username = current_user);
alter table cron.job_run_details enable row level security;
create policy cron_job_run_details_policy on cron.job_run_details using (username = current_user);

-- Functions: schedules

-- The values that one field of a schedule names, or null when it is not written in cron's grammar: a list of `*`,
-- numbers, names and ranges, where `*` and ranges may have a step.
create function cron._parse_field(field text, low integer, high integer, names text[] default '{}')
returns integer[]
language plpgsql immutable strict set search_path = ''
as $$
declare
  part text;
  matched text[];
  first integer;
  last integer;
  step integer;
  result integer[] := '{}';
begin
  foreach part in array pg_catalog.string_to_array(pg_catalog.lower(field), ',') loop
    matched := pg_catalog.regexp_match(part, '^(?:(\*)|([a-z0-9]{1,9})(?:-([a-z0-9]{1,9}))?)(?:/(\d{1,9}))?$');
    -- A step needs something to step through: 1/20 is refused.
    if matched is null or (matched[4] is not null and matched[1] is null and matched[3] is null) then
      return null;
    end if;

    if matched[1] is not null then
      first := low;
      last := high;
    else
      first := cron._parse_value(matched[2], low, names);
      last := cron._parse_value(coalesce(matched[3], matched[2]), low, names);
    end if;
    step := coalesce(matched[4]::integer, 1);
    if first is null or last is null or step = 0 or first not between low and high or last not between low and high then
      return null;
    end if;
    result := result || array(select pg_catalog.generate_series(first, last, step));
  end loop;
  return result;
end;
$$;

create function cron._parse_value(value text, low integer, names text[])
returns integer
language sql immutable strict set search_path = ''
as $$
  select case
    when value = any (names) then pg_catalog.array_position(names, value) - 1 + low
    when value ~ '^\d+$' then value::integer
  end
$$;

-- What a schedule means, or no row when it is invalid. `every` is set for intervals in seconds, `on_start` for
-- @reboot; a day matches when day of month and day of week do, or, when both are restricted, either (`either_day`).
create function cron._parse_schedule(
  schedule text,
  out every integer,
  out on_start boolean,
  out minutes integer[],
  out hours integer[],
  out days integer[],
  out last_day boolean,
  out months integer[],
  out weekdays integer[],
  out either_day boolean
)
returns setof record
language plpgsql immutable set search_path = ''
as $$
declare
  fields text[];
begin
  if pg_catalog.length(schedule) >= 1000 then
    return;
  end if;

  every := (pg_catalog.regexp_match(schedule, '^\s*(\d{1,9})\s*seconds?\s*$', 'i'))[1]::integer;
  if every is not null then
    if every between 1 and 59 then
      return next;
    end if;
    return;
  end if;

  fields := pg_catalog.regexp_split_to_array(pg_catalog.ltrim(schedule, E' \t\n'), '[ \t\n]+');
  if fields[1] in ('@reboot', '@restart') then
    on_start := true;
    return next;
    return;
  end if;
  fields := case fields[1]
    when '@yearly' then '{0,0,1,1,*}'
    when '@annually' then '{0,0,1,1,*}'
    when '@monthly' then '{0,0,1,*,*}'
    when '@weekly' then '{0,0,*,*,0}'
    when '@daily' then '{0,0,*,*,*}'
    when '@midnight' then '{0,0,*,*,*}'
    when '@hourly' then '{0,*,*,*,*}'
    else fields
  end;

  last_day := fields[3] = '$';
  minutes := cron._parse_field(fields[1], 0, 59);
  hours := cron._parse_field(fields[2], 0, 23);
  days := case when last_day then '{}' else cron._parse_field(fields[3], 1, 31) end;
  months := cron._parse_field(fields[4], 1, 12, '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}');
  weekdays := cron._parse_field(fields[5], 0, 7, '{sun,mon,tue,wed,thu,fri,sat}');
  either_day := not (fields[3] like '*%' or fields[5] like '*%');
  if minutes is null or hours is null or days is null or months is null or weekdays is null then
    return;
  end if;
  -- Sunday is 0 and 7.
  weekdays := pg_catalog.array_replace(weekdays, 7, 0);
  return next;
end;
$$;

create function cron._check_schedule(schedule text)
returns void
language plpgsql immutable set search_path = ''
as $$
begin
  if not exists (select from cron._parse_schedule(schedule)) then
    raise exception 'invalid schedule: %', schedule using
      errcode = 'invalid_parameter_value',
      hint = 'Use cron format (e.g. 5 4 * * *), or interval format ''[1-59] seconds''';
  end if;
end;
$$;

-- Functions: what the public functions do. Nobody may write cron.job directly, so the writing runs as the owner; but it
-- must know who called, and inside a definer function `current_user` says only the owner. This view tells: inserting
-- into it is the call, and `caller` is a column that only its default may fill, with the inserting role's name.

create view cron._call as
select
  null::text as action,
  null::text as caller,
  null::bigint as jobid,
  null::text as jobname,
  null::text as schedule,
  null::text as command,
  null::text as database,
  null::text as username,
  null::boolean as active
where false;
alter view cron._call alter column caller set default current_user;

create function cron._answer_call()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  new.jobid := case new.action
    when 'schedule' then cron._insert_job(new)
    when 'alter' then cron._update_job(new)
    when 'unschedule' then cron._delete_job(new)
  end;
  return new;
end;
$$;

create function cron._is_superuser(role text)
returns boolean
language sql stable set search_path = ''
as $$
  select rolsuper from pg_catalog.pg_roles where rolname = role
$$;

create function cron._check_can_login(role text)
returns void
language plpgsql stable set search_path = ''
as $$
declare
  can_login boolean := (select rolcanlogin from pg_catalog.pg_roles where rolname = role);
begin
  if can_login is null then
    raise exception 'role "%" does not exist', role using errcode = 'internal_error';
  elsif not can_login then
    raise exception 'role "%" can not log in', role using
      errcode = 'internal_error', detail = 'Jobs may only be run by roles that have the LOGIN attribute.';
  end if;
end;
$$;

create function cron._check_can_connect(role text, database text)
returns void
language plpgsql stable set search_path = ''
as $$
begin
  if not pg_catalog.has_database_privilege(role, database, 'connect') then
    raise exception 'User % does not have CONNECT privilege on %', role, database using errcode = 'internal_error';
  end if;
end;
$$;

create function cron._insert_job(call cron._call)
returns bigint
language plpgsql set search_path = ''
as $$
declare
  result bigint;
begin
  perform cron._check_schedule(call.schedule);
  if call.username is not null then
    if not cron._is_superuser(call.caller) then
      raise exception 'must be superuser to create a job for another role' using errcode = 'internal_error';
    end if;
    perform cron._check_can_login(call.username);
  end if;
  call.username := coalesce(call.username, call.caller);
  -- A project's database is called postgres, as the setting cron.database_name says on hosted. A copy under another
  -- name plays its part: the scheduler of that copy runs these jobs there.
  call.database := coalesce(call.database, 'postgres');
  perform cron._check_can_connect(call.username, call.database);

  insert into cron.job (schedule, command, nodeport, database, username, active, jobname)
  values (
    call.schedule,
    call.command,
    pg_catalog.current_setting('port')::integer,
    call.database,
    call.username,
    coalesce(call.active, true),
    call.jobname
  )
  on conflict on constraint jobname_username_uniq do update
  set schedule = excluded.schedule, command = excluded.command, database = excluded.database
  returning jobid into result;
  return result;
end;
$$;

create function cron._update_job(call cron._call)
returns bigint
language plpgsql set search_path = ''
as $$
begin
  if call.username is not null then
    if not cron._is_superuser(call.caller) then
      raise exception 'must be superuser to alter username' using errcode = 'internal_error';
    end if;
    perform cron._check_can_login(call.username);
  end if;
  if call.database is not null then
    perform cron._check_can_connect(coalesce(call.username, call.caller), call.database);
  end if;
  if call.schedule is not null then
    perform cron._check_schedule(call.schedule);
  end if;
  if coalesce(call.schedule, call.command, call.database, call.username, call.active::text) is null then
    raise exception 'no updates specified' using
      errcode = 'internal_error',
      hint = 'You must specify at least one job attribute to change when calling alter_job';
  end if;

  update cron.job as j
  set
    schedule = coalesce(call.schedule, j.schedule),
    command = coalesce(call.command, j.command),
    database = coalesce(call.database, j.database),
    username = coalesce(call.username, j.username),
    active = coalesce(call.active, j.active)
  where j.jobid = call.jobid and (j.username = call.caller or cron._is_superuser(call.caller));
  if not found then
    raise exception 'Job % does not exist or you don''t own it', call.jobid using errcode = 'internal_error';
  end if;
  return call.jobid;
end;
$$;

-- By id, or by name among the caller's own.
create function cron._delete_job(call cron._call)
returns bigint
language plpgsql set search_path = ''
as $$
declare
  found_job cron.job;
begin
  select * into found_job
  from cron.job as j
  where j.jobid = call.jobid or (j.jobname = call.jobname and j.username = call.caller);
  if found_job is null then
    raise exception 'could not find valid entry for job %', coalesce(call.jobid::text, pg_catalog.quote_literal(call.jobname))
      using errcode = 'internal_error';
  end if;
  if found_job.username <> call.caller and not pg_catalog.has_table_privilege(call.caller, 'cron.job', 'delete') then
    raise exception 'permission denied for table job' using errcode = 'insufficient_privilege';
  end if;
  delete from cron.job where jobid = found_job.jobid;
  return found_job.jobid;
end;
$$;

create trigger answer_call
instead of insert on cron._call
for each row execute function cron._answer_call();

-- Functions: the public ones

create function cron.schedule(job_name text, schedule text, command text)
returns bigint
language plpgsql set search_path = ''
as $$
declare
  result bigint;
begin
  if job_name is null then
    raise exception 'job_name can not be NULL' using errcode = 'internal_error';
  end if;
  perform cron._check_not_null(schedule, command);
  insert into cron._call (action, jobname, schedule, command)
  values ('schedule', job_name, schedule, command)
  returning jobid into result;
  return result;
end;
$$;
comment on function cron.schedule(text, text, text) is 'schedule a pg_cron job';

create function cron.schedule(schedule text, command text)
returns bigint
language plpgsql set search_path = ''
as $$
declare
  result bigint;
begin
  perform cron._check_not_null(schedule, command);
  insert into cron._call (action, schedule, command)
  values ('schedule', schedule, command)
  returning jobid into result;
  return result;
end;
$$;
comment on function cron.schedule(text, text) is 'schedule a pg_cron job';

create function cron.schedule_in_database(
  job_name text, schedule text, command text, database text, username text default null, active boolean default true
)
returns bigint
language plpgsql set search_path = ''
as $$
declare
  result bigint;
begin
  if job_name is null then
    raise exception 'job_name can not be NULL' using errcode = 'internal_error';
  end if;
  perform cron._check_not_null(schedule, command);
  insert into cron._call (action, jobname, schedule, command, database, username, active)
  values ('schedule', job_name, schedule, command, database, username, active)
  returning jobid into result;
  return result;
end;
$$;
comment on function cron.schedule_in_database(text, text, text, text, text, boolean) is 'schedule a pg_cron job';

create function cron.alter_job(
  job_id bigint,
  schedule text default null,
  command text default null,
  database text default null,
  username text default null,
  active boolean default null
)
returns void
language plpgsql set search_path = ''
as $$
begin
  if job_id is null then
    raise exception 'job_id can not be NULL' using errcode = 'internal_error';
  end if;
  insert into cron._call (action, jobid, schedule, command, database, username, active)
  values ('alter', job_id, schedule, command, database, username, active);
end;
$$;
comment on function cron.alter_job(bigint, text, text, text, text, boolean)
is 'Alter the job identified by job_id. Any option left as NULL will not be modified.';

create function cron.unschedule(job_id bigint)
returns boolean
language plpgsql strict set search_path = ''
as $$
begin
  insert into cron._call (action, jobid) values ('unschedule', job_id);
  return true;
end;
$$;
comment on function cron.unschedule(bigint) is 'unschedule a pg_cron job';

create function cron.unschedule(job_name text)
returns boolean
language plpgsql strict set search_path = ''
as $$
begin
  insert into cron._call (action, jobname) values ('unschedule', job_name);
  return true;
end;
$$;
comment on function cron.unschedule(text) is 'unschedule a pg_cron job';

create function cron._check_not_null(schedule text, command text)
returns void
language plpgsql immutable set search_path = ''
as $$
begin
  if schedule is null then
    raise exception 'schedule can not be NULL' using errcode = 'internal_error';
  elsif command is null then
    raise exception 'command can not be NULL' using errcode = 'internal_error';
  end if;
end;
$$;

-- Triggers

create function cron.job_cache_invalidate()
returns trigger
language plpgsql set search_path = ''
as $$
begin
  perform pg_catalog.pg_notify('pg_cron', '');
  return null;
end;
$$;
comment on function cron.job_cache_invalidate() is 'invalidate job cache';

create trigger cron_job_cache_invalidate
after insert or update or delete or truncate on cron.job
for each statement execute function cron.job_cache_invalidate();

-- Grants

grant select on cron.job, cron.job_run_details to public;
grant insert (action, jobid, jobname, schedule, command, database, username, active), select (jobid)
on cron._call to public;
-- The caller's name is theirs to use, not the callers' to make up.
revoke all on function cron._insert_job, cron._update_job, cron._delete_job, cron._answer_call from public;
revoke all on function cron.alter_job, cron.schedule_in_database from public;

grant usage on schema cron to postgres with grant option;
grant select on cron.job to postgres with grant option;
grant all on cron.job_run_details to postgres with grant option;
revoke trigger on cron.job_run_details from postgres;
grant execute on function
  cron.alter_job,
  cron.job_cache_invalidate,
  cron.schedule(text, text),
  cron.schedule(text, text, text),
  cron.schedule_in_database,
  cron.unschedule(bigint),
  cron.unschedule(text)
to postgres with grant option;

select pg_catalog.pg_extension_config_dump('cron.job', '');
select pg_catalog.pg_extension_config_dump('cron.jobid_seq', '');
select pg_catalog.pg_extension_config_dump('cron.job_run_details', '');
select pg_catalog.pg_extension_config_dump('cron.runid_seq', '');
