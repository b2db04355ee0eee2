-- Devices: where pushes go, and when somebody wants none.

-- Tables
create table public.user_devices (
  id uuid primary key default private.uuid_v7(),
  user_id uuid not null references public.profiles (id) on delete cascade,
  target text not null,
  platform text not null,
  kind text not null default 'fcm',
  registered_at timestamptz not null default now(),
  constraint user_devices_one_per_target unique (target),
  constraint target_is_1_to_2000_bytes check (octet_length(target) between 1 and 2000),
  constraint platform_is_known check (platform in ('android', 'ios', 'web')),
  constraint kind_is_known check (kind in ('fcm'))
);

create table public.notification_preferences (
  user_id uuid primary key default private.my_id() references public.profiles (id) on delete cascade,
  push_enabled boolean not null default true,
  mentions_break_mute boolean not null default true,
  show_preview boolean not null default true,
  quiet_from time,
  quiet_until time,
  time_zone text not null default 'UTC',
  constraint quiet_hours_have_two_ends check ((quiet_from is null) = (quiet_until is null) and quiet_from <> quiet_until)
);

-- Indexes
create index user_devices_user_idx on public.user_devices (user_id, registered_at);

-- Triggers
-- Says in our words what the constraints would say in SQL's, and knows the time zones.
create function private.check_notification_preferences()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if (new.quiet_from is null) <> (new.quiet_until is null) or new.quiet_from = new.quiet_until then
    perform private.refuse('quiet_hours_invalid');
  elsif not exists (select from pg_catalog.pg_timezone_names where name = new.time_zone) then
    perform private.refuse('unknown_time_zone');
  end if;
  return new;
end;
$$;

create trigger check_notification_preferences
before insert or update of quiet_from, quiet_until, time_zone on public.notification_preferences
for each row execute function private.check_notification_preferences();

-- Functions
create function private.register_device(p_target text, p_platform text, p_kind text)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
begin
  if coalesce(octet_length(p_target), 0) not between 1 and 2000 then
    perform private.refuse('push_target_invalid');
  elsif p_platform is null or p_platform not in ('android', 'ios', 'web') then
    perform private.refuse('unknown_platform');
  elsif p_kind is null or p_kind not in ('fcm') then
    perform private.refuse('unknown_device_kind');
  end if;

  -- An account's end takes its profile first, and its devices then.
  perform from public.profiles where id = me for key share;
  if not found then
    perform private.refuse('user_not_found');
  end if;

  -- A telephone that somebody else has signed in to is that person's: what was to come there for the last one must not.
  insert into public.user_devices (user_id, target, platform, kind)
  values (me, p_target, p_platform, p_kind)
  on conflict (target) do update
  set user_id = excluded.user_id, platform = excluded.platform, kind = excluded.kind, registered_at = now();

  delete from public.user_devices
  where id in (
    select id
    from public.user_devices
    where user_id = me
    order by registered_at desc, id desc
    offset private.limit_of('devices_per_user')
  );
end;
$$;

create function public.register_device(p_target text, p_platform text, p_kind text default 'fcm')
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  perform private.register_device(p_target, p_platform, p_kind);
end;
$$;

create function public.unregister_device(p_target text)
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  if private.my_id() is null then
    perform private.refuse('not_signed_in');
  end if;
  delete from public.user_devices where target = p_target and user_id = private.my_id();
end;
$$;

-- Whether this moment is in somebody's quiet hours, on that person's clock. They may go over midnight.
create function private.is_quiet(p_preferences public.notification_preferences, p_at timestamptz)
returns boolean
language plpgsql stable set search_path = ''
as $$
declare
  clock time;
begin
  if p_preferences.quiet_from is null then
    return false;
  end if;
  clock := (p_at at time zone p_preferences.time_zone)::time;
  if p_preferences.quiet_from < p_preferences.quiet_until then
    return clock >= p_preferences.quiet_from and clock < p_preferences.quiet_until;
  end if;
  return clock >= p_preferences.quiet_from or clock < p_preferences.quiet_until;
exception
  -- Time zones are abolished now and then: one person's must not keep the others from their pushes.
  when invalid_parameter_value then
    return false;
end;
$$;

-- The devices that are to show a message, as of now: whoever reads or mutes it meanwhile is left in peace.
create function private.push_recipients(p_message_id uuid)
returns table (
  user_id uuid,
  device_id uuid,
  target text,
  is_mention boolean,
  show_preview boolean
)
language plpgsql stable security definer set search_path = ''
as $$
declare
  message public.chat_messages;
  blocked uuid[];
