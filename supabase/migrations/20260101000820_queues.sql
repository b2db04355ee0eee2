-- Queues: what is to be done outside the database, each job written in the transaction that causes it.
--
-- Edge functions do the jobs, at least once: a job that is read stays in its queue, unseen for a while, until it is
-- finished. A clock calls a function when its queue has jobs, and so does the transaction that writes one.
--
-- They are called at the URL in the vault's secret `parley_functions_url` (`https://<project>.supabase.co/functions/v1`)
-- and show the secret `parley_job_secret` as the header `x-job-secret`. Without these two nobody is called, and jobs wait.

-- Tables
create table private.job_queues (
  name text primary key,
  function_name text not null,
  max_attempts bigint not null,
  -- Jobs that are too old are of no use to anybody: a push of yesterday.
  keep_for interval,
  kicked_at timestamptz not null default '-infinity',
  constraint max_attempts_is_positive check (max_attempts > 0)
)
with (fillfactor = 50);

insert into private.job_queues (name, function_name, max_attempts, keep_for)
values
  -- Some two hours.
  ('push', 'push-notifications', 12, '1 day'),
  -- Some forty minutes, and each night anew.
  ('media_cleanup', 'cloudinary-cleanup', 10, null);

select pgmq.create(name) from private.job_queues;

-- Functions: for the job functions alone
create function private.require_queue(p_queue text)
returns private.job_queues
language plpgsql stable security definer set search_path = ''
as $$
declare
  queue private.job_queues;
begin
  select * into queue from private.job_queues where name = p_queue;
  if queue.name is null then
    perform private.refuse('queue_not_found');
  end if;
  return queue;
end;
$$;

create function private.read_jobs(p_queue text, p_limit int, p_visibility_seconds int)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  queue private.job_queues := private.require_queue(p_queue);
  job record;
  jobs jsonb := '[]';
begin
  if (p_limit between 1 and 100 and p_visibility_seconds between 1 and 3600) is not true then
    perform private.refuse('limit_out_of_range');
  end if;

  for job in select * from pgmq.read(p_queue, p_visibility_seconds, p_limit) loop
    -- Whoever read it before died of it each time, without a word.
    if job.read_ct > queue.max_attempts then
      perform private.archive_job(p_queue, job.msg_id, 'Read as often as it may be, and never finished.');
    else
      jobs := jobs || jsonb_build_object(
        'job_id', job.msg_id, 'attempt', job.read_ct, 'enqueued_at', job.enqueued_at, 'job', job.message
      );
    end if;
  end loop;
  return jobs;
end;
$$;

create function private.finish_jobs(p_queue text, p_job_ids bigint[])
returns bigint
language plpgsql security definer set search_path = ''
as $$
declare
  finished bigint;
begin
  perform private.require_queue(p_queue);
  select count(*) into finished from pgmq.delete(p_queue, p_job_ids);
  -- One call does a hundred: whoever finishes some asks for the next, and the clock need not.
  if finished > 0 and private.has_visible_jobs(p_queue) then
    perform private.kick(p_queue);
  end if;
  return finished;
end;
$$;

-- The reason stands in the archive with the job.
create function private.archive_job(p_queue text, p_job_id bigint, p_reason text)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  execute format('update pgmq.%I set message = message || $2 where msg_id = $1', 'q_' || p_queue)
  using p_job_id, jsonb_build_object('failure', left(p_reason, 500));
  perform pgmq.archive(p_queue, p_job_id);
end;
$$;

-- 5, 10, 20 … seconds, an hour at most, and by chance up to half more or less: what failed together does not come
-- back together.
create function private.fail_job(p_queue text, p_job_id bigint, p_reason text, p_left jsonb)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  queue private.job_queues := private.require_queue(p_queue);
  attempts int;
  seconds int;
begin
  execute format('select read_ct from pgmq.%I where msg_id = $1 for update', 'q_' || p_queue) into attempts using p_job_id;
  if attempts is null then
    perform private.refuse('job_not_found');
  end if;
  if p_left is not null then
    execute format('update pgmq.%I set message = message || $2 where msg_id = $1', 'q_' || p_queue) using p_job_id, p_left;
  end if;
  if attempts >= queue.max_attempts then
    perform private.archive_job(p_queue, p_job_id, coalesce(p_reason, 'No reason was given.'));
    return jsonb_build_object('state', 'archived', 'retry_in_seconds', null);
  end if;

  seconds := ceil(least(5 * 2 ^ greatest(attempts - 1, 0), 3600) * (0.5 + random()));
  perform pgmq.set_vt(p_queue, p_job_id, seconds);
  return jsonb_build_object('state', 'waiting', 'retry_in_seconds', seconds);
