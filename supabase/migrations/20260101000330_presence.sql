-- Presence: who is online. A heartbeat buys a lease; whoever stops beating is offline when it ends.

-- Tables
create table public.user_presence (
  user_id uuid primary key references public.profiles (id) on delete cascade,
  status text not null default 'offline',
  last_activity timestamptz not null default now(),
  online_until timestamptz not null default '-infinity',
  looking_at_room_id uuid,
  constraint status_is_online_or_offline check (status in ('online', 'offline'))
)
-- Written at every heartbeat, and so without an index on any time: that would make each of them touch the index.
with (fillfactor = 50);

-- Indexes
-- Finds the leases that ended without a look at the many who are offline. A heartbeat leaves it alone: it changes neither
-- column.
create index user_presence_online_idx on public.user_presence (user_id) where status = 'online';

-- Triggers
create function private.announce_status()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  blocked uuid[] := private.blocked_ids_of(new.user_id);
begin
  perform private.tell_user(
    listener.user_id,
    'user-status',
    jsonb_build_object('user_id', new.user_id, 'status', new.status, 'last_seen', new.last_activity)
  )
  from private.room_mate_ids(new.user_id) as mate (user_id)
  join public.user_presence as listener using (user_id)
  where listener.user_id <> new.user_id
    and listener.online_until > now()
    and listener.user_id <> all (blocked);
  return null;
end;
$$;

create trigger announce_first_status
after insert on public.user_presence
for each row when (new.status = 'online')
execute function private.announce_status();

create trigger announce_status
after update of status on public.user_presence
for each row when (old.status <> new.status)
execute function private.announce_status();

-- Functions
create function private.heartbeat(p_lease_seconds int, p_room_id uuid)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  lease_end timestamptz := now() + make_interval(secs => p_lease_seconds);
  room_id uuid := case when private.is_room_member(p_room_id, me) then p_room_id end;
  mine public.user_presence;
begin
  if p_lease_seconds is null or p_lease_seconds not between 35 and 300 then
    perform private.refuse('lease_out_of_range');
  end if;

  select * into mine from public.user_presence where user_id = me;
  -- Written every 10 seconds at most, while it would say the same: however fast a client beats, it costs a look.
  if mine.status = 'online'
    and mine.last_activity > now() - interval '10 seconds'
    and mine.online_until > lease_end - interval '10 seconds'
    and mine.looking_at_room_id is not distinct from room_id
  then
    return jsonb_build_object('status', mine.status, 'last_activity', mine.last_activity);
  end if;

  insert into public.user_presence as presence (user_id, status, last_activity, online_until, looking_at_room_id)
  select id, 'online', now(), lease_end, room_id from public.profiles where id = me
  on conflict (user_id) do update
  set status = 'online',
    last_activity = now(),
    -- The longer lease stays: a browser's of minutes is not cut short by a telephone's of seconds.
    online_until = greatest(presence.online_until, excluded.online_until),
    looking_at_room_id = excluded.looking_at_room_id
  returning * into mine;

  -- The token outlives its account.
  if mine.user_id is null then
    perform private.refuse('user_not_found');
  end if;
  return jsonb_build_object('status', mine.status, 'last_activity', mine.last_activity);
end;
$$;

create function public.heartbeat(p_lease_seconds int default 35, p_room_id uuid default null)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.heartbeat(p_lease_seconds, p_room_id);
end;
$$;

create function private.mark_offline()
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
begin
  update public.user_presence
  set status = 'offline', online_until = '-infinity', looking_at_room_id = null
  where user_id = me and online_until > '-infinity';
  return jsonb_build_object('status', 'offline');
end;
$$;

create function public.mark_offline()
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.mark_offline();
end;
$$;

-- Notices leases that ended, and tells of each. A lease that somebody renews at this moment is left to them.
create function private.end_leases()
returns void
language plpgsql set search_path = ''
as $$
begin
  update public.user_presence
  set status = 'offline', looking_at_room_id = null
  where user_id in (
    select user_id
    from public.user_presence
    where status = 'online' and online_until <= now()
    for no key update skip locked
  );
end;
$$;

-- Whom the caller may see online: the people one may know of, without those behind a block of either side. One array, so
-- that a policy finds their few rows by index.
create function private.my_unblocked_contact_ids()
returns uuid[]
language plpgsql stable security definer set search_path = ''
as $$
declare
  blocked uuid[] := private.blocked_ids_of(private.my_id());
begin
  return array(
    select contact_id
    from private.my_contact_ids() as contact (contact_id)
    where contact_id <> all (blocked)
  );
end;
$$;

create function private.online_users()
returns uuid[]
language plpgsql stable security definer set search_path = ''
as $$
declare
  contact_ids uuid[] := private.my_unblocked_contact_ids();
begin
  perform private.require_me();
  return array(
    select user_id
    from public.user_presence
    where user_id = any (contact_ids)
      and last_activity > now() - interval '5 minutes'
      -- A lease that ended minutes ago still counts as active; saying "offline" leaves none.
      and online_until > '-infinity'
  );
end;
$$;

create function public.online_users()
returns uuid[]
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.online_users();
end;
$$;

-- Jobs
select cron.schedule('end-leases', '10 seconds', 'select private.end_leases()');

-- Policies
alter table public.user_presence enable row level security;

create policy "Users see the presence of people they may know of"
on public.user_presence for select to authenticated
using (user_id = any ((select private.my_unblocked_contact_ids())::uuid[]));

-- Grants
revoke all on public.user_presence from anon, authenticated;
-- Not the room that somebody is looking at: that is nobody else's business.
grant select (user_id, status, last_activity, online_until) on public.user_presence to authenticated;
grant execute on function private.my_unblocked_contact_ids() to authenticated;
grant execute on function private.heartbeat(int, uuid) to authenticated;
grant execute on function private.mark_offline() to authenticated;
grant execute on function private.online_users() to authenticated;
grant execute on function public.heartbeat(int, uuid) to authenticated;
grant execute on function public.mark_offline() to authenticated;
grant execute on function public.online_users() to authenticated;

-- Comments
comment on table public.user_presence is 'Who is online. Nobody has a row before the first heartbeat.';
comment on column public.user_presence.status is 'What was last announced. Online now is who has an online_until in the future.';
comment on column public.user_presence.last_activity is 'The last heartbeat, to 10 seconds.';
comment on column public.user_presence.online_until is 'When the lease ends; -infinity after mark_offline.';
comment on column public.user_presence.looking_at_room_id is 'The room on the screen of whoever beat last: no push is sent for what one is looking at.';
comment on function public.heartbeat(int, uuid) is
'Keeps the caller online for 35 to 300 seconds. Beat at connect, every 25 seconds, and with the id of the room on the screen when it opens, null when it closes; a room that one is not in counts as none. Answers {status, last_activity}. Refusals: not_signed_in, lease_out_of_range, user_not_found.';
comment on function public.mark_offline() is 'Ends the caller''s lease at once. Answers {status}. Refusals: not_signed_in.';
comment on function public.online_users() is
'The ids of those who were active in the last 5 minutes and did not say "offline": the caller, and the people one may know of. Refusals: not_signed_in.';
comment on function private.end_leases() is 'Run by pg_cron every 10 seconds.';