begin
  select m.* into message
  from public.chat_messages as m
  join public.chat_rooms as r on r.id = m.room_id
  where m.id = p_message_id and not m.is_deleted and m.message_type <> 'system' and m.seq > r.floor_seq;
  blocked := private.blocked_ids_of(message.sender_id);

  return query
  select
    device.user_id,
    device.id,
    device.target,
    recipient.is_mention,
    recipient.show_preview
  from (
    select
      audience.user_id,
      mention.is_mention,
      coalesce(wishes.show_preview, true) and not message.is_encrypted as show_preview
    from private.room_audience(message.room_id) as audience (user_id)
    cross join lateral (
      select exists (
        select
        from public.message_mentions as m
        -- Without a person it calls everybody.
        where m.message_id = message.id and (m.user_id = audience.user_id or m.user_id is null)
      ) as is_mention
    ) as mention
    left join public.user_chat_preferences as mine on mine.room_id = message.room_id and mine.user_id = audience.user_id
    left join public.notification_preferences as wishes on wishes.user_id = audience.user_id
    left join public.user_presence as presence on presence.user_id = audience.user_id
    where audience.user_id is distinct from message.sender_id
      and exists (select from public.user_devices as device where device.user_id = audience.user_id)
      and message.seq > greatest(mine.cursor_seq, 0)
      and coalesce(wishes.push_enabled, true)
      and not coalesce(private.is_quiet(wishes, now()), false)
      and (presence.online_until > now() and presence.looking_at_room_id = message.room_id) is not true
      and (
        (mine.is_muted and coalesce(mine.muted_until > now(), true)) is not true
        or mention.is_mention and coalesce(wishes.mentions_break_mute, true)
      )
      and audience.user_id <> all (blocked)
  ) as recipient
  join public.user_devices as device on device.user_id = recipient.user_id;
end;
$$;

-- All that the push function needs for some jobs, up to so many devices in all. A room may have thousands, so a job may be
-- done in parts: `after` says how far it has come.
create function private.push_deliveries(p_jobs jsonb, p_limit int)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  job record;
  devices jsonb;
  has_more boolean;
  remaining int := p_limit;
  began timestamptz := clock_timestamp();
  user_ids uuid[] := '{}';
  deliveries jsonb := '[]';
begin
  if (p_limit between 1 and 1000) is not true then
    perform private.refuse('limit_out_of_range');
  end if;

  for job in
    select *
    from jsonb_to_recordset(p_jobs) as asked (job_id bigint, message_id uuid, device_ids uuid[], after uuid)
    order by job_id
  loop
    select coalesce(jsonb_agg(to_jsonb(recipient)), '[]') into devices
    from (
      select device_id, user_id, target, show_preview
      from private.push_recipients(job.message_id)
      where remaining > 0
        and (job.device_ids is null or device_id = any (job.device_ids))
        and (job.after is null or device_id > job.after)
      order by device_id
      -- One more shows that there are more.
      limit remaining + 1
    ) as recipient;
    has_more := remaining = 0 or jsonb_array_length(devices) > remaining;
    devices := devices - remaining;
    remaining := remaining - jsonb_array_length(devices);
    user_ids := user_ids || array(select (device ->> 'user_id')::uuid from jsonb_array_elements(devices) as device);
    deliveries := deliveries || jsonb_build_object(
      'job_id', job.job_id, 'message', private.push_json(job.message_id), 'devices', devices, 'has_more', has_more
    );
    -- Rooms of thousands who have all muted them take time too. The other jobs wait for the next call.
    if clock_timestamp() > began + interval '3 seconds' then
      remaining := 0;
    end if;
  end loop;

  return jsonb_build_object(
    'deliveries', deliveries,
    -- Once a person, however many of the messages are theirs.
    'badges', (
      select coalesce(jsonb_object_agg(user_id, private.total_unread(user_id)), '{}')
      from (select distinct unnest(user_ids) as user_id) as recipient
    )
  );
end;
$$;

