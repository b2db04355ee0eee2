-- Unread: how many messages of others stand after one's cursor, exactly, and as fast for a million as for ten.
--
--   unread = what stands after the cursor - mine after it - others' after it that do not count
--
-- The first is a difference of two seqs. Mine come from `sender_seq`, which counts each sender's: the newest less the first
-- after the cursor. What does not count (deleted messages, and those of the system) is summed in blocks of 64, 4,096 and
-- 262,144 seqs: at most 63 rows of each size lie between a cursor and the end.

-- Tables
create table private.uncounted_messages (
  room_id uuid not null references public.chat_rooms (id) on delete cascade,
  -- The sender's own, or under the nil id everybody's.
  sender_id uuid not null,
  block_size bigint not null,
  block bigint not null,
  messages bigint not null,
  primary key (room_id, sender_id, block_size, block) include (messages),
  constraint block_size_is_a_power_of_64 check (block_size in (64, 4096, 262144))
);

-- Triggers
-- The room is locked by then: each change of a message locks it first.
create function private.sum_uncounted()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  change int := case when new.is_deleted or new.message_type = 'system' then 1 else -1 end;
begin
  insert into private.uncounted_messages as sums (room_id, sender_id, block_size, block, messages)
  select new.room_id, owner, size, new.seq / size, change
  from unnest(array[64, 4096, 262144]) as size,
    unnest(array['00000000-0000-0000-0000-000000000000', new.sender_id]::uuid[]) as owner
  where owner is not null
  on conflict (room_id, sender_id, block_size, block) do update set messages = sums.messages + change;

  update public.chat_rooms set uncounted_messages = uncounted_messages + change where id = new.room_id;
  return null;
end;
$$;

create trigger sum_uncounted_new
after insert on public.chat_messages
for each row when (new.is_deleted or new.message_type = 'system')
execute function private.sum_uncounted();

create trigger sum_uncounted
after update of is_deleted on public.chat_messages
for each row when (old.is_deleted <> new.is_deleted and new.message_type <> 'system')
execute function private.sum_uncounted();

-- Functions
-- How many messages after a cursor do not count, of one sender, or of all under the nil id. From the cursor to the end of
-- its smallest block they are counted one by one; from there in blocks, each time to the end of the next larger one.
create function private.uncounted_after(p_room_id uuid, p_sender_id uuid, p_cursor_seq bigint)
returns bigint
language plpgsql stable security definer set search_path = ''
as $$
declare
  everybody constant uuid := '00000000-0000-0000-0000-000000000000';
  next_64 bigint := p_cursor_seq / 64 + 1;
  next_4096 bigint := p_cursor_seq / 4096 + 1;
  next_262144 bigint := p_cursor_seq / 262144 + 1;
begin
  return (
    select count(*)
    from public.chat_messages
    where room_id = p_room_id
      and seq > p_cursor_seq
      and seq < next_64 * 64
      and (is_deleted or message_type = 'system')
      and (p_sender_id = everybody or sender_id = p_sender_id)
  ) + (
    select coalesce(sum(messages), 0)
    from private.uncounted_messages
    where room_id = p_room_id
      and sender_id = p_sender_id
      and (
        block_size = 64 and block >= next_64 and block < next_4096 * 64
        or block_size = 4096 and block >= next_4096 and block < next_262144 * 64
        or block_size = 262144 and block >= next_262144
      )
  );
end;
$$;

-- The unread counts of one person, the same for every list, badge and event. Rooms the person is not in count 0.
create function private.unread_counts(p_user_id uuid, p_room_ids uuid[])
returns table (room_id uuid, unread_count int)
language plpgsql stable security definer set search_path = ''
as $$
declare
  everybody constant uuid := '00000000-0000-0000-0000-000000000000';
begin
  return query
  select
    r.id,
    greatest(
      case when after.cursor_seq < r.last_seq then
        r.last_seq
        - after.cursor_seq
        - coalesce(newest.sender_seq - first_one.sender_seq + 1, 0)
        - case when r.uncounted_messages = 0 then 0 else
          private.uncounted_after(r.id, everybody, after.cursor_seq)
          - case when newest.sender_seq is null then 0 else private.uncounted_after(r.id, p_user_id, after.cursor_seq) end
        end
      else 0 end,
      mine.manually_marked_unread::int
    )::int
  from public.chat_rooms as r
  left join public.user_chat_preferences as mine on mine.room_id = r.id and mine.user_id = p_user_id
  cross join lateral (
    select greatest(
      r.floor_seq, case when mine.user_id is null then private.first_cursor_seq(p_user_id, r.id) else mine.cursor_seq end
    ) as cursor_seq
  ) as after
  left join lateral (
    select m.sender_seq
    from public.chat_messages as m
    where m.room_id = r.id and m.sender_id = p_user_id and m.seq > after.cursor_seq
    order by m.seq desc
    limit 1
  ) as newest on after.cursor_seq < r.last_seq
  left join lateral (
    select m.sender_seq
    from public.chat_messages as m
    where m.room_id = r.id and m.sender_id = p_user_id and m.seq > after.cursor_seq
    order by m.seq
    limit 1
  ) as first_one on newest.sender_seq is not null
  where r.id = any (p_room_ids);
end;
$$;

-- Callers are told their own; without a caller, as in jobs, anybody's.
create function private.unread_count(p_user_id uuid, p_room_id uuid)
returns int
language plpgsql stable security definer set search_path = ''
as $$
begin
  if p_user_id is distinct from coalesce(private.my_id(), p_user_id) or not private.is_room_member(p_room_id, p_user_id) then
    return 0;
  end if;
  return (select unread_count from private.unread_counts(p_user_id, array[p_room_id]));
end;
$$;

create function public.calculate_unread_count(p_user_id uuid, p_room_id uuid)
returns int
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.unread_count(p_user_id, p_room_id);
end;
$$;

-- Policies
alter table private.uncounted_messages enable row level security;

create policy "Nobody reads the sums past private.uncounted_after"
on private.uncounted_messages for select to authenticated
using (false);

-- Grants
grant execute on function private.unread_count(uuid, uuid) to authenticated, service_role;
grant execute on function public.calculate_unread_count(uuid, uuid) to authenticated, service_role;

-- Comments
comment on table private.uncounted_messages is 'How many messages of a block of seqs never count as unread.';
comment on function public.calculate_unread_count(uuid, uuid) is
'How many messages of others stand after this person''s cursor in this room. Only one''s own is told; else 0.';
