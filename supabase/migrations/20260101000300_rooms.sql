-- Rooms: where people talk, and who is in them.

-- Types
create type public.chat_room_type as enum ('direct', 'group', 'guest');
create type public.chat_room_role as enum ('owner', 'admin', 'member');

-- Tables
create table public.chat_rooms (
  id uuid primary key default private.uuid_v7(),
  type public.chat_room_type not null,
  organization_id uuid references public.organizations (id) on delete cascade,
  title text,
  description text,
  avatar_url text,
  related_product text,
  room_number text,
  direct_key text,
  created_by uuid references public.profiles (id) on delete set null,
  last_seq bigint not null default 0,
  last_message_id uuid,
  last_message_at timestamptz,
  last_change_seq bigint not null default 0,
  floor_seq bigint not null default 0,
  floor_change_seq bigint not null default 0,
  uncounted_messages bigint not null default 0,
  history_for_new_members boolean not null default true,
  closed_at timestamptz,
  topic_epoch bigint not null default 0,
  topic text not null generated always as (
    'room:' || id::text || case when topic_epoch > 0 then ':' || topic_epoch::text else '' end
  ) stored,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint chat_rooms_one_per_pair unique (direct_key),
  constraint direct_rooms_have_a_key check ((type = 'direct') = (direct_key is not null)),
  constraint guest_rooms_have_a_number check ((type = 'guest') = (room_number is not null)),
  constraint title_is_1_to_200_chars check (char_length(title) between 1 and 200),
  constraint description_is_at_most_2000_chars check (char_length(description) <= 2000),
  constraint avatar_url_is_a_web_address check (avatar_url ~ '^https?://' and char_length(avatar_url) <= 2000),
  constraint related_product_is_1_to_200_chars check (char_length(related_product) between 1 and 200)
)
-- Every message updates its room: space on the page keeps the update from touching any index.
with (fillfactor = 70);

create table public.chat_room_members (
  room_id uuid not null references public.chat_rooms (id) on delete cascade,
  user_id uuid not null references public.profiles (id) on delete cascade,
  role public.chat_room_role not null default 'member',
  joined_at timestamptz not null default now(),
  expires_at timestamptz,
  has_written boolean not null default false,
  -- Whether somebody is in a room is asked all the time: the index alone answers.
  primary key (room_id, user_id) include (expires_at)
);

-- Indexes
-- Every policy asks for somebody's rooms: the index alone answers.
create index chat_room_members_user_idx on public.chat_room_members (user_id) include (room_id, expires_at);
create index chat_room_members_writers_idx on public.chat_room_members (user_id) include (room_id) where has_written;
-- The first of a page of participants, and the longest-standing.
create index chat_room_members_joined_idx on public.chat_room_members (room_id, joined_at, user_id);
create index chat_rooms_organization_idx on public.chat_rooms (organization_id);
-- A hotel has many past stays and few open ones.
create index chat_rooms_open_guest_idx on public.chat_rooms (organization_id) where type = 'guest' and closed_at is null;
-- Past guests' rooms whose hotel is gone, for the job that removes them.
create index chat_rooms_orphaned_idx on public.chat_rooms (id) where type = 'guest' and organization_id is null;
create index chat_rooms_created_by_idx on public.chat_rooms (created_by);

-- Functions
-- Everybody who is in a room, for counts, push, receipts and participants: its members whose time is not over, and the
-- staff of the hotel for its guests' rooms. Who only asks whether they are more than some need not count them all.
create function private.room_audience(p_room_id uuid, p_limit bigint default null)
returns setof uuid
language plpgsql stable security definer set search_path = ''
as $$
begin
  return query
  (
    select user_id
    from public.chat_room_members
    where room_id = p_room_id and (expires_at is null or expires_at > now())
    limit p_limit
  )
  union all
  select staff.user_id
  from public.chat_rooms as r
  join public.organization_members as staff on staff.organization_id = r.organization_id
  where r.id = p_room_id
    and r.type = 'guest'
    and not exists (
      select
      from public.chat_room_members as m
      where m.room_id = p_room_id and m.user_id = staff.user_id and (m.expires_at is null or m.expires_at > now())
    )
  limit p_limit;
end;
$$;

create function private.is_room_member(p_room_id uuid, p_user_id uuid)
returns boolean
language plpgsql stable security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
begin
  return exists (
    select
    from public.chat_room_members
    where room_id = p_room_id and user_id = p_user_id and (expires_at is null or expires_at > now())
  ) or exists (
    select
    from public.chat_rooms as r
    join public.organization_members as staff on staff.organization_id = r.organization_id
    where r.id = p_room_id and r.type = 'guest' and staff.user_id = p_user_id
  );
end;
$$;

