-- Rooms: where people talk, who is in them, and what each keeps about a room for oneself.

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
  primary key (room_id, user_id)
);

create table public.user_chat_preferences (
  user_id uuid not null references public.profiles (id) on delete cascade,
  room_id uuid not null references public.chat_rooms (id) on delete cascade,
  visible_from_seq bigint not null default 0,
  last_read_seq bigint not null default 0,
  last_read_message_id uuid,
  is_archived boolean not null default false,
  archived_at timestamptz,
  is_muted boolean not null default false,
  muted_until timestamptz,
  cursor_seq bigint generated always as (greatest(visible_from_seq, last_read_seq)) stored,
  primary key (user_id, room_id),
  constraint archived_rooms_say_since_when check (is_archived = (archived_at is not null))
)
with (fillfactor = 70);

-- Indexes
create index chat_room_members_user_idx on public.chat_room_members (user_id);
create index chat_rooms_organization_idx on public.chat_rooms (organization_id);
create index chat_rooms_created_by_idx on public.chat_rooms (created_by);
create index user_chat_preferences_room_idx on public.user_chat_preferences (room_id);

-- Triggers
create function private.start_preferences()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  -- A late joiner starts with nothing unread. Who comes again starts as a late joiner too.
  insert into public.user_chat_preferences as mine (user_id, room_id, last_read_seq, last_read_message_id)
  select new.user_id, id, last_seq, last_message_id
  from public.chat_rooms
  where id = new.room_id
  on conflict (user_id, room_id) do update
  set last_read_seq = greatest(mine.last_read_seq, excluded.last_read_seq),
    last_read_message_id = excluded.last_read_message_id;
  return null;
end;
$$;

create trigger start_preferences
after insert on public.chat_room_members
for each row execute function private.start_preferences();

-- Functions
-- One array, not a function per row: Postgres builds it once and finds rows by index with it. Definer rights keep the
-- policies on chat_room_members from calling themselves.
create function private.my_room_ids()
returns uuid[]
language plpgsql stable security definer set search_path = ''
as $$
begin
  return array(select room_id from public.chat_room_members where user_id = (select private.my_id()));
end;
$$;

create function private.is_room_member(p_room_id uuid, p_user_id uuid)
returns boolean
language plpgsql stable security definer set search_path = ''
as $$
begin
  return exists (select from public.chat_room_members where room_id = p_room_id and user_id = p_user_id);
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
  select others.user_id
  from public.chat_room_members as mine
  join public.chat_room_members as others using (room_id)
  where mine.user_id = me
  union
  select others.user_id
  from public.organization_members as mine
  join public.organization_members as others using (organization_id)
  where mine.user_id = me;
end;
$$;

-- Messages up to this seq are not shown to this person.
create function private.hidden_up_to_seq(p_user_id uuid, p_room_id uuid)
returns bigint
language plpgsql stable security definer set search_path = ''
as $$
begin
  return coalesce(
    (select visible_from_seq from public.user_chat_preferences where user_id = p_user_id and room_id = p_room_id), 0
  );
end;
$$;

create function private.require_room_member(p_room_id uuid)
returns void
language plpgsql stable security definer set search_path = ''
as $$
begin
  if private.is_room_member(p_room_id, private.require_me()) then
    return;
  end if;
  perform private.refuse(
    case when exists (select from public.chat_rooms where id = p_room_id) then 'not_a_member' else 'room_not_found' end
  );
end;
$$;

-- Policies
alter table public.chat_rooms enable row level security;
alter table public.chat_room_members enable row level security;
alter table public.user_chat_preferences enable row level security;

create policy "Members read their rooms"
on public.chat_rooms for select to authenticated
-- Not the array, as elsewhere: a list of rooms comes as a join with them, where `exists` is faster.
using (
  exists (
    select
    from public.chat_room_members as m
    where m.room_id = chat_rooms.id and m.user_id = (select private.my_id())
  )
);

create policy "Members see who else is in their rooms"
on public.chat_room_members for select to authenticated
using (room_id = any ((select private.my_room_ids())::uuid[]));

create policy "Users read their own preferences"
on public.user_chat_preferences for select to authenticated
using (user_id = (select private.my_id()));

create policy "Users see people they may know of"
on public.profiles for select to authenticated
using (id in (select private.my_contact_ids()));

-- Grants
revoke all on public.chat_rooms, public.chat_room_members, public.user_chat_preferences from anon, authenticated;
grant select on public.chat_rooms, public.chat_room_members, public.user_chat_preferences to authenticated;
grant execute on function private.my_room_ids() to authenticated;
grant execute on function private.my_contact_ids() to authenticated;

-- Comments
comment on column public.chat_rooms.direct_key is 'The two people, and the organization if there is one: a pair has one direct chat.';
comment on column public.chat_rooms.last_seq is 'The seq of the newest message. Counting a message up locks the room.';
comment on column public.chat_rooms.topic is 'Where its live events are. Another one after somebody lost access: who has joined a channel is not asked again.';
comment on table public.user_chat_preferences is 'What a member keeps about a room for oneself. Made when joining, kept when leaving.';
comment on column public.user_chat_preferences.visible_from_seq is 'Messages up to here are not shown to this member.';
comment on column public.user_chat_preferences.cursor_seq is 'Unread is what others wrote after it.';
comment on function private.my_room_ids() is 'The rooms of the caller: one array, for policies.';
