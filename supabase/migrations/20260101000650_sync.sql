-- Sync: what somebody missed while away, in order and once: new messages, changes of those already had, rooms that came
-- and went. Live events are hints; this is what makes a client's copy whole again.

-- Triggers
-- What a room itself says of its title, topic and people reaches who was away like a change of a message.
create function private.count_room_change()
returns trigger
language plpgsql set search_path = ''
as $$
begin
  new.last_change_seq := old.last_change_seq + 1;
  return new;
end;
$$;

create trigger count_room_change
before update of title, description, avatar_url, created_by, history_for_new_members, closed_at, topic_epoch
on public.chat_rooms
for each row when (
  (
    old.title, old.description, old.avatar_url, old.created_by, old.history_for_new_members, old.closed_at, old.topic_epoch
  ) is distinct from (
    new.title, new.description, new.avatar_url, new.created_by, new.history_for_new_members, new.closed_at, new.topic_epoch
  )
)
execute function private.count_room_change();

-- A room in which nothing was written yet is told with its first message.
create function private.count_joining()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.next_change_seq(id)
  from (
    select id
    from public.chat_rooms
    where id in (select room_id from joined_members) and last_seq > 0
    order by id
  ) as rooms;
  return null;
end;
$$;

create trigger count_joining
after insert on public.chat_room_members
referencing new table as joined_members
for each statement execute function private.count_joining();

create function private.count_role_change()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.next_change_seq(id) from public.chat_rooms where id = new.room_id and last_seq > 0;
  return null;
end;
$$;

create trigger count_role_change
after update of role on public.chat_room_members
for each row when (old.role <> new.role)
execute function private.count_role_change();

-- An answer quotes what it answers to: a copy of it must not keep what was edited or deleted there. The room is locked by
-- then.
create function private.count_changes_of_answers()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if current_setting('parley.changes_many', true) = 'on' then
    return null;
  end if;
  if exists (select from public.chat_messages where reply_to_id = new.id) then
    update public.chat_messages as m
    set change_seq = changes.change_seq
    from private.next_change_seqs(array(select id from public.chat_messages where reply_to_id = new.id)) as changes
    where m.id = changes.message_id;
  end if;
  return null;
end;
$$;

create trigger count_changes_of_answers
after update of content, sender_id on public.chat_messages
for each row when ((old.content, old.sender_id) is distinct from (new.content, new.sender_id))
execute function private.count_changes_of_answers();

-- Functions
-- A cursor as clients send it: {seq, change_seq}, or a bare number for the seq. Null in, null out.
create function private.to_sync_cursor(p_cursor jsonb)
returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  cursor jsonb := case jsonb_typeof(p_cursor) when 'number' then jsonb_build_object('seq', p_cursor) else p_cursor end;
begin
  if p_cursor is not null
    and (
      jsonb_typeof(cursor) <> 'object'
      or coalesce(cursor ->> 'seq', '') !~ '^[0-9]{1,18}$'
      or coalesce(cursor ->> 'change_seq', '0') !~ '^[0-9]{1,18}$'
    )
  then
    perform private.refuse('cursor_invalid');
  end if;
  return cursor;
end;
$$;

-- One snapshot answers all of it. A room's changes come before its new messages, which carry theirs already: once they
-- are told, the cursor knows every change of what the client has.
create function private.sync_messages(p_cursors jsonb, p_limit int)
returns json
language plpgsql stable security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
declare
  me uuid := private.require_me();
  my_rooms uuid[] := private.my_room_ids();
  most_behind bigint := private.limit_of('sync_messages_behind');
  cursors jsonb := coalesce(p_cursors, '{}');
  room record;
  new_ones public.chat_messages[];
  changed_ones public.chat_messages[];
  messages public.chat_messages[] := '{}';
  changed public.chat_messages[] := '{}';
  rooms uuid[] := '{}';
  reset uuid[] := '{}';
  gone text[];
  room_left int := p_limit;
  has_more boolean := false;