end;
$$;

create function private.continue_job(p_queue text, p_job_id bigint, p_left jsonb)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  continued bigint;
begin
  perform private.require_queue(p_queue);
  execute format(
    'update pgmq.%I set message = message || $2, read_ct = 0, vt = clock_timestamp() where msg_id = $1 returning msg_id',
    'q_' || p_queue
  ) into continued using p_job_id, coalesce(p_left, '{}');
  if continued is null then
    perform private.refuse('job_not_found');
  end if;
  perform private.kick(p_queue);
end;
$$;

create function private.job_counts()
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  queue text;
  counts jsonb;
  answer jsonb := '{}';
begin
  for queue in select name from private.job_queues order by name loop
    execute format(
      'select jsonb_build_object(
         ''visible'', count(*) filter (where vt <= clock_timestamp()),
         ''waiting'', count(*) filter (where vt > clock_timestamp()),
         ''oldest_seconds'', floor(extract(epoch from clock_timestamp() - min(enqueued_at))),
         ''archived'', (select count(*) from pgmq.%I)
       )
       from pgmq.%I',
      'a_' || queue, 'q_' || queue
    ) into counts;
    answer := answer || jsonb_build_object(queue, counts);
  end loop;
  return answer;
end;
$$;

-- Of what Cloudinary has of this type, what is nobody's: its row is gone, or never was.
create function private.unknown_files(p_public_ids text[], p_resource_type text)
returns text[]
language plpgsql stable security definer set search_path = ''
as $$
begin
  return array(
    select public_id
    from unnest(p_public_ids) as stored (public_id)
    where not exists (
      select
      from public.media_assets as asset
      where asset.provider = 'cloudinary'
        and asset.public_id = stored.public_id
        and asset.resource_type = p_resource_type
        and asset.state <> 'gone'
    )
    order by public_id
  );
end;
$$;

-- A signature holds where a file goes, and not as which resource type: who uploads a picture may leave something else
-- beside it, under its public id, or upload it again once it is destroyed. Such files become files that nobody sends, and
-- go as those do. What no row names at all is left: others may use the same account. What is being uploaded has its row.
create function private.give_up_strays(p_public_ids text[], p_resource_type text)
returns bigint
language plpgsql security definer set search_path = ''
as $$
declare
  strays text[] := private.unknown_files(p_public_ids, p_resource_type);
  given_up bigint;
begin
  insert into public.media_assets (provider, public_id, resource_type, file_name, declared_mime_type, declared_size_bytes)
  select distinct on (public_id) provider, public_id, p_resource_type, file_name, declared_mime_type, declared_size_bytes
  from public.media_assets
  where provider = 'cloudinary' and public_id = any (strays)
  on conflict do nothing;

  update public.media_assets
  set state = 'delete_requested'
  where provider = 'cloudinary'
    and public_id = any (strays)
    and resource_type = p_resource_type
    and state in ('pending', 'gone');
  get diagnostics given_up = row_count;
  return given_up;
end;
$$;

create function public.read_jobs(p_queue text, p_limit int default 100, p_visibility_seconds int default 60)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.read_jobs(p_queue, p_limit, p_visibility_seconds);
end;
$$;

create function public.finish_jobs(p_queue text, p_job_ids bigint[])
returns bigint
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.finish_jobs(p_queue, p_job_ids);
end;
$$;

create function public.fail_job(p_queue text, p_job_id bigint, p_reason text, p_left jsonb default null)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.fail_job(p_queue, p_job_id, p_reason, p_left);
end;
$$;

create function public.continue_job(p_queue text, p_job_id bigint, p_left jsonb)
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  perform private.continue_job(p_queue, p_job_id, p_left);
end;
$$;

create function public.job_counts()
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.job_counts();
end;
$$;

create function public.unknown_files(p_public_ids text[], p_resource_type text)
returns text[]
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.unknown_files(p_public_ids, p_resource_type);
end;
$$;

create function public.give_up_strays(p_public_ids text[], p_resource_type text)
returns bigint
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.give_up_strays(p_public_ids, p_resource_type);
end;
$$;

-- Functions: calling the job functions
create function private.has_visible_jobs(p_queue text)
returns boolean
language plpgsql stable security definer set search_path = ''
as $$
declare
  is_there boolean;
begin
  execute format('select exists (select from pgmq.%I where vt <= clock_timestamp())', 'q_' || p_queue) into is_there;
  return is_there;
