-- Preferences: what everybody keeps about a room for oneself: how far one has read, what one has cleared, archived, muted.

-- Tables
create table public.user_chat_preferences (
  id uuid not null default private.uuid_v7(),
  user_id uuid not null references public.profiles (id) on delete cascade,
  room_id uuid not null references public.chat_rooms (id) on delete cascade,
  is_archived boolean not null default false,
  archived_at timestamptz,
  messages_cleared_at timestamptz,
  is_deleted boolean not null default false,
  deleted_at timestamptz,
  last_read_message_id uuid,
  last_read_at timestamptz,
  manually_marked_unread boolean not null default false,
  is_muted boolean not null default false,
  muted_until timestamptz,
  visible_from_seq bigint not null default 0,
  last_read_seq bigint not null default 0,
  last_delivered_seq bigint not null default 0,
  cleared_seq bigint not null default 0,
  cleared_change_seq bigint not null default 0,
  cursor_seq bigint not null generated always as (greatest(visible_from_seq, last_read_seq, cleared_seq)) stored,
  hidden_seq bigint not null generated always as (greatest(visible_from_seq, cleared_seq)) stored,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (user_id, room_id),
  constraint user_chat_preferences_one_per_id unique (id),
  constraint archived_rooms_say_since_when check (is_archived = (archived_at is not null)),
  constraint deleted_rooms_say_since_when check (is_deleted = (deleted_at is not null)),
  constraint only_muted_rooms_say_until_when check (is_muted or muted_until is null)
)
-- Reading moves a cursor: space on the page, and no index on any cursor, keep that from touching an index.
with (fillfactor = 70);

-- Indexes
create index user_chat_preferences_room_idx on public.user_chat_preferences (room_id);
-- Few rooms hide something: the policy on messages asks for these at each statement.
create index user_chat_preferences_hidden_idx on public.user_chat_preferences (user_id, room_id) where hidden_seq > 0;

-- Triggers
create function private.welcome_member()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.start_preferences(new.user_id, new.room_id);
  return null;
end;
$$;

create trigger welcome_member
after insert on public.chat_room_members
for each row execute function private.welcome_member();

-- Functions
-- Who joins late starts with nothing unread, and so does who comes again.
create function private.start_preferences(p_user_id uuid, p_room_id uuid)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.user_chat_preferences as mine (
    user_id, room_id, visible_from_seq, last_read_seq, last_read_message_id, last_delivered_seq
  )
  select
    p_user_id,
    id,
    case when history_for_new_members then floor_seq else last_seq end,
    last_seq,
    last_message_id,
    last_seq
  from public.chat_rooms
  where id = p_room_id
  on conflict (user_id, room_id) do update
  set visible_from_seq = greatest(mine.visible_from_seq, excluded.visible_from_seq),
    -- What is hidden from now on, the copy on a device must forget.
    cleared_change_seq = case
      when excluded.visible_from_seq > mine.visible_from_seq then private.next_change_seq(p_room_id)
      else mine.cleared_change_seq
    end,
    last_read_seq = greatest(mine.last_read_seq, excluded.last_read_seq),
    last_read_message_id = excluded.last_read_message_id,
    last_delivered_seq = greatest(mine.last_delivered_seq, excluded.last_delivered_seq),
    manually_marked_unread = false,
    is_deleted = false,
    deleted_at = null,
    updated_at = now();
end;
$$;

-- Staff are in their guests' rooms by their role: what they keep about one begins when they first do something there.
create function private.require_preferences(p_user_id uuid, p_room_id uuid)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  if not exists (select from public.user_chat_preferences where user_id = p_user_id and room_id = p_room_id) then
    insert into public.user_chat_preferences (user_id, room_id, last_read_seq)
    values (p_user_id, p_room_id, private.first_cursor_seq(p_user_id, p_room_id))
    on conflict (user_id, room_id) do nothing;
  end if;
end;
$$;