create function private.push_json(p_message_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'id', m.id,
      'room_id', m.room_id,
      'room_type', r.type,
      'room_name', coalesce(r.title, 'Room ' || r.room_number),
      'sender_id', m.sender_id,
      'sender_name', private.full_name(private.user_json(m.sender_id)),
      -- So much fits on a screen.
      'preview', case when not m.is_encrypted then left(m.content, 200) end,
      'file_count', coalesce(cardinality(m.attachment_ids), 0)
    )
    from public.chat_messages as m
    join public.chat_rooms as r on r.id = m.room_id
    where m.id = p_message_id
  );
end;
$$;

create function public.push_deliveries(p_jobs jsonb, p_limit int)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.push_deliveries(p_jobs, p_limit);
end;
$$;

-- The push service says that these are no addresses any more. A telephone that registered since then has a good one.
create function private.drop_devices(p_device_ids uuid[], p_registered_before timestamptz)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  delete from public.user_devices where id = any (p_device_ids) and registered_at < p_registered_before;
end;
$$;

create function public.drop_devices(p_device_ids uuid[], p_registered_before timestamptz)
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  perform private.drop_devices(p_device_ids, p_registered_before);
end;
$$;

-- The number on somebody's icon.
create function private.total_unread(p_user_id uuid)
returns bigint
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select coalesce(sum(unread_count), 0)
    from private.unread_counts(p_user_id, private.room_ids_of(p_user_id))
  );
end;
$$;

-- Policies
alter table public.user_devices enable row level security;
alter table public.notification_preferences enable row level security;

create policy "Users see their own devices"
on public.user_devices for select to authenticated
using (user_id = (select private.my_id()));

create policy "Users take their own devices off"
on public.user_devices for delete to authenticated
using (user_id = (select private.my_id()));

create policy "Users keep their own wishes"
on public.notification_preferences for all to authenticated
using (user_id = (select private.my_id()))
with check (user_id = (select private.my_id()));

-- Grants
revoke all on public.user_devices, public.notification_preferences from anon, authenticated;
grant select, delete on public.user_devices to authenticated;
grant select, insert, update, delete on public.notification_preferences to authenticated;
grant execute on function private.register_device(text, text, text) to authenticated;
grant execute on function public.register_device(text, text, text) to authenticated;
grant execute on function public.unregister_device(text) to authenticated;
grant execute on function private.push_deliveries(jsonb, int) to service_role;
grant execute on function public.push_deliveries(jsonb, int) to service_role;
grant execute on function private.drop_devices(uuid[], timestamptz) to service_role;
grant execute on function public.drop_devices(uuid[], timestamptz) to service_role;

-- Comments
comment on table public.user_devices is 'Where somebody''s pushes go. The oldest go when there are too many.';
comment on column public.user_devices.target is 'The token that the push service gave to this installation of the app.';
comment on column public.user_devices.registered_at is 'When the app last said that it is there: it does so whenever it starts.';
comment on table public.notification_preferences is 'When somebody wants pushes. Without a row: always, with a preview.';
comment on column public.notification_preferences.mentions_break_mute is 'Whether a mention is pushed from a muted chat. Never in quiet hours.';
comment on column public.notification_preferences.quiet_from is 'On the clock of one''s time zone; from 22:00 until 07:00 goes over midnight.';
comment on function public.register_device(text, text, text) is
'This device shows the caller''s pushes from now on, and nobody else''s. Platforms: android, ios, web; kinds: fcm. Refusals: not_signed_in, push_target_invalid, unknown_platform, unknown_device_kind, user_not_found.';
comment on function public.unregister_device(text) is
'This device of the caller''s shows no more pushes; nothing happens if it is no such device. Refusals: not_signed_in.';
comment on function private.push_recipients(uuid) is
'A row per device that is to show this message: not the sender''s, nor of those who look at the room, have read it, are behind a block, want quiet or muted the chat, unless they are mentioned. Without `show_preview` the text stays out.';
comment on function public.push_deliveries(jsonb, int) is
'For the push function: who is to be told now of the messages of these jobs [{job_id, message_id, device_ids, after}], the last two to leave out devices; at most so many devices (1 to 1,000) in all. Answers {deliveries: [{job_id, message: {id, room_id, room_type, room_name, sender_id, sender_name, preview, file_count}, devices: [{device_id, user_id, target, show_preview}], has_more}], badges: {user_id: what is unread in all}}, devices in the order of their ids. Refusals: limit_out_of_range.';
comment on function public.drop_devices(uuid[], timestamptz) is
'For the push function: takes devices off that the push service no longer knows, unless they registered since that time.';