-- The rooms that somebody is in. Of the hotel's guests it holds those who are there: the past ones, of whom there are
-- many, are read through functions.
create function private.room_ids_of(p_user_id uuid)
returns uuid[]
language plpgsql stable security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
begin
  return array(
    select room_id
    from public.chat_room_members
    where user_id = p_user_id and (expires_at is null or expires_at > now())
    union all
    select r.id
    from public.organization_members as theirs
    join public.chat_rooms as r on r.organization_id = theirs.organization_id
    where theirs.user_id = p_user_id and r.type = 'guest' and r.closed_at is null
  );
end;
$$;

-- One array, not a function per row: Postgres builds it once and finds rows by index with it. Definer rights keep the
-- policies on chat_room_members from calling themselves.
create function private.my_room_ids()
returns uuid[]
language plpgsql stable security definer set search_path = ''
as $$
begin
  return private.room_ids_of(private.my_id());
end;
$$;

-- Everybody who shares a room with this person, who is among them: in a guest's room that is the staff of the hotel too.
create function private.room_mate_ids(p_user_id uuid)
returns setof uuid
language plpgsql stable security definer set search_path = ''
as $$
begin
  return query
  select theirs.user_id
  from public.chat_room_members as mine
  join public.chat_room_members as theirs using (room_id)
  where mine.user_id = p_user_id
    and (mine.expires_at is null or mine.expires_at > now())
    and (theirs.expires_at is null or theirs.expires_at > now())
  union
  select staff.user_id
  from public.chat_room_members as mine
  join public.chat_rooms as r on r.id = mine.room_id
  join public.organization_members as staff on staff.organization_id = r.organization_id
  where mine.user_id = p_user_id and r.type = 'guest' and (mine.expires_at is null or mine.expires_at > now())
  union
  select guest.user_id
  from public.organization_members as mine
  join public.chat_rooms as r on r.organization_id = mine.organization_id
  join public.chat_room_members as guest on guest.room_id = r.id
  where mine.user_id = p_user_id
    and r.type = 'guest'
    and r.closed_at is null
    and (guest.expires_at is null or guest.expires_at > now());
end;
$$;

-- The people the caller may know of: oneself, and whoever shares a room or an organization.
create function private.my_contact_ids()
returns setof uuid
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
begin
  return query
  select me
  union
  select private.room_mate_ids(me)
  union
  select others.user_id
  from public.organization_members as mine
  join public.organization_members as others using (organization_id)
  where mine.user_id = me;
end;
$$;

-- Verdicts: who may do what in a room. Null, or the code of the refusal. Functions, triggers and what clients are told of
-- their permissions all ask them.
create function private.verdict_enter(p_room_id uuid, p_user_id uuid)
returns text
language plpgsql stable security definer set search_path = ''
as $$
begin
  if private.is_room_member(p_room_id, p_user_id) then
    return null;
  end if;
  return case when exists (select from public.chat_rooms where id = p_room_id) then 'not_a_member' else 'room_not_found' end;
end;
$$;

create function private.verdict_send(p_room_id uuid, p_user_id uuid)
returns text
language plpgsql stable security definer set search_path = ''
as $$
declare
  verdict text := private.verdict_enter(p_room_id, p_user_id);
  room public.chat_rooms;
begin
  if verdict is not null then
    return verdict;
  end if;

  select * into room from public.chat_rooms where id = p_room_id;
  if room.closed_at is not null then
    return 'stay_over';
  -- A direct chat with a block between its two can be read, not written in.
  elsif room.type = 'direct' and exists (
    select
    from public.chat_room_members
    where room_id = p_room_id and user_id <> p_user_id and private.are_blocked(user_id, p_user_id)
  ) then
    return 'blocked';
  end if;
  return null;
end;
$$;

-- Adding, removing, promoting and renaming.
create function private.verdict_manage(p_room_id uuid, p_user_id uuid)
returns text
language plpgsql stable security definer set search_path = ''
as $$
begin
  return coalesce(
    private.verdict_leave(p_room_id, p_user_id),
    case when private.room_role(p_room_id, p_user_id) not in ('owner', 'admin') then 'not_an_admin' end
  );
end;
$$;

-- A direct chat is deleted for oneself instead, and a guest checks out.
create function private.verdict_leave(p_room_id uuid, p_user_id uuid)
returns text
language plpgsql stable security definer set search_path = ''
as $$
begin
  return coalesce(
    private.verdict_enter(p_room_id, p_user_id),
    case when (select type from public.chat_rooms where id = p_room_id) <> 'group' then 'not_a_group' end
  );
end;
$$;

