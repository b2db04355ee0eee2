-- Jobs that are done in part: what is left of them is done alone.
begin;
select plan(11);

select pgmq.send('push', '{"message_id": 1}');
select pgmq.send('push', '{"message_id": 2}');
create temporary table jobs as
select (job ->> 'job_id')::bigint as id, job from jsonb_array_elements(public.read_jobs('push', 2)) as job;
create function pg_temp.job(p_message int) returns bigint language sql as $$
  select id from jobs where (job #>> '{job,message_id}')::int = p_message
$$;
create function pg_temp.queued(p_message int) returns jsonb language sql as $$
  select message from pgmq.q_push where msg_id = pg_temp.job(p_message)
$$;

select is(
  public.fail_job('push', pg_temp.job(1), 'One device of many.', '{"device_ids": ["a"]}') ->> 'state', 'waiting',
  'some of a job may have failed'
);
select is(pg_temp.queued(1), '{"message_id": 1, "device_ids": ["a"]}', 'it is that which is done again');
select public.fail_job('push', pg_temp.job(1), 'Again.');
select is(pg_temp.queued(1), '{"message_id": 1, "device_ids": ["a"]}', 'a later failure of all that is left changes nothing');

select public.continue_job('push', pg_temp.job(2), '{"device_ids": ["b"]}');
select is(pg_temp.queued(2), '{"message_id": 2, "device_ids": ["b"]}', 'of a job that is too much for one call the rest is kept');
select is(
  (public.read_jobs('push') #> '{0}') - 'enqueued_at',
  jsonb_build_object('job_id', pg_temp.job(2), 'attempt', 1, 'job', pg_temp.queued(2)),
  'it may be read at once, and its attempts begin anew'
);
select tests.refuses($$ select public.continue_job('push', 0, '{}') $$, 'job_not_found', 'no such job to go on with');
select tests.refuses($$ select public.continue_job('pull', 1, '{}') $$, 'queue_not_found', 'nor such a queue');

-- Finishing some asks for the next
select vault.create_secret('https://project.supabase.co/functions/v1', 'parley_functions_url');
select vault.create_secret('a secret', 'parley_job_secret');
update private.job_queues set kicked_at = '-infinity';
update pgmq.q_push set vt = clock_timestamp() + interval '1 minute';
delete from net.http_request_queue;
select is(public.finish_jobs('push', array[pg_temp.job(1)]), 1::bigint, 'one is finished');
select is_empty($$ select from net.http_request_queue $$, 'while there is none to be read nobody is called');
select pgmq.send('push', '{"message_id": 3}');
select public.finish_jobs('push', array[pg_temp.job(2)]);
select is((select count(*) from net.http_request_queue), 1::bigint, 'while there are some their function is');

select tests.create_user('ana');
select tests.sign_in('ana');
select throws_ok($$ select public.continue_job('push', 1, '{}') $$, '42501', null, 'members go on with no jobs');

select * from finish();
rollback;
