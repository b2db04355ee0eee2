-- Room actions: archiving, muting, clearing and deleting a chat. All but clearing for everyone is one's own affair.

-- Tables
create table private.cleared_rooms (
  room_id uuid primary key references public.chat_rooms (id) on delete cascade,
  cleared_at timestamptz not null
);

-- Functions
create function private.archive_chat(p_room_id uuid, p_archived boolean)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
  answer jsonb;
begin
  perform private.require_room_member(p_room_id);
  perform private.require_preferences(me, p_room_id);
  update public.user_chat_preferences
  set is_archived = p_archived, archived_at = case when p_archived then now() end, updated_at = now()
  where user_id = me and room_id = p_room_id and is_archived <> p_archived
  returning jsonb_build_object('room_id', room_id, 'is_archived', is_archived, 'archived_at', archived_at) into answer;

  if answer is not null then
    perform private.tell_user(me, 'room-archived', answer);
    return answer;
  end if;
  return (
    select jsonb_build_object('room_id', room_id, 'is_archived', is_archived, 'archived_at', archived_at)
    from public.user_chat_preferences
    where user_id = me and room_id = p_room_id
  );
end;
$$;

create function private.mute_chat(p_room_id uuid, p_until timestamptz, p_muted boolean)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
  end_of_mute timestamptz := case when p_muted then p_until end;
begin
  perform private.require_room_member(p_room_id);
  if end_of_mute <= now() then
    perform private.refuse('mute_in_the_past');
  end if;
  perform private.require_preferences(me, p_room_id);
  update public.user_chat_preferences as mine
  set is_muted = p_muted, muted_until = end_of_mute, updated_at = now()
  where mine.user_id = me
    and mine.room_id = p_room_id
    and (mine.is_muted, mine.muted_until) is distinct from (p_muted, end_of_mute);
  return jsonb_build_object('room_id', p_room_id, 'is_muted', p_muted, 'muted_until', end_of_mute);
end;
$$;

-- Hides what there is from the caller, for good. The number of the change tells the caller's other devices to fetch the
-- room afresh.
create function private.clear_for_me(p_room_id uuid, p_cleared_at timestamptz)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
begin
  perform private.lock_rooms(array[p_room_id]);
  perform private.require_preferences(me, p_room_id);
  update public.user_chat_preferences as mine
  set cleared_seq = r.last_seq,
    cleared_change_seq = private.next_change_seq(p_room_id),
    messages_cleared_at = p_cleared_at,
    manually_marked_unread = false,
    updated_at = p_cleared_at
  from public.chat_rooms as r
  where mine.user_id = me and mine.room_id = p_room_id and r.id = p_room_id
    and (mine.cleared_seq < r.last_seq or mine.manually_marked_unread);
  if found then
    perform private.announce_unread(array[p_room_id]);
  end if;
end;
$$;

-- Raises the floor of the room, below which nobody sees anything. The rows are removed by a job, since there may be many.
create function private.clear_for_everyone(p_room_id uuid, p_cleared_at timestamptz)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  room public.chat_rooms;
begin
  -- Asked first, so that nobody locks a room for nothing, and again under the lock.
  perform private.require_allowed(private.verdict_clear_for_everyone(p_room_id, private.require_me()));
  perform private.lock_rooms(array[p_room_id]);
  perform private.require_allowed(private.verdict_clear_for_everyone(p_room_id, private.require_me()));
  update public.chat_rooms
  set floor_seq = last_seq,
    last_change_seq = last_change_seq + 1,
    floor_change_seq = last_change_seq + 1,
    last_message_id = null,
    last_message_at = null
  where id = p_room_id and floor_seq < last_seq
  returning * into room;
  if not found then
    return;
  end if;

  insert into public.user_chat_preferences as theirs (
    user_id, room_id, cleared_seq, cleared_change_seq, messages_cleared_at
  )
  select user_id, p_room_id, room.floor_seq, room.floor_change_seq, p_cleared_at
  from private.room_audience(p_room_id) as audience (user_id)
  order by user_id
  on conflict (user_id, room_id) do update
  set cleared_seq = excluded.cleared_seq,
    cleared_change_seq = excluded.cleared_change_seq,
    messages_cleared_at = excluded.messages_cleared_at,
    manually_marked_unread = false,
    updated_at = excluded.messages_cleared_at;

  insert into private.cleared_rooms (room_id, cleared_at)
  values (p_room_id, p_cleared_at)
  on conflict (room_id) do update set cleared_at = excluded.cleared_at;

  perform private.tell_room(
    p_room_id,
    'room-messages-cleared',
    jsonb_build_object('room_id', p_room_id, 'cleared_by', private.my_id(), 'cleared_at', p_cleared_at)
  );
  perform private.announce_unread(array[p_room_id]);
end;
$$;

create function private.clear_chat(p_room_id uuid, p_for_everyone boolean)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  cleared_at timestamptz := clock_timestamp();
begin
  if p_for_everyone then
    perform private.clear_for_everyone(p_room_id, cleared_at);
  else
    perform private.require_room_member(p_room_id);
    perform private.clear_for_me(p_room_id, cleared_at);
  end if;
  return jsonb_build_object('room_id', p_room_id, 'cleared_at', cleared_at, 'for_everyone', p_for_everyone);
end;
$$;

-- A group is left. Any other chat is hidden and cleared for oneself: a newer message lists it again, with that alone.
create function private.delete_chat(p_room_id uuid)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
  deletion_time timestamptz := clock_timestamp();