end;
$$;

-- pg_net sends the request after the commit. Whoever cannot be called keeps nobody from sending a message.
create function private.call_function(p_queue text)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  url text;
  secret text;
begin
  select decrypted_secret into url from vault.decrypted_secrets where name = 'parley_functions_url';
  select decrypted_secret into secret from vault.decrypted_secrets where name = 'parley_job_secret';
  if url is null or secret is null then
    return;
  end if;
  perform net.http_post(
    url := rtrim(url, '/') || '/' || (private.require_queue(p_queue)).function_name,
    body := jsonb_build_object('queue', p_queue),
    headers := jsonb_build_object('Content-Type', 'application/json', 'x-job-secret', secret),
    timeout_milliseconds := 150000
  );
exception
  when others then
    raise warning 'The function for queue % was not called: %', p_queue, sqlerrm;
end;
$$;

-- Called by whoever writes a job: once in two seconds, by one of those who write at the same moment, while none waits for
-- another. The clock finds what is written in between.
create function private.kick(p_queue text)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform
  from private.job_queues
  where name = p_queue and kicked_at < clock_timestamp() - interval '2 seconds'
  for no key update skip locked;
  if not found then
    return;
  end if;
  update private.job_queues set kicked_at = clock_timestamp() where name = p_queue;
  perform private.call_function(p_queue);
end;
$$;

-- Called by the clock.
create function private.kick_functions()
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.call_function(name) from private.job_queues where private.has_visible_jobs(name);
end;
$$;

-- Triggers
-- One job a message, whoever is to get it: whose devices show it is asked when it is pushed. What is written into the
-- queue's table is what pgmq.send writes, without its dynamic SQL, which costs more than the row.
create function private.queue_push()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into pgmq.q_push (vt, message) values (clock_timestamp(), jsonb_build_object('message_id', new.id));
  perform private.kick('push');
  return null;
end;
$$;

create trigger queue_push
after insert on public.chat_messages
for each row when (new.message_type <> 'system' and not new.is_deleted)
execute function private.queue_push();

-- Who was given a URL to upload to may use it for two hours, and nobody can take it back: what is destroyed before that
-- could come again, and nobody would know.
create function private.queue_cleanup()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  not_before timestamptz := case when old.state = 'pending' then new.created_at + interval '125 minutes' end;
begin
  perform private.send_cleanup(new, coalesce(ceil(extract(epoch from not_before - clock_timestamp()))::int, 0));
  perform private.kick('media_cleanup');
  return null;
end;
$$;

create trigger queue_cleanup
after update of state on public.media_assets
for each row when (new.state = 'delete_requested' and old.state <> 'delete_requested')
execute function private.queue_cleanup();

create function private.send_cleanup(p_asset public.media_assets, p_delay_seconds int)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform pgmq.send(
    'media_cleanup',
    jsonb_build_object(
      'asset_id', p_asset.id,
      'provider', p_asset.provider,
      'public_id', p_asset.public_id,
      'resource_type', p_asset.resource_type
    ),
    greatest(p_delay_seconds, 0)
  );
end;
$$;

-- Jobs
-- What nobody will look for any more. A file whose cleaning was given up is tried again, every day until it is gone.
create function private.purge_jobs()
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  queue private.job_queues;
begin
  for queue in select * from private.job_queues loop
    execute format('delete from pgmq.%I where archived_at < now() - interval ''30 days''', 'a_' || queue.name);
    if queue.keep_for is not null then
      execute format('delete from pgmq.%I where enqueued_at < now() - $1', 'q_' || queue.name) using queue.keep_for;
    end if;
  end loop;

  perform private.send_cleanup(asset, 0)
  from public.media_assets as asset
  where asset.state = 'delete_requested'
    and not exists (select from pgmq.q_media_cleanup where (message ->> 'asset_id')::uuid = asset.id);
  delete from public.media_assets where state = 'gone' and state_changed_at < now() - interval '30 days';

  delete from cron.job_run_details where end_time < now() - interval '1 day';
  delete from net._http_response where created < now() - interval '1 day';
end;
$$;