-- Where somebody without preferences starts: at the newest message that was there when joining the hotel. Times rise with
-- `seq`, so halving finds it: walking back to it would cost the more the longer the guests have written since.
create function private.first_cursor_seq(p_user_id uuid, p_room_id uuid)
returns bigint
language plpgsql stable security definer set search_path = ''
as $$
declare
  joined timestamptz;
  seen bigint;
  unseen bigint;
  middle bigint;
begin
  select staff.joined_at, r.floor_seq, r.last_seq + 1 into joined, seen, unseen
  from public.chat_rooms as r
  join public.organization_members as staff on staff.organization_id = r.organization_id
  where r.id = p_room_id and staff.user_id = p_user_id and staff.joined_at > r.created_at;

  while seen + 1 < unseen loop
    middle := (seen + unseen) / 2;
    if exists (
      select from public.chat_messages where room_id = p_room_id and seq = middle and created_at <= joined
    ) then
      seen := middle;
    else
      unseen := middle;
    end if;
  end loop;
  return coalesce(seen, 0);
end;
$$;

-- Messages up to this seq are not shown to this person.
create function private.hidden_up_to_seq(p_user_id uuid, p_room_id uuid)
returns bigint
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select greatest(r.floor_seq, mine.hidden_seq)
    from public.chat_rooms as r
    left join public.user_chat_preferences as mine on mine.room_id = r.id and mine.user_id = p_user_id
    where r.id = p_room_id
  );
end;
$$;

-- For the policy on messages: each of my rooms that hides something from me, with the seq up to which it does. One object,
-- made once a statement; null where none does, as for most people.
create function private.my_hidden_seqs()
returns jsonb
language plpgsql stable security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
declare
  me uuid := private.my_id();
begin
  return (
    select jsonb_object_agg(room_id, seq)
    from (
      select room_id, max(seq) as seq
      from (
        select room_id, hidden_seq as seq
        from public.user_chat_preferences
        where user_id = me and hidden_seq > 0
        union all
        -- Clearing a room for everyone clears it for each of its members. Staff may keep nothing about a guest's room yet.
        select r.id, r.floor_seq
        from public.organization_members as mine
        join public.chat_rooms as r on r.organization_id = mine.organization_id
        where mine.user_id = me and r.type = 'guest' and r.closed_at is null and r.floor_seq > 0
      ) as hidden
      group by room_id
    ) as rooms
  );
end;
$$;

-- Policies
alter table public.user_chat_preferences enable row level security;

create policy "Users read their own preferences"
on public.user_chat_preferences for select to authenticated
using (user_id = (select private.my_id()));

-- Grants
revoke all on public.user_chat_preferences from anon, authenticated;
grant select on public.user_chat_preferences to authenticated;
grant execute on function private.my_hidden_seqs() to authenticated;

-- Comments
comment on table public.user_chat_preferences is 'What a member keeps about a room for oneself. Made when joining, kept when leaving.';
comment on column public.user_chat_preferences.visible_from_seq is 'Messages up to here were written before one came, in a room that keeps them from newcomers.';
comment on column public.user_chat_preferences.cleared_seq is 'Messages up to here one has cleared for oneself, or were cleared for everyone.';
comment on column public.user_chat_preferences.cleared_change_seq is 'The number of that clearing among the room''s changes: whoever synced before it must fetch the room afresh.';
comment on column public.user_chat_preferences.is_deleted is 'A direct chat deleted for oneself. It is listed again once its last_seq passes cleared_seq.';
comment on column public.user_chat_preferences.cursor_seq is 'Unread is what others wrote after it.';
comment on column public.user_chat_preferences.hidden_seq is 'Messages up to here are not shown to this member.';
comment on column public.user_chat_preferences.manually_marked_unread is 'Shows at least one unread message until one reads, clears or writes "read" again.';
comment on function private.my_hidden_seqs() is 'The rooms that hide something from the caller: {room id: seq}, or null, for the policy on messages.';