begin
  perform private.require_room_member(p_room_id);
  if (select type from public.chat_rooms where id = p_room_id) = 'group' then
    perform private.leave_room(p_room_id, me);
  else
    perform private.clear_for_me(p_room_id, deletion_time);
    update public.user_chat_preferences
    set is_deleted = true, deleted_at = deletion_time, updated_at = deletion_time
    where user_id = me and room_id = p_room_id;
  end if;
  perform private.tell_user(
    me,
    'room-deleted',
    jsonb_build_object('room_id', p_room_id, 'deleted_by', me, 'deleted_at', deletion_time)
  );
  return jsonb_build_object('room_id', p_room_id, 'deleted_at', deletion_time);
end;
$$;

-- A job: removes the rows below the floor of rooms that were cleared for everyone, so many at a time, since whoever writes
-- there waits for it. Answers how many it has removed.
create function private.remove_cleared_messages(p_limit int default 1000)
returns int
language plpgsql security definer set search_path = ''
as $$
declare
  room public.chat_rooms;
  removed int;
  all_removed int := 0;
begin
  for room in
    select r.*
    from public.chat_rooms as r
    where r.id in (select room_id from private.cleared_rooms)
    order by r.id
    -- A room that somebody writes in just now is done the next time.
    for no key update skip locked
  loop
    removed := private.remove_messages_below_floor(room, p_limit - all_removed);
    all_removed := all_removed + removed;
    exit when all_removed = p_limit;
    delete from private.cleared_rooms where room_id = room.id;
  end loop;
  return all_removed;
end;
$$;

-- With the rows goes what they add to the sums of those that do not count as unread.
create function private.remove_messages_below_floor(p_room public.chat_rooms, p_limit int)
returns int
language plpgsql security definer set search_path = ''
as $$
declare
  everybody constant uuid := '00000000-0000-0000-0000-000000000000';
  removed bigint;
  removed_uncounted bigint;
begin
  with removed_messages as (
    delete from public.chat_messages
    where id in (
      select id
      from public.chat_messages
      where room_id = p_room.id and seq <= p_room.floor_seq
      order by seq
      limit p_limit
    )
    returning seq, sender_id, is_deleted or message_type = 'system' as is_uncounted
  ),
  summed as (
    update private.uncounted_messages as sums
    set messages = sums.messages - gone.messages
    from (
      select owner, size, seq / size as block, count(*) as messages
      from removed_messages, unnest(array[64, 4096, 262144]) as size, unnest(array[everybody, sender_id]) as owner
      where is_uncounted
      group by 1, 2, 3
    ) as gone
    where sums.room_id = p_room.id
      and sums.sender_id = gone.owner
      and sums.block_size = gone.size
      and sums.block = gone.block
  )
  select count(*), count(*) filter (where is_uncounted) into removed, removed_uncounted from removed_messages;

  update public.chat_rooms
  set uncounted_messages = uncounted_messages - removed_uncounted
  where id = p_room.id and removed_uncounted > 0;
  -- Also those of accounts that have ended: whole blocks below the floor hold nothing any more.
  delete from private.uncounted_messages as sums
  where sums.room_id = p_room.id and (sums.block + 1) * sums.block_size <= p_room.floor_seq and removed < p_limit;
  return removed;
end;
$$;

create function public.archive_chat(p_room_id uuid, p_archived boolean default true)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.archive_chat(p_room_id, p_archived is not false);
end;
$$;

create function public.mute_chat(p_room_id uuid, p_until timestamptz default null, p_muted boolean default true)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.mute_chat(p_room_id, p_until, p_muted is not false);
end;
$$;

create function public.clear_chat(p_room_id uuid, p_for_everyone boolean default false)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.clear_chat(p_room_id, p_for_everyone is true);
end;
$$;

create function public.delete_chat(p_room_id uuid)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.delete_chat(p_room_id);
end;
$$;

-- Jobs
select cron.schedule('remove_cleared_messages', '10 seconds', 'select private.remove_cleared_messages()');

-- Policies
alter table private.cleared_rooms enable row level security;

create policy "Nobody reads which rooms were cleared"
on private.cleared_rooms for select to authenticated
using (false);

-- Grants
grant execute on function private.archive_chat(uuid, boolean) to authenticated;
grant execute on function private.mute_chat(uuid, timestamptz, boolean) to authenticated;
grant execute on function private.clear_chat(uuid, boolean) to authenticated;
grant execute on function private.delete_chat(uuid) to authenticated;
grant execute on function public.archive_chat(uuid, boolean) to authenticated;
grant execute on function public.mute_chat(uuid, timestamptz, boolean) to authenticated;
grant execute on function public.clear_chat(uuid, boolean) to authenticated;
grant execute on function public.delete_chat(uuid) to authenticated;

-- Comments
comment on table private.cleared_rooms is 'Rooms with rows below their floor, which a job removes.';
comment on function public.archive_chat(uuid, boolean) is
'Archives a chat for oneself, or takes it back. Answers {room_id, is_archived, archived_at}. Refusals: not_signed_in, room_not_found, not_a_member.';
comment on function public.mute_chat(uuid, timestamptz, boolean) is
'Mutes a chat for oneself, until a time or for good. Answers {room_id, is_muted, muted_until}. Refusals: not_signed_in, room_not_found, not_a_member, mute_in_the_past.';
comment on function public.clear_chat(uuid, boolean) is
'Clears what was written so far: for oneself, or for everyone, which the creator and admins may. Answers {room_id, cleared_at, for_everyone}. Refusals: not_signed_in, room_not_found, not_a_member, not_an_admin.';
comment on function public.delete_chat(uuid) is
'Leaves a group; the last one out takes it along. Any other chat is hidden and cleared for oneself until somebody writes. Answers {room_id, deleted_at}. Refusals: not_signed_in, room_not_found, not_a_member.';