-- What the bucket has and no row names, or a row whose file is gone: it becomes a file that nobody sends, and goes as those
-- do, by Storage's API, since a row deleted in SQL leaves the bytes. The bucket is ours alone. What is being uploaded has its
-- row from before; a day is for whatever we have not thought of.
create function private.give_up_stray_objects()
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.media_assets (
    provider, public_id, resource_type, file_name, declared_mime_type, declared_size_bytes, created_at
  )
  select 'supabase', name, 'raw', right(name, 255), 'application/octet-stream', 0, created_at
  from storage.objects
  where bucket_id = 'chat-attachments'
    and created_at < now() - interval '1 day'
    and not exists (
      select from public.media_assets as asset where asset.provider = 'supabase' and asset.public_id = objects.name
    )
  -- The others tomorrow.
  limit 10000;

  update public.media_assets as asset
  set state = 'delete_requested'
  where asset.provider = 'supabase'
    and (asset.state = 'gone' or asset.state = 'pending' and asset.owner_id is null)
    and exists (
      select
      from storage.objects
      where bucket_id = 'chat-attachments' and name = asset.public_id and created_at < now() - interval '1 day'
    );
end;
$$;

-- What Cloudinary keeps, the cleaning function compares, page by page: `compare` says where it is.
create function private.compare_files()
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.give_up_stray_objects();
  if exists (select from public.media_assets where provider = 'cloudinary')
    and not exists (select from pgmq.q_media_cleanup where message ? 'compare')
  then
    perform pgmq.send('media_cleanup', '{"compare": "image:"}');
    perform private.kick('media_cleanup');
  end if;
end;
$$;

select cron.schedule('compare_files', '50 3 * * *', 'select private.compare_files()');
select cron.schedule('kick_functions', '10 seconds', 'select private.kick_functions()');
select cron.schedule('purge_jobs', '20 3 * * *', 'select private.purge_jobs()');

-- Policies
alter table private.job_queues enable row level security;

create policy "Nobody reads the queues past their functions"
on private.job_queues for select to authenticated
using (false);

-- Grants
grant execute on function private.read_jobs(text, int, int) to service_role;
grant execute on function private.finish_jobs(text, bigint[]) to service_role;
grant execute on function private.fail_job(text, bigint, text, jsonb) to service_role;
grant execute on function private.continue_job(text, bigint, jsonb) to service_role;
grant execute on function private.job_counts() to service_role;
grant execute on function private.unknown_files(text[], text) to service_role;
grant execute on function private.give_up_strays(text[], text) to service_role;
grant execute on function public.read_jobs(text, int, int) to service_role;
grant execute on function public.finish_jobs(text, bigint[]) to service_role;
grant execute on function public.fail_job(text, bigint, text, jsonb) to service_role;
grant execute on function public.continue_job(text, bigint, jsonb) to service_role;
grant execute on function public.job_counts() to service_role;
grant execute on function public.unknown_files(text[], text) to service_role;
grant execute on function public.give_up_strays(text[], text) to service_role;

-- Comments
comment on table private.job_queues is 'The queues, and the function that does the jobs of each.';
comment on column private.job_queues.max_attempts is 'After so many a job goes to the archive, with the reason.';
comment on column private.job_queues.kicked_at is 'When its function was last called by who wrote a job.';
comment on function public.read_jobs(text, int, int) is
'For job functions: 1 to 100 jobs [{job_id, attempt, enqueued_at, job}], which nobody else reads for so many seconds. push: {message_id}, and once some of it is done also device_ids, after and failed; media_cleanup: {asset_id, provider, public_id, resource_type}, and who has destroyed the file sets the state of media_assets to gone, or {compare}, the page of Cloudinary''s files to compare. Refusals: queue_not_found, limit_out_of_range.';
comment on function public.finish_jobs(text, bigint[]) is
'For job functions: these are done. Answers how many were there. Refusals: queue_not_found.';
comment on function public.fail_job(text, bigint, text, jsonb) is
'For job functions: this one failed, and is read again later, each time after twice as long; after the last attempt it goes to the archive with the reason. What is in `p_left` replaces the same of the job: only some of it failed. Answers {state: waiting or archived, retry_in_seconds}. Refusals: queue_not_found, job_not_found.';
comment on function public.continue_job(text, bigint, jsonb) is
'For job functions: some of this one is done, and the rest is a job of its own that may be read at once. What is in `p_left` replaces the same of the job. Refusals: queue_not_found, job_not_found.';
comment on function public.job_counts() is
'For job functions and whoever looks after them: {queue: {visible, waiting, oldest_seconds, archived}}.';
comment on function public.unknown_files(text[], text) is
'For the cleaning function: those of these public ids at Cloudinary that no file of this resource type has, in their order. A file that is gone has none.';
comment on function public.give_up_strays(text[], text) is
'For the cleaning function: of these public ids at Cloudinary those that no file of this resource type has, but one of another type, or one that is gone: they are to be destroyed. Answers how many.';
