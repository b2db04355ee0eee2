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
  -- Whoever changes thousands at once sums them up at once.
  if current_setting('parley.changes_many', true) = 'on' then
    return null;
  end if;

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
-- The unread counts of one person, the same for every list, badge and event. Who calls knows that the person is in these
-- rooms. `unread_messages` is the count without the mark set by hand, and may be asked for another cursor than the
-- person's own. `offset 0` has each part worked out once, and for the rooms asked for alone.
--
-- After a cursor that is near, what does not count is counted one by one; after others to the end of its block of 64, and
-- from there in blocks, each time to the end of the next larger one.
create function private.unread_counts(p_user_id uuid, p_room_ids uuid[], p_after_seq bigint default null)
returns table (room_id uuid, unread_count int, unread_messages int)
language plpgsql stable security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
declare
  everybody constant uuid := '00000000-0000-0000-0000-000000000000';
  few constant bigint := 1024;
begin
  return query
  select
    r.id,
    greatest(counted.messages, mine.manually_marked_unread::int)::int,
    counted.messages::int
  from public.chat_rooms as r
  left join lateral (
    select p.cursor_seq, p.manually_marked_unread
    from public.user_chat_preferences as p
    where p.user_id = p_user_id and p.room_id = r.id
    offset 0
  ) as mine on true
  cross join lateral (
    select greatest(
      r.floor_seq,
      p_after_seq,
      case when p_after_seq is null then coalesce(mine.cursor_seq, private.first_cursor_seq(p_user_id, r.id)) end
    ) as seq
    offset 0
  ) as after
  cross join lateral (
    select case when after.seq >= r.last_seq then 0 else
      r.last_seq
      - after.seq
      - coalesce(
        (
          select newest.sender_seq + 1 - (
            select m.sender_seq
            from public.chat_messages as m
            where m.room_id = r.id and m.sender_id = p_user_id and m.seq > after.seq
            order by m.seq
            limit 1
          )
          from (
            select m.sender_seq
            from public.chat_messages as m
            where m.room_id = r.id and m.sender_id = p_user_id and m.seq > after.seq
            order by m.seq desc
            limit 1
          ) as newest
        ),
        0
      )
      - case when r.uncounted_messages = 0 then 0 else
        (
          select count(*)
          from public.chat_messages as m
          where m.room_id = r.id
            and m.seq > after.seq
            and m.seq < case when r.last_seq - after.seq <= few then r.last_seq + 1 else (after.seq / 64 + 1) * 64 end
            and (m.is_deleted or m.message_type = 'system')
            and m.sender_id is distinct from p_user_id
        ) + case when r.last_seq - after.seq <= few then 0 else
          (
            select coalesce(sum(of_part.messages), 0)
            from (
              values
                (64, after.seq / 64 + 1, (after.seq / 4096 + 1) * 64),
                (4096, after.seq / 4096 + 1, (after.seq / 262144 + 1) * 64),
                (262144, after.seq / 262144 + 1, 9223372036854775807)
            ) as part (block_size, first_block, end_block)
            cross join lateral (
              select sum(case when sums.sender_id = everybody then sums.messages else -sums.messages end) as messages
              from private.uncounted_messages as sums
              where sums.room_id = r.id
                and sums.sender_id in (everybody, p_user_id)
                and sums.block_size = part.block_size
                and sums.block >= part.first_block
                and sums.block < part.end_block
            ) as of_part
          )
        end
      end
    end as messages
    offset 0
  ) as counted
  where r.id = any (p_room_ids);
end;
$$;

-- Callers are told their own; without a caller, as in jobs, anybody's.
create function private.unread_count(p_user_id uuid, p_room_id uuid)
returns int
language plpgsql stable security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
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

create policy "Nobody reads the sums past private.unread_counts"
on private.uncounted_messages for select to authenticated
using (false);

-- Grants
grant execute on function private.unread_count(uuid, uuid) to authenticated, service_role;
grant execute on function public.calculate_unread_count(uuid, uuid) to authenticated, service_role;

-- Comments
comment on table private.uncounted_messages is 'How many messages of a block of seqs never count as unread.';
comment on function public.calculate_unread_count(uuid, uuid) is
'How many messages of others stand after this person''s cursor in this room. Only one''s own is told; else 0.';
