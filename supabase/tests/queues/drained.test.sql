-- Reading, finishing and failing jobs, by the job functions alone.
begin;
select plan(35);

select tests.create_user('ana');
update private.job_queues set max_attempts = 3 where name = 'push';
select pgmq.send('push', jsonb_build_object('message_id', n)) from generate_series(1, 3) as n;

set local role service_role;
select is(
  public.job_counts() -> 'push', '{"visible": 3, "waiting": 0, "oldest_seconds": 0, "archived": 0}', 'jobs are counted'
);
create temporary table jobs as
select (job ->> 'job_id')::bigint as id, job from jsonb_array_elements(public.read_jobs('push', 2)) as job;
select results_eq(
  $$ select job -> 'job', job -> 'attempt' from jobs order by id $$,
  $$ values ('{"message_id": 1}'::jsonb, '1'::jsonb), ('{"message_id": 2}', '1') $$,
  'the oldest are read first, so many as asked for'
);
select is(
  public.read_jobs('push') #> '{0,job}', '{"message_id": 3}', 'nobody reads the same ones meanwhile'
);
select is(public.read_jobs('push'), '[]', 'then there are none');
select is(public.job_counts() #>> '{push,waiting}', '3', 'they are there still');
select is(public.finish_jobs('push', array(select id from jobs where job #>> '{job,message_id}' = '1')), 1::bigint, 'one is finished');
select is(
  public.finish_jobs('push', array(select id from jobs where job #>> '{job,message_id}' = '1')), 0::bigint, 'and no second time'
);
select is(public.finish_jobs('push', null), 0::bigint, 'no jobs, nothing finished');

-- Failing
create temporary table failing as select id from jobs where job #>> '{job,message_id}' = '2';
create temporary table answers as select public.fail_job('push', (select id from failing), 'FCM is down.') as answer;
select is((select answer ->> 'state' from answers), 'waiting', 'what failed waits');
select ok(
  (select (answer ->> 'retry_in_seconds')::int between 3 and 8 from answers), 'about five seconds after the first attempt'
);
reset role;
select ok(
  (select vt between clock_timestamp() + interval '1 second' and clock_timestamp() + interval '8 seconds'
   from pgmq.q_push where msg_id = (select id from failing)),
  'and is not read before'
);
grant all on failing, jobs to service_role;
update pgmq.q_push set vt = clock_timestamp() where msg_id = (select id from failing);
set local role service_role;
select is(public.read_jobs('push') #>> '{0,attempt}', '2', 'then it is read again');
select ok(
  (public.fail_job('push', (select id from failing), 'FCM is down.') ->> 'retry_in_seconds')::int between 5 and 15,
  'the second time it waits twice as long'
);
reset role;
update pgmq.q_push set vt = clock_timestamp() where msg_id = (select id from failing);
set local role service_role;
select public.read_jobs('push');
select is(
  public.fail_job('push', (select id from failing), 'FCM is down.'), '{"state": "archived", "retry_in_seconds": null}',
  'after the last attempt it is archived'
);
reset role;
select results_eq(
  $$ select message from pgmq.a_push $$, array['{"message_id": 2, "failure": "FCM is down."}'::jsonb], 'with the reason'
);
set local role service_role;
select is(public.job_counts() #>> '{push,archived}', '1', 'and counted there');
select tests.refuses(
  $$ select public.fail_job('push', (select id from failing), 'again') $$, 'job_not_found', 'what is archived fails no more'
);

-- Readers that die
reset role;
update pgmq.q_push set vt = clock_timestamp();
set local role service_role;
select is(public.read_jobs('push') #>> '{0,attempt}', '2', 'a job whose reader died is read again');
reset role;
update pgmq.q_push set vt = clock_timestamp(), read_ct = 3;
set local role service_role;
select is(public.read_jobs('push'), '[]', 'one of which each reader died is read no more');
reset role;
select results_eq(
  $$ select message ->> 'failure' from pgmq.a_push where message ->> 'message_id' = '3' $$,
  array['Read as often as it may be, and never finished.'], 'but archived'
);
select is_empty($$ select from pgmq.q_push $$, 'and nothing is left');

-- Bad input
set local role service_role;
select tests.refuses($$ select public.read_jobs('pull') $$, 'queue_not_found', 'no such queue to read');
select tests.refuses($$ select public.read_jobs(null) $$, 'queue_not_found', 'nor without a name');
select tests.refuses($$ select public.finish_jobs('pull', '{1}') $$, 'queue_not_found', 'nor to finish a job of');
select tests.refuses($$ select public.fail_job('q_push; --', 1, 'x') $$, 'queue_not_found', 'nor to fail a job of');
select tests.refuses($$ select public.read_jobs('push', 101) $$, 'limit_out_of_range', 'at most a hundred at once');
select tests.refuses($$ select public.read_jobs('push', 0) $$, 'limit_out_of_range', 'at least one');
select tests.refuses($$ select public.read_jobs('push', 1, 3601) $$, 'limit_out_of_range', 'for an hour at most');
select tests.refuses($$ select public.fail_job('push', null, 'x') $$, 'job_not_found', 'no job is none');

-- Growth
reset role;
update pgmq.a_push set archived_at = now() - interval '31 days' where message ->> 'message_id' = '2';
select pgmq.send('push', '{"message_id": 4}');
update pgmq.q_push set enqueued_at = now() - interval '25 hours';
select pgmq.send('push', '{"message_id": 5}');
insert into public.media_assets (provider, public_id, resource_type, file_name, declared_mime_type, declared_size_bytes)
values ('cloudinary', 'lost', 'raw', 'lost', 'text/plain', 1), ('cloudinary', 'gone', 'raw', 'gone', 'text/plain', 1);
update public.media_assets set state = 'delete_requested';
delete from pgmq.q_media_cleanup where message ->> 'public_id' = 'lost';
update public.media_assets set state = 'gone' where public_id = 'gone';
update public.media_assets set state_changed_at = now() - interval '31 days' where public_id = 'gone';
insert into cron.job_run_details (jobid, runid, username, end_time)
values (1, -1, current_user, now() - interval '25 hours'), (1, -2, current_user, now());
insert into net._http_response (id, created) values (-1, now() - interval '25 hours'), (-2, now());
select private.purge_jobs();
select results_eq(
  $$ select message -> 'message_id' from pgmq.a_push union all select message -> 'message_id' from pgmq.q_push $$,
  $$ values ('3'::jsonb), ('5') $$,
  'old archives go, and pushes that come too late'
);
select results_eq(
  $$ select message ->> 'public_id' from pgmq.q_media_cleanup order by 1 $$, array['gone', 'lost'],
  'a file whose cleaning was given up is tried again'
);
select results_eq($$ select public_id from public.media_assets $$, array['lost'], 'the rows of files long gone go');
select results_eq($$ select runid from cron.job_run_details where runid < 0 $$, array[-2::bigint], 'and what the clock wrote down');
select results_eq($$ select id from net._http_response where id < 0 $$, array[-2::bigint], 'and what its calls were answered');

select tests.sign_in('ana');
select throws_ok($$ select public.read_jobs('push') $$, '42501', 'permission denied for function read_jobs', 'no client reads jobs');

select * from finish();
rollback;
