-- Limits: how much, and how often.

-- Tables
create table private.limits (
  name text primary key,
  value bigint not null,
  unit text not null,
  constraint name_is_a_machine_word check (name ~ '^[a-z]+(_[a-z]+)*$'),
  constraint value_is_not_negative check (value >= 0)
);

-- A bucket of tokens (the token bucket of RFC 2697's kind): an action takes one, time fills it up again. What a crash
-- loses here is only how busy somebody was, so the table is not logged.
create unlogged table private.rate_buckets (
  user_id uuid not null,
  action text not null,
  tokens double precision not null,
  filled_at timestamptz not null,
  primary key (user_id, action)
)
with (fillfactor = 50);

insert into private.limits (name, value, unit)
values
  ('archive_bytes', 209715200, 'bytes of all files in an archive'),
  ('archive_files', 200, 'files in an archive'),
  ('archives_per_minute', 10, 'archives made, the bucket holding as many'),
  ('attachment_bytes', 52428800, 'bytes of a file, where no organization allows less'),
  ('attachments_per_message', 10, 'files of a message, where no organization allows less'),
  ('calls_per_minute', 300, 'calls of the HTTP door and the other functions, the bucket holding as many'),
  ('devices_per_user', 20, 'devices'),
  ('direct_rooms_per_hour', 60, 'new chats started'),
  ('downloads_per_minute', 120, 'times of writing down what was downloaded'),
  ('forward_rooms', 10, 'rooms a forward'),
  ('group_rooms_per_hour', 60, 'groups made'),
  ('key_uploads_per_hour', 10, 'keys'),
  ('keys_per_user', 100, 'keys in use'),
  ('mentions_per_message', 100, 'people called by name'),
  ('members_per_call', 500, 'people added at once'),
  ('messages_per_bulk_delete', 100, 'messages'),
  ('messages_per_minute', 60, 'messages sent, the bucket holding as many'),
  ('messages_per_seen', 500, 'messages said to be seen at once'),
  ('organizations_per_hour', 10, 'organizations made'),
  ('reactions_per_message', 20, 'different emojis'),
  ('reactions_per_minute', 120, 'emojis added, the bucket holding as many'),
  ('reports_per_hour', 20, 'messages reported'),
  ('rooms_per_read', 500, 'rooms marked read at once'),
  ('search_results', 100, 'messages'),
  ('sync_messages_behind', 1000, 'messages or changes of a room, before it is fetched afresh'),
  ('undo_seconds', 30, 'seconds in which a delete can be undone, where no organization says how long'),
  ('unsent_bytes', 2147483648, 'bytes of files of one person that wait to be sent'),
  ('upload_checks_per_hour', 240, 'times of looking at what has arrived of uploads'),
  ('upload_hours', 24, 'hours in which an upload is to be sent'),
  ('uploads_per_minute', 30, 'times of announcing files'),
  ('user_searches_per_minute', 60, 'searches for people, the bucket holding as many');

-- Functions
create function private.limit_of(p_name text)
returns bigint
language plpgsql stable security definer set search_path = ''
as $$
declare
  found bigint;
begin
  select value into strict found from private.limits where name = p_name;
  return found;
end;
$$;

-- Takes a token, or several, from the caller's bucket of this action, which holds `p_size` and fills from empty in
-- `p_period`.
create function private.take_token(p_user_id uuid, p_action text, p_size bigint, p_period interval, p_tokens int default 1)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  left_over double precision;
begin
  insert into private.rate_buckets as bucket (user_id, action, tokens, filled_at)
  values (p_user_id, p_action, p_size - p_tokens, clock_timestamp())
  on conflict (user_id, action) do update
  set
    tokens = least(
      p_size,
      bucket.tokens + extract(epoch from clock_timestamp() - bucket.filled_at) / extract(epoch from p_period) * p_size
    ) - p_tokens,
    filled_at = clock_timestamp()
  returning tokens into left_over;

  if left_over < 0 then
    -- The refusal takes the token back with it.
    perform private.refuse_for(
      'too_many_requests', ceil(-left_over / greatest(p_size, 1) * extract(epoch from p_period))::int
    );
  end if;
end;
$$;

-- A retry that is only recognised once its token is taken gets it back.
create function private.return_token(p_user_id uuid, p_action text)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  update private.rate_buckets set tokens = tokens + 1 where user_id = p_user_id and action = p_action;
end;
$$;

-- Jobs
-- After a day each bucket is full, as one is that nobody has taken from. Those of accounts that have ended go like this.
create function private.purge_rate_buckets()
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  delete from private.rate_buckets
  where (user_id, action) in (
    select user_id, action
    from private.rate_buckets
    where filled_at < now() - interval '1 day'
    for update skip locked
  );
end;
$$;

select cron.schedule('purge_rate_buckets', '30 3 * * *', 'select private.purge_rate_buckets()');

-- Policies
alter table private.limits enable row level security;
alter table private.rate_buckets enable row level security;

create policy "Nobody reads the limits past private.limit_of"
on private.limits for select to authenticated
using (false);

create policy "Nobody reads how busy others are"
on private.rate_buckets for select to authenticated
using (false);

-- Comments
comment on table private.limits is 'Every limit that is a matter of taste. Change a value here; it counts from the next call.';
comment on table private.rate_buckets is 'How much everybody may still do of what is limited by the minute or hour.';
comment on function private.take_token(uuid, text, bigint, interval, int) is
'Refuses too_many_requests, with the seconds to wait as the error''s hint.';