begin
  if p_limit is null or p_limit not between 1 and 1000 then
    perform private.refuse('limit_out_of_range');
  elsif jsonb_typeof(cursors) <> 'object' then
    perform private.refuse('cursor_invalid');
  end if;

  gone := array(
    select key from jsonb_object_keys(cursors) as key where key <> all (array(select id::text from unnest(my_rooms) as id))
  );
  cursors := cursors - gone;

  for room in
    select
      r.id,
      r.last_seq,
      r.last_change_seq,
      known.seq,
      known.change_seq,
      greatest(r.floor_seq, mine.hidden_seq) as hidden_seq,
      -- What was cleared since, the client must forget; and a cursor from the future is not of this database.
      known.change_seq < greatest(r.floor_change_seq, mine.cleared_change_seq)
      or known.seq > r.last_seq
      or known.change_seq > r.last_change_seq
      or r.last_change_seq - known.change_seq > most_behind
      or r.last_seq - greatest(known.seq, r.floor_seq, mine.hidden_seq) > most_behind as is_reset
    from public.chat_rooms as r
    left join public.user_chat_preferences as mine on mine.room_id = r.id and mine.user_id = me
    cross join lateral (select private.to_sync_cursor(cursors -> r.id::text) as cursor) as given
    cross join lateral (
      select
        coalesce((cursor ->> 'seq')::bigint, mine.last_delivered_seq, private.first_cursor_seq(me, r.id)) as seq,
        case when cursor is null then r.last_change_seq else coalesce((cursor ->> 'change_seq')::bigint, 0) end as change_seq
    ) as known
    where r.id = any (my_rooms)
      and (given.cursor is null or (known.seq, known.change_seq) is distinct from (r.last_seq, r.last_change_seq))
    order by r.id
  loop
    -- A room of whom nothing fits any more waits for the next page.
    if room_left = 0 or cardinality(rooms) = 100 then
      has_more := true;
      exit;
    end if;
    rooms := rooms || room.id;

    if room.is_reset then
      reset := reset || room.id;
      cursors := cursors || private.sync_cursors(room.id, room.last_seq, room.last_change_seq);
      continue;
    end if;

    changed_ones := array(
      select m
      from public.chat_messages as m
      where m.room_id = room.id
        -- Said for a plan that knows no values: the index of changes holds no others.
        and m.change_seq > 0
        and m.change_seq > room.change_seq
        and m.seq <= room.seq
        and m.seq > room.hidden_seq
      order by m.change_seq
      limit room_left + 1
    );
    if cardinality(changed_ones) > room_left then
      has_more := true;
      changed_ones := changed_ones[:room_left];
      changed := changed || changed_ones;
      cursors := cursors || private.sync_cursors(room.id, room.seq, (changed_ones[room_left]).change_seq);
      exit;
    end if;
    changed := changed || changed_ones;
    room_left := room_left - cardinality(changed_ones);

    new_ones := array(
      select m
      from public.chat_messages as m
      where m.room_id = room.id and m.seq > greatest(room.seq, room.hidden_seq)
      order by m.seq
      limit room_left + 1
    );
    if cardinality(new_ones) > room_left then
      has_more := true;
      new_ones := new_ones[:room_left];
      cursors := cursors || private.sync_cursors(
        room.id, case when room_left = 0 then room.seq else (new_ones[room_left]).seq end, room.last_change_seq
      );
      messages := messages || new_ones;
      exit;
    end if;
    messages := messages || new_ones;
    room_left := room_left - cardinality(new_ones);
    cursors := cursors || private.sync_cursors(room.id, room.last_seq, room.last_change_seq);
  end loop;

  return json_build_object(
    'messages', private.messages_json(messages),
    'changed', private.messages_json(changed),
    'rooms', private.rooms_json(rooms),
    'gone_rooms', gone,
    'reset', reset,
    'cursors', cursors,
    'has_more', has_more
  );
end;
$$;

create function private.sync_cursors(p_room_id uuid, p_seq bigint, p_change_seq bigint)
returns jsonb
language plpgsql immutable set search_path = ''
as $$
begin
  return jsonb_build_object(p_room_id, jsonb_build_object('seq', p_seq, 'change_seq', p_change_seq));
end;
$$;

create function public.sync_messages(p_cursors jsonb default '{}', p_limit int default 500)
returns json
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.sync_messages(p_cursors, p_limit);
end;
$$;

-- Grants
grant execute on function private.sync_messages(jsonb, int) to authenticated;
grant execute on function public.sync_messages(jsonb, int) to authenticated;

-- Comments
comment on function public.sync_messages(jsonb, int) is
'What one missed since the cursors, a page of 1 to 1,000 messages: {messages, changed, rooms, gone_rooms, reset, cursors, has_more}. Cursors map a room''s id to {seq, change_seq}; a bare number means seq. A room not named starts at its last delivered message. messages: new, oldest first in each room; changed: already had, and edited, deleted, restored or reacted to since; rooms: with anything new; gone_rooms: named, and no longer mine; reset: cleared, or over 1,000 behind: forget it and fetch it with get_messages. Send the cursors next time, at once while has_more. Refusals: not_signed_in, limit_out_of_range, cursor_invalid.';
