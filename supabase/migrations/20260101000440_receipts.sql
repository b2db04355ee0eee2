-- Receipts: who has read what, and when. Reading moves one cursor; a row tells of a whole range of messages, not of each.

-- Tables
create table public.read_ranges (
  room_id uuid not null references public.chat_rooms (id) on delete cascade,
  user_id uuid not null references public.profiles (id) on delete cascade,
  from_seq bigint not null,
  to_seq bigint not null,
  read_at timestamptz not null,
  primary key (room_id, user_id, from_seq),
  constraint ranges_go_forward check (from_seq <= to_seq)
)
-- The newest range of a reader grows while that person goes on reading.
with (fillfactor = 80);

-- Indexes
create index read_ranges_user_idx on public.read_ranges (user_id);

-- Functions
-- Who has read a message. Ranges of a person do not overlap: the last one that begins at or before the message holds it,
-- or none does. A range grows for a minute, so that a message in it may be younger than the range.
create function private.readers_of(p_room_id uuid, p_seq bigint, p_sender_id uuid, p_created_at timestamptz)
returns table (user_id uuid, read_at timestamptz)
language plpgsql stable security definer set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
begin
  return query
  select reader.user_id, greatest(range.read_at, p_created_at)
  from public.user_chat_preferences as reader
  cross join lateral (
    select r.to_seq, r.read_at
    from public.read_ranges as r
    where r.room_id = p_room_id and r.user_id = reader.user_id and r.from_seq <= p_seq
    order by r.from_seq desc
    limit 1
  ) as range
  where reader.room_id = p_room_id
    and reader.last_read_seq >= p_seq
    and reader.user_id is distinct from p_sender_id
    and range.to_seq >= p_seq;
end;
$$;