-- In a direct chat the creator alone: neither of the two is an admin there, whatever they are in their organization.
create function private.verdict_clear_for_everyone(p_room_id uuid, p_user_id uuid)
returns text
language plpgsql stable security definer set search_path = ''
as $$
begin
  return coalesce(
    private.verdict_enter(p_room_id, p_user_id),
    case
      when (select created_by from public.chat_rooms where id = p_room_id) = p_user_id
        or private.room_role(p_room_id, p_user_id) in ('owner', 'admin')
        or private.is_room_manager(p_room_id, p_user_id)
        and (select type from public.chat_rooms where id = p_room_id) <> 'direct'
      then null
      else 'not_an_admin'
    end
  );
end;
$$;

-- For good: by the managers of an organization; in a group of no organization, by its admins.
create function private.verdict_hard_delete(p_room_id uuid, p_user_id uuid)
returns text
language plpgsql stable security definer set search_path = ''
as $$
begin
  return coalesce(
    private.verdict_enter(p_room_id, p_user_id),
    case
      when (select organization_id from public.chat_rooms where id = p_room_id) is null
        and private.verdict_manage(p_room_id, p_user_id) is null
        or private.is_room_manager(p_room_id, p_user_id)
      then null
      else 'not_an_admin'
    end
  );
end;
$$;

-- Staff without a row in their guests' rooms are members there.
create function private.room_role(p_room_id uuid, p_user_id uuid)
returns public.chat_room_role
language plpgsql stable security definer set search_path = ''
as $$
begin
  return coalesce(
    (select role from public.chat_room_members where room_id = p_room_id and user_id = p_user_id), 'member'
  );
end;
$$;

-- Whether the room belongs to an organization of which this person is a manager or an admin.
create function private.is_room_manager(p_room_id uuid, p_user_id uuid)
returns boolean
language plpgsql stable security definer set search_path = ''
as $$
begin
  return exists (
    select
    from public.chat_rooms as r
    join public.organization_members as staff on staff.organization_id = r.organization_id
    where r.id = p_room_id and staff.user_id = p_user_id and staff.role in ('admin', 'manager')
  );
end;
$$;

create function private.require_allowed(p_verdict text)
returns void
language plpgsql stable set search_path = ''
as $$
begin
  if p_verdict is not null then
    perform private.refuse(p_verdict);
  end if;
end;
$$;

create function private.require_room_member(p_room_id uuid)
returns void
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.require_allowed(private.verdict_enter(p_room_id, private.require_me()));
end;
$$;

-- Policies
alter table public.chat_rooms enable row level security;
alter table public.chat_room_members enable row level security;

create policy "Members read their rooms"
on public.chat_rooms for select to authenticated
-- By the array, and with no other way beside it: only so does a plain select go by the index, and not through all rooms.
using (id = any ((select private.my_room_ids())::uuid[]));

create policy "Members see who else is in their rooms"
on public.chat_room_members for select to authenticated
using (room_id = any ((select private.my_room_ids())::uuid[]));

create policy "Users see people they may know of"
on public.profiles for select to authenticated
using (id in (select private.my_contact_ids()));

-- Grants
revoke all on public.chat_rooms, public.chat_room_members from anon, authenticated;
grant select on public.chat_rooms, public.chat_room_members to authenticated;
grant execute on function private.my_room_ids() to authenticated;
grant execute on function private.my_contact_ids() to authenticated;

-- Comments
comment on column public.chat_rooms.direct_key is 'The two people, and the organization if there is one: a pair has one direct chat.';
comment on column public.chat_rooms.last_seq is 'The seq of the newest message. Counting a message up locks the room.';
comment on column public.chat_rooms.topic is 'Where its live events are. Another one after somebody lost access: who has joined a channel is not asked again.';
comment on column public.chat_rooms.last_change_seq is 'Counts what was changed of messages that others may already have: edits, deletes, restores, reactions, clears.';
comment on column public.chat_rooms.floor_seq is 'Messages up to here were cleared for everyone.';
comment on column public.chat_rooms.floor_change_seq is 'The change_seq of that clearing.';
comment on column public.chat_rooms.uncounted_messages is 'How many of its messages never count as unread: deleted ones, and those of the system.';
comment on column public.chat_rooms.history_for_new_members is 'Whether who joins later reads what was written before.';
comment on column public.chat_rooms.closed_at is 'When the guest left. A closed room is kept for the hotel.';
comment on column public.chat_room_members.expires_at is 'When this membership ends by itself: a guest''s, at the end of the stay. Null: never.';
comment on column public.chat_room_members.has_written is 'Who has written here shows the others an e-mail address.';
comment on function private.room_audience(uuid, bigint) is 'Everybody who is in a room.';
comment on function private.require_allowed(text) is 'Refuses what a verdict speaks against.';
comment on function private.my_room_ids() is 'The rooms of the caller: one array, for policies.';