create function private.message_receipts(p_message_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  message public.chat_messages := private.require_message(p_message_id);
begin
  return (
    select coalesce(
      jsonb_agg(
        jsonb_build_object(
          'user_id', person.user_id,
          'delivered', read_at is not null or coalesce(mine.last_delivered_seq >= message.seq, false),
          'read_at', read_at
        )
        order by read_at, person.user_id
      ),
      '[]'
    )
    from private.readers_of(message.room_id, message.seq, message.sender_id, message.created_at) as reader
    full join private.room_audience(message.room_id) as audience (user_id) using (user_id)
    cross join lateral (select coalesce(reader.user_id, audience.user_id) as user_id) as person
    left join public.user_chat_preferences as mine
      on mine.user_id = person.user_id and mine.room_id = message.room_id
    -- Not the sender, nor whom it is hidden from.
    where person.user_id is distinct from message.sender_id
      and (read_at is not null or coalesce(mine.visible_from_seq, 0) < message.seq)
  );
end;
$$;

-- Moves the caller's cursor forward, never back. Answers where it was, or null when nothing changed.
create function private.read_up_to(p_room_id uuid, p_seq bigint, p_message_id uuid, p_message_ids uuid[] default null)
returns bigint
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
  mine public.user_chat_preferences;
  seen_at timestamptz;
begin
  perform private.require_preferences(me, p_room_id);
  -- In the order of all locks: an account or a room that ends takes the preferences with it.
  perform from public.profiles where id = me for key share;
  perform from public.chat_rooms where id = p_room_id for key share;
  select * into mine
  from public.user_chat_preferences
  where user_id = me and room_id = p_room_id
  for no key update;

  seen_at := clock_timestamp();
  update public.user_chat_preferences
  set last_read_seq = greatest(last_read_seq, p_seq),
    last_delivered_seq = greatest(last_delivered_seq, p_seq),
    last_read_message_id = case when p_seq > last_read_seq then p_message_id else last_read_message_id end,
    last_read_at = seen_at,
    manually_marked_unread = false,
    updated_at = seen_at
  where user_id = me and room_id = p_room_id and (last_read_seq < p_seq or manually_marked_unread);
  if not found then
    return null;
  end if;

  if p_seq > mine.cursor_seq then
    perform private.add_read_range(me, p_room_id, mine.cursor_seq + 1, p_seq, seen_at);
    perform private.announce_reading(me, p_room_id, p_seq, p_message_ids, seen_at);
  end if;
  return mine.cursor_seq;
end;
$$;

-- Who reads on within a minute makes the last range longer instead of a new one.
create function private.add_read_range(
  p_user_id uuid, p_room_id uuid, p_from_seq bigint, p_to_seq bigint, p_read_at timestamptz
)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  update public.read_ranges as r
  set to_seq = p_to_seq
  where r.room_id = p_room_id
    and r.user_id = p_user_id
    and r.from_seq = (
      select max(newest.from_seq)
      from public.read_ranges as newest
      where newest.room_id = p_room_id and newest.user_id = p_user_id
    )
    and r.to_seq = p_from_seq - 1
    and r.read_at > p_read_at - interval '60 seconds';
  if not found then
    insert into public.read_ranges (room_id, user_id, from_seq, to_seq, read_at)
    values (p_room_id, p_user_id, p_from_seq, p_to_seq, p_read_at);
  end if;
end;
$$;

-- In a large room everybody would hear of everybody's reading all the time: there receipts are asked for.
create function private.announce_reading(
  p_user_id uuid, p_room_id uuid, p_up_to_seq bigint, p_message_ids uuid[], p_seen_at timestamptz
)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  of_what jsonb := case
    when p_message_ids is null then jsonb_build_object('up_to_seq', p_up_to_seq)
    else jsonb_build_object('message_ids', p_message_ids)
  end;
begin
  if 100 < (select count(*) from private.room_audience(p_room_id, 101)) then
    return;
  end if;
  perform private.tell_room(
    p_room_id,
    'messages-seen',
    of_what || jsonb_build_object(
      'room_id', p_room_id,
      'seen_by', jsonb_build_object(
        'user_id', p_user_id,
        'user_name', (select private.full_name(to_jsonb(p)) from public.profiles as p where id = p_user_id),
        'seen_at', p_seen_at
      )
    )
  );
end;
$$;

-- Tells the caller's devices how many messages are unread in these rooms, and in all.
create function private.announce_unread(p_room_ids uuid[])
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
begin
  perform private.tell_unread(counts.room_id, counts.unread_count, counts.total_unread)
  from (
    select room_id, unread_count, sum(unread_count) over () as total_unread
    from private.unread_counts(me, private.my_room_ids() || p_room_ids)
  ) as counts
  where counts.room_id = any (p_room_ids);
end;
$$;

create function private.tell_unread(p_room_id uuid, p_unread_count bigint, p_total_unread bigint)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.tell_user(
    private.my_id(),
    'unread-count-update',
    jsonb_build_object('room_id', p_room_id, 'unread_count', p_unread_count, 'total_unread', p_total_unread)
  );
end;
$$;

-- Reads up to a message, or the newest of several, or all there is.
create function private.mark_read(p_room_id uuid, p_message_ids uuid[])
returns jsonb
language plpgsql security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
declare
  me uuid := private.my_id();
  up_to bigint;
  message_id uuid;
  cursor_before bigint;
  counts record;
begin
  perform private.require_room_member(p_room_id);
  if p_message_ids is null then
    select last_seq, last_message_id into up_to, message_id from public.chat_rooms where id = p_room_id;
  else
    -- `offset 0` has them found by their ids alone: room and order would tempt Postgres to walk through the room.
    select named.seq, named.id into up_to, message_id
    from (select * from public.chat_messages where id = any (p_message_ids) offset 0) as named
    where named.room_id = p_room_id and named.seq > private.hidden_up_to_seq(me, p_room_id)
    order by named.seq desc
    limit 1;
    if up_to is null then
      perform private.refuse('message_not_found');
    end if;
  end if;

  cursor_before := private.read_up_to(p_room_id, up_to, message_id, p_message_ids);
  -- All counts in one statement: what others write meanwhile is in each of them.
  select
    now_unread.unread_count,
    now_unread.total_unread,
    coalesce(were_unread.unread_messages, now_unread.unread_messages) - now_unread.unread_messages as updated_count
  into counts
  from (
    select room_id, unread_count, unread_messages, sum(unread_count) over () as total_unread
    from private.unread_counts(
      me, array[p_room_id] || case when cursor_before is not null then private.my_room_ids() end
    )
  ) as now_unread
  left join private.unread_counts(
    me, case when cursor_before is not null then array[p_room_id] end, cursor_before
  ) as were_unread using (room_id)
  where now_unread.room_id = p_room_id;
  if cursor_before is not null then
    perform private.tell_unread(p_room_id, counts.unread_count, counts.total_unread);
  end if;

  return (
    select jsonb_build_object(
      'room_id', p_room_id,
      'unread_count', counts.unread_count,
      'last_read_message_id', mine.last_read_message_id,
      'read_at', mine.last_read_at,
      'updated_count', counts.updated_count
    )
    from public.user_chat_preferences as mine
    where mine.user_id = me and mine.room_id = p_room_id
  );
end;
$$;

create function private.mark_messages_seen(p_room_id uuid, p_message_ids uuid[])
returns jsonb
language plpgsql security definer set search_path = ''
as $$
begin
  if coalesce(cardinality(p_message_ids), 0) not between 1 and private.limit_of('messages_per_seen') then
    perform private.refuse('message_count_out_of_range');
  end if;
  return private.mark_read(p_room_id, p_message_ids);
end;
$$;

-- Rooms that the caller is not in are passed over: between a tap and this, one may have left.
create function private.mark_rooms_read(p_room_ids uuid[])
returns jsonb
language plpgsql security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
declare
  me uuid := private.require_me();
  room public.chat_rooms;
  room_ids uuid[] := '{}';
begin
  if coalesce(cardinality(p_room_ids), 0) not between 1 and private.limit_of('rooms_per_read') then
    perform private.refuse('room_count_out_of_range');
  end if;

  for room in
    select r.*
    from public.chat_rooms as r
    left join public.user_chat_preferences as mine on mine.room_id = r.id and mine.user_id = me
    where r.id = any (p_room_ids)
      and r.id = any (private.my_room_ids())
      and (mine.last_read_seq >= r.last_seq and not mine.manually_marked_unread) is not true
    order by r.id
  loop
    if private.read_up_to(room.id, room.last_seq, room.last_message_id) is not null then
      room_ids := room_ids || room.id;
    end if;
  end loop;
  if room_ids <> '{}' then
    perform private.announce_unread(room_ids);
  end if;
  return jsonb_build_object('rooms_updated', cardinality(room_ids));
end;
$$;

create function private.mark_unread(p_room_id uuid)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
begin
  perform private.require_room_member(p_room_id);
  perform private.require_preferences(me, p_room_id);
  update public.user_chat_preferences
  set manually_marked_unread = true, updated_at = now()
  where user_id = me and room_id = p_room_id and not manually_marked_unread;
  if found then
    perform private.announce_unread(array[p_room_id]);
  end if;
  return jsonb_build_object('room_id', p_room_id, 'unread_count', private.unread_count(me, p_room_id));
end;
$$;

create function private.mark_delivered(p_room_id uuid, p_seq bigint)
returns void
language plpgsql security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
declare
  me uuid := private.my_id();
begin
  perform private.require_room_member(p_room_id);
  perform private.require_preferences(me, p_room_id);
  update public.user_chat_preferences as mine
  set last_delivered_seq = least(p_seq, r.last_seq)
  from public.chat_rooms as r
  where mine.user_id = me
    and mine.room_id = p_room_id
    and r.id = p_room_id
    and mine.last_delivered_seq < least(p_seq, r.last_seq);
end;
$$;

create function private.my_unread_counts(p_room_id uuid, p_organization_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
declare
  me uuid := private.require_me();
begin
  if p_room_id is not null then
    perform private.require_room_member(p_room_id);
  end if;
  return (
    select jsonb_build_object(
      'total_unread', coalesce(sum(counts.unread_count), 0),
      'rooms', coalesce(
        jsonb_agg(
          jsonb_build_object(
            'room_id', counts.room_id,
            'unread_count', counts.unread_count,
            'last_read_message_id', mine.last_read_message_id,
            'last_message_timestamp', r.last_message_at
          )
          order by r.last_message_at desc nulls last, counts.room_id
        ),
        '[]'
      )
    )
    from private.unread_counts(
      me,
      case
        when p_room_id is not null then array[p_room_id]
        when p_organization_id is not null then private.staff_room_ids(p_organization_id)
        else private.my_room_ids()
      end
    ) as counts
    -- `offset 0` has these few looked up one by one, instead of all joined.
    left join lateral (
      select p.last_read_message_id, p.hidden_seq
      from public.user_chat_preferences as p
      where p.user_id = me and p.room_id = counts.room_id
      offset 0
    ) as mine on true
    cross join lateral (
      select case
        when greatest(rooms.floor_seq, mine.hidden_seq) = 0 then rooms.last_message_at
        -- What is hidden from the caller is not the last message.
        else (
          select m.created_at
          from public.chat_messages as m
          where m.id = rooms.last_message_id and m.seq > greatest(rooms.floor_seq, mine.hidden_seq)
        )
      end as last_message_at
      from public.chat_rooms as rooms
      where rooms.id = counts.room_id
      offset 0
    ) as r
  );
end;
$$;

create function public.mark_read(p_room_id uuid, p_message_id uuid default null)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.mark_read(p_room_id, case when p_message_id is not null then array[p_message_id] end);
end;
$$;

create function public.mark_unread(p_room_id uuid)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.mark_unread(p_room_id);
end;
$$;

create function public.mark_rooms_read(p_room_ids uuid[])
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.mark_rooms_read(p_room_ids);
end;
$$;

create function public.mark_messages_seen(p_room_id uuid, p_message_ids uuid[])
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.mark_messages_seen(p_room_id, p_message_ids);
end;
$$;

create function public.mark_delivered(p_room_id uuid, p_seq bigint)
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  perform private.mark_delivered(p_room_id, p_seq);
end;
$$;

create function public.message_receipts(p_message_id uuid)
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.message_receipts(p_message_id);
end;
$$;

create function public.unread_counts(p_room_id uuid default null, p_organization_id uuid default null)
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.my_unread_counts(p_room_id, p_organization_id);
end;
$$;

-- Jobs
-- On which day a message was read nobody asks after 90 days: what somebody read on, within a month, becomes one range from
-- the time of the first. No message is said to have been read later than it was, or before it was there. What an account or
-- a room takes along at this moment is left alone.
create function private.merge_read_ranges(p_limit int default 50000)
returns bigint
language plpgsql security definer set search_path = ''
as $$
declare
  removed bigint;
begin
  with old as (
    select
      r.*,
      date_trunc('month', r.read_at, 'UTC') as month,
      lag(r.to_seq) over reading is distinct from r.from_seq - 1 as is_first
    from public.read_ranges as r
    where r.read_at < date_trunc('month', now() - interval '90 days', 'UTC')
    window reading as (partition by r.room_id, r.user_id, date_trunc('month', r.read_at, 'UTC') order by r.from_seq)
  ),
  placed as (
    select *, count(*) filter (where is_first) over (partition by room_id, user_id, month order by from_seq) as nth
    from old
  ),
  merged as (
    select room_id, user_id, min(from_seq) as from_seq, max(to_seq) as to_seq
    from placed
    group by room_id, user_id, month, nth
    having count(*) > 1
    limit p_limit
  ),
  people as materialized (
    select id from public.profiles where id in (select user_id from merged) for key share skip locked
  ),
  rooms as materialized (
    select id from public.chat_rooms where id in (select room_id from merged) for key share skip locked
  ),
  held as (
    select *
    from merged
    where user_id in (select id from people) and room_id in (select id from rooms)
  ),
  lengthened as (
    update public.read_ranges as r
    set to_seq = held.to_seq
    from held
    where r.room_id = held.room_id and r.user_id = held.user_id and r.from_seq = held.from_seq
  ),
  others as (
    delete from public.read_ranges as r
    using held
    where r.room_id = held.room_id
      and r.user_id = held.user_id
      and r.from_seq > held.from_seq
      and r.from_seq <= held.to_seq
    returning 1
  )
  select count(*) into removed from others;
  return removed;
end;
$$;

select cron.schedule('merge_read_ranges', '40 3 * * *', 'select private.merge_read_ranges()');

-- Views
-- The messages are those that the caller may see: their policies decide.
create view public.message_reads with (security_invoker = true) as
select m.id as message_id, m.room_id, reader.user_id, reader.read_at
from public.chat_messages as m
cross join lateral private.readers_of(m.room_id, m.seq, m.sender_id, m.created_at) as reader;

-- Policies
alter table public.read_ranges enable row level security;

create policy "Members see how far others have read in their rooms"
on public.read_ranges for select to authenticated
using (room_id = any ((select private.my_room_ids())::uuid[]));

-- Grants
revoke all on public.read_ranges, public.message_reads from anon, authenticated;
grant select on public.read_ranges, public.message_reads to authenticated;
grant execute on function private.readers_of(uuid, bigint, uuid, timestamptz) to authenticated;
grant execute on function private.mark_read(uuid, uuid[]) to authenticated;
grant execute on function private.mark_unread(uuid) to authenticated;
grant execute on function private.mark_rooms_read(uuid[]) to authenticated;
grant execute on function private.mark_messages_seen(uuid, uuid[]) to authenticated;
grant execute on function private.mark_delivered(uuid, bigint) to authenticated;
grant execute on function private.message_receipts(uuid) to authenticated;
grant execute on function private.my_unread_counts(uuid, uuid) to authenticated;
grant execute on function public.mark_read(uuid, uuid) to authenticated;
grant execute on function public.mark_unread(uuid) to authenticated;
grant execute on function public.mark_rooms_read(uuid[]) to authenticated;
grant execute on function public.mark_messages_seen(uuid, uuid[]) to authenticated;
grant execute on function public.mark_delivered(uuid, bigint) to authenticated;
grant execute on function public.message_receipts(uuid) to authenticated;
grant execute on function public.unread_counts(uuid, uuid) to authenticated;

-- Comments
comment on table public.read_ranges is 'What a person read at once: the messages of a room from one seq to another.';
comment on column public.read_ranges.read_at is 'When the reading began: within a minute of each of the messages, or within a month once it is 90 days ago.';
comment on function private.merge_read_ranges(int) is 'Answers how many ranges it has put into others: so many runs of them a night at most.';
comment on view public.message_reads is 'A row for each message and each of its readers, the sender not among them.';
comment on function public.mark_read(uuid, uuid) is
'Reads this message and all before it, or all there are; takes a mark set by hand away. Answers {room_id, unread_count, last_read_message_id, read_at, updated_count}: how many of others'' messages became read. Refusals: not_signed_in, room_not_found, not_a_member, message_not_found.';
comment on function public.mark_unread(uuid) is
'Shows the room as unread, with at least one message, until it is read or cleared. Answers {room_id, unread_count}. Refusals: not_signed_in, room_not_found, not_a_member.';
comment on function public.mark_rooms_read(uuid[]) is
'Reads all of at most 500 rooms; rooms the caller is not in are passed over. Answers {rooms_updated}: in how many something changed. Refusals: not_signed_in, room_count_out_of_range.';
comment on function public.mark_messages_seen(uuid, uuid[]) is
'Reads the newest of these messages and all before it. Answers as mark_read. Refusals: not_signed_in, room_not_found, not_a_member, message_count_out_of_range, message_not_found when the room has none of them.';
comment on function public.mark_delivered(uuid, bigint) is
'Says that the caller''s device has the messages up to this seq. Refusals: not_signed_in, room_not_found, not_a_member.';
comment on function public.message_receipts(uuid) is
'Who got a message and when each read it, without its sender: [{user_id, delivered, read_at}]. Refusals: not_signed_in, message_not_found, room_not_found, not_a_member.';
comment on function public.unread_counts(uuid, uuid) is
'The unread counts of one room, of one''s direct and group chats in an organization, or of all of one''s rooms: {total_unread, rooms: [{room_id, unread_count, last_read_message_id, last_message_timestamp}]}. Refusals: not_signed_in, room_not_found, not_a_member, organization_not_found, not_in_organization.';
