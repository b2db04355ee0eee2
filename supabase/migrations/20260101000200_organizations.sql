-- Organizations: the hotel, shop or company whose people work together.

-- Types
create type public.organization_role as enum ('admin', 'manager', 'staff');

-- Tables
create table public.organizations (
  id uuid primary key default private.uuid_v7(),
  slug text not null,
  name text not null,
  guest_delete_window interval not null default '5 minutes',
  undo_window interval not null default '30 seconds',
  max_attachments bigint not null default 10,
  max_attachment_bytes bigint not null default 52428800,
  wipe_messages_of_deleted_accounts boolean not null default false,
  created_at timestamptz not null default now(),
  constraint slug_is_a_word_for_urls check (slug ~ '^[a-z0-9]+(?:-[a-z0-9]+)*$' and char_length(slug) <= 60),
  constraint name_is_1_to_200_chars check (char_length(name) between 1 and 200),
  constraint organizations_one_per_slug unique (slug),
  constraint guest_delete_window_is_at_most_30_days check (guest_delete_window between '0' and '30 days'),
  constraint undo_window_is_at_most_a_day check (undo_window between '0' and '1 day'),
  -- What every client is promised at most; a hotel may allow less, or no files at all.
  constraint max_attachments_is_at_most_10 check (max_attachments between 0 and 10),
  constraint max_attachment_bytes_is_at_most_50_mb check (max_attachment_bytes between 1 and 52428800)
);

create table public.organization_members (
  organization_id uuid not null references public.organizations (id) on delete cascade,
  user_id uuid not null references public.profiles (id) on delete cascade,
  role public.organization_role not null default 'staff',
  joined_at timestamptz not null default now(),
  shows_email boolean not null default true,
  primary key (organization_id, user_id)
);

-- Indexes
create index organization_members_user_idx on public.organization_members (user_id);

-- Triggers
-- Says in our words what the constraints would say in SQL's.
create function private.check_organization()
returns trigger
language plpgsql set search_path = ''
as $$
begin
  if char_length(new.name) between 1 and 200 is not true then
    perform private.refuse('organization_name_invalid');
  elsif (new.slug ~ '^[a-z0-9]+(?:-[a-z0-9]+)*$' and char_length(new.slug) <= 60) is not true then
    perform private.refuse('slug_invalid');
  elsif new.slug = any (private.reserved_slugs()) then
    perform private.refuse('slug_reserved');
  elsif (
    new.guest_delete_window between '0' and '30 days'
    and new.undo_window between '0' and '1 day'
    and new.max_attachments between 0 and 10
    and new.max_attachment_bytes between 1 and 52428800
    and new.wipe_messages_of_deleted_accounts is not null
  ) is not true then
    perform private.refuse('setting_out_of_range');
  end if;
  return new;
end;
$$;

create trigger check_organization
before insert or update on public.organizations
for each row execute function private.check_organization();

-- Whoever comes again starts in the guests' rooms as everywhere: with nothing unread.
create function private.return_to_guests()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.start_preferences(new.user_id, r.id)
  from public.user_chat_preferences as p
  join public.chat_rooms as r on r.id = p.room_id
  where p.user_id = new.user_id and r.organization_id = new.organization_id and r.type = 'guest';
  return null;
end;
$$;

create trigger return_to_guests
after insert on public.organization_members
for each row execute function private.return_to_guests();

-- Whoever leaves an organization leaves its rooms, and hears its guests no longer.
create function private.leave_organization_rooms()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  guest_room_ids uuid[] := array(
    select r.id
    from public.chat_rooms as r
    where r.organization_id in (select organization_id from left_members) and r.type = 'guest' and r.closed_at is null
  );
begin
  -- All at once, in order: rooms are locked by id everywhere.
  perform
  from public.chat_rooms
  where id = any (guest_room_ids)
    or id in (
      select m.room_id
      from left_members as l
      join public.chat_room_members as m using (user_id)
      join public.chat_rooms as r on r.id = m.room_id and r.organization_id = l.organization_id
    )
  order by id
  for update;

  perform private.leave_room(m.room_id, m.user_id)
  from public.chat_room_members as m
  join public.chat_rooms as r on r.id = m.room_id
  join left_members as l on l.user_id = m.user_id and l.organization_id = r.organization_id;
  perform private.move_topics(guest_room_ids);
  return null;
end;
$$;

create trigger leave_organization_rooms
after delete on public.organization_members
referencing old table as left_members
for each statement execute function private.leave_organization_rooms();

-- When an account ends, no organization stays without an admin: the longest-standing manager becomes one or, without any,
-- the longest-standing of the staff. Organizations are locked before rooms: triggers run in the order of their names.
create function private.hand_organizations_over()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  left_id uuid;
begin
  for left_id in
    select organization_id from public.organization_members where user_id = old.id order by organization_id
  loop
    perform private.lock_organization(left_id);
    update public.organization_members as heir
    set role = 'admin'
    where heir.organization_id = left_id
      and heir.user_id = (
        select user_id
        from public.organization_members
        where organization_id = left_id and user_id <> old.id
        order by role, joined_at, user_id
        limit 1
      )
      and heir.role <> 'admin';
  end loop;
  return old;
end;
$$;

create trigger a_hand_organizations_over
before delete on public.profiles
for each row execute function private.hand_organizations_over();

-- Functions
-- Definer rights keep the policies on organization_members from calling themselves.
create function private.my_organization_ids()
returns uuid[]
language plpgsql stable security definer set search_path = ''
as $$
begin
  return array(select organization_id from public.organization_members where user_id = (select private.my_id()));
end;
$$;

create function private.my_administered_ids()
returns uuid[]
language plpgsql stable security definer set search_path = ''
as $$
begin
  return array(
    select organization_id
    from public.organization_members
    where user_id = (select private.my_id()) and role = 'admin'
  );
end;
$$;

-- The words that stand in a path where a slug could, of our HTTP doors and of what may come there.
create function private.reserved_slugs()
returns text[]
language plpgsql immutable set search_path = ''
as $$
begin
  return array[
    'admin', 'api', 'archive', 'attachments', 'auth', 'chat', 'conversations', 'create-direct-chat', 'devices', 'encryption',
    'functions', 'generate-upload-url', 'guests', 'health', 'heartbeat', 'keys', 'mark-offline', 'me', 'messages',
    'messaging', 'notification-preferences', 'notifications', 'online-users', 'organizations', 'participants', 'presence',
    'profile', 'profiles', 'reports', 'rooms', 'search', 'settings', 'staff', 'staff-chat', 'start-conversation', 'status',
    'sync', 'typing', 'unread', 'unread-count', 'uploads', 'users', 'v1', 'v2'
  ];
end;
$$;

create function private.to_organization_role(p_role text)
returns public.organization_role
language plpgsql stable set search_path = ''
as $$
begin
  if (p_role = any (enum_range(null::public.organization_role)::text[])) is not true then
    perform private.refuse('unknown_role');
  end if;
  return p_role;
end;
$$;

-- The caller's role in an organization. Strangers are told apart from those who ask for nothing that exists.
create function private.require_organization_role(p_organization_id uuid)
returns public.organization_role
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  my_role public.organization_role;
begin
  select role into my_role
  from public.organization_members
  where organization_id = p_organization_id and user_id = me;
  if my_role is null then
    perform private.refuse(
      case
        when exists (select from public.organizations where id = p_organization_id) then 'not_in_organization'
        else 'organization_not_found'
      end
    );
  end if;
  return my_role;
end;
$$;

-- Who changes the members of an organization waits for whoever else does: of two admins who leave at the same moment, one
-- stays.
create function private.lock_organization(p_organization_id uuid)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform from public.organizations where id = p_organization_id for no key update;
end;
$$;

create function private.require_another_admin(p_organization_id uuid, p_user_id uuid)
returns void
language plpgsql stable security definer set search_path = ''
as $$
begin
  if not exists (
    select
    from public.organization_members
    where organization_id = p_organization_id and role = 'admin' and user_id <> p_user_id
  ) then
    perform private.refuse('last_admin');
  end if;
end;
$$;

create function private.create_organization(p_name text, p_slug text)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_account();
  made public.organizations;
begin
  perform private.take_token(me, 'organization', private.limit_of('organizations_per_hour'), '1 hour');

  insert into public.organizations (name, slug)
  values (p_name, p_slug)
  on conflict (slug) do nothing
  returning * into made;
  if made.id is null then
    perform private.refuse('slug_taken');
  end if;

  insert into public.organization_members (organization_id, user_id, role) values (made.id, me, 'admin');
  return jsonb_build_object('id', made.id, 'slug', made.slug, 'name', made.name);
end;
$$;

create function private.add_organization_member(p_organization_id uuid, p_user_id uuid, p_role text)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  my_role public.organization_role := private.require_organization_role(p_organization_id);
  new_role public.organization_role := private.to_organization_role(p_role);
begin
  if my_role = 'staff' then
    perform private.refuse('not_a_manager');
  elsif my_role = 'manager' and new_role <> 'staff' then
    perform private.refuse('not_an_admin');
  -- Of a guest without an account nobody knows who it is.
  elsif not exists (select from auth.users where id = p_user_id and not is_anonymous) then
    perform private.refuse('user_not_found');
  elsif private.are_blocked(private.my_id(), p_user_id) then
    perform private.refuse('blocked');
  end if;

  -- By the clock of messages: what was written until now is not unread.
  insert into public.organization_members (organization_id, user_id, role, joined_at, shows_email)
  values (p_organization_id, p_user_id, new_role, clock_timestamp(), false)
  on conflict (organization_id, user_id) do nothing;
end;
$$;

create function private.set_organization_role(p_organization_id uuid, p_user_id uuid, p_role text)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  new_role public.organization_role := private.to_organization_role(p_role);
begin
  perform private.lock_organization(p_organization_id);
  if private.require_organization_role(p_organization_id) <> 'admin' then
    perform private.refuse('not_an_admin');
  elsif new_role <> 'admin' then
    perform private.require_another_admin(p_organization_id, p_user_id);
  end if;

  update public.organization_members
  set role = new_role
  where organization_id = p_organization_id and user_id = p_user_id;
  if not found then
    perform private.refuse('user_not_found');
  end if;
end;
$$;

create function private.remove_organization_member(p_organization_id uuid, p_user_id uuid)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  my_role public.organization_role;
  their_role public.organization_role;
begin
  perform private.lock_organization(p_organization_id);
  my_role := private.require_organization_role(p_organization_id);
  select role into their_role
  from public.organization_members
  where organization_id = p_organization_id and user_id = p_user_id;

  if my_role = 'staff' and p_user_id is distinct from me then
    perform private.refuse('not_a_manager');
  elsif their_role is null then
    perform private.refuse('user_not_found');
  elsif my_role = 'manager' and their_role <> 'staff' and p_user_id <> me then
    perform private.refuse('not_an_admin');
  elsif their_role = 'admin' then
    perform private.require_another_admin(p_organization_id, p_user_id);
  end if;

  delete from public.organization_members where organization_id = p_organization_id and user_id = p_user_id;
end;
$$;

-- Ends an organization with its rooms. What was audited and reported names it by its id alone, and stays.
create function private.delete_organization(p_organization_id uuid)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
begin
  perform from public.organizations where id = p_organization_id for update;
  if private.require_organization_role(p_organization_id) <> 'admin' then
    perform private.refuse('not_an_admin');
  end if;

  perform from public.chat_rooms where organization_id = p_organization_id and closed_at is null order by id for update;
  perform private.tell_user(
    user_id, 'room-deleted', jsonb_build_object('room_id', r.id, 'deleted_by', me, 'deleted_at', now())
  )
  from public.chat_rooms as r, private.room_audience(r.id) as audience (user_id)
  where r.organization_id = p_organization_id and r.closed_at is null;
  delete from public.chat_rooms where organization_id = p_organization_id and closed_at is null;

  -- The rooms of past guests are in nobody's list, and too many to end while somebody waits.
  update public.chat_rooms set organization_id = null where organization_id = p_organization_id;
  delete from public.organizations where id = p_organization_id;
end;
$$;

create function private.remove_orphaned_rooms()
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  delete from public.chat_rooms
  where id in (
    select id
    from public.chat_rooms
    where type = 'guest' and organization_id is null
    order by id
    limit 1000
    for update skip locked
  );
end;
$$;

create function public.create_organization(p_name text, p_slug text)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.create_organization(p_name, p_slug);
end;
$$;

create function public.add_organization_member(p_organization_id uuid, p_user_id uuid, p_role text)
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  perform private.add_organization_member(p_organization_id, p_user_id, p_role);
end;
$$;

create function public.set_organization_role(p_organization_id uuid, p_user_id uuid, p_role text)
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  perform private.set_organization_role(p_organization_id, p_user_id, p_role);
end;
$$;

create function public.remove_organization_member(p_organization_id uuid, p_user_id uuid)
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  perform private.remove_organization_member(p_organization_id, p_user_id);
end;
$$;

create function public.delete_organization(p_organization_id uuid)
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  perform private.delete_organization(p_organization_id);
end;
$$;

-- Jobs
select cron.schedule('remove_orphaned_rooms', '10 seconds', 'select private.remove_orphaned_rooms()');

-- Policies
alter table public.organizations enable row level security;
alter table public.organization_members enable row level security;

create policy "Members read their organization"
on public.organizations for select to authenticated
using (id = any ((select private.my_organization_ids())::uuid[]));

create policy "Members see who else is in their organization"
on public.organization_members for select to authenticated
using (organization_id = any ((select private.my_organization_ids())::uuid[]));

create policy "Admins change the settings of their organization"
on public.organizations for update to authenticated
using (id = any ((select private.my_administered_ids())::uuid[]));

-- Grants
revoke all on public.organizations, public.organization_members from anon, authenticated;
grant select on public.organizations, public.organization_members to authenticated;
grant update (
  name, guest_delete_window, undo_window, max_attachments, max_attachment_bytes, wipe_messages_of_deleted_accounts
)
on public.organizations to authenticated;
grant execute on function private.my_organization_ids() to authenticated;
grant execute on function private.my_administered_ids() to authenticated;
grant execute on function private.reserved_slugs() to authenticated, service_role;
grant execute on function private.create_organization(text, text) to authenticated;
grant execute on function private.add_organization_member(uuid, uuid, text) to authenticated;
grant execute on function private.set_organization_role(uuid, uuid, text) to authenticated;
grant execute on function private.remove_organization_member(uuid, uuid) to authenticated;
grant execute on function private.delete_organization(uuid) to authenticated;
grant execute on function public.create_organization(text, text) to authenticated;
grant execute on function public.add_organization_member(uuid, uuid, text) to authenticated;
grant execute on function public.set_organization_role(uuid, uuid, text) to authenticated;
grant execute on function public.remove_organization_member(uuid, uuid) to authenticated;
grant execute on function public.delete_organization(uuid) to authenticated;

-- Comments
comment on table public.organizations is 'A hotel, shop or company. Its slug stands in URLs.';
comment on column public.organizations.guest_delete_window is 'How long a guest may delete a message of one''s own.';
comment on column public.organizations.undo_window is 'How long whoever deleted a message may bring it back. Its files are destroyed after it.';
comment on column public.organizations.max_attachments is 'How many files a message may hold.';
comment on column public.organizations.max_attachment_bytes is 'How large each file may be.';
comment on column public.organizations.wipe_messages_of_deleted_accounts is 'Whether what somebody wrote here goes with that person''s account.';
comment on table public.organization_members is 'Who works in an organization, and as what.';
comment on column public.organization_members.shows_email is 'Whether colleagues see this person''s e-mail address. Whoever was added by one of them, and had no say in it, shows it with a first message in a room of the organization.';
comment on function private.my_organization_ids() is 'The organizations of the caller: one array, for policies.';
comment on function private.my_administered_ids() is 'The organizations whose admin the caller is: one array, for policies.';
comment on function public.create_organization(text, text) is
'Makes an organization, with the caller as its admin. Answers {id, slug, name}. Refusals: not_signed_in, anonymous_not_allowed, organization_name_invalid, slug_invalid, slug_reserved, slug_taken, too_many_requests.';
comment on function public.add_organization_member(uuid, uuid, text) is
'Admins add people as admin, manager or staff, managers as staff. Adding somebody again changes nothing. Refusals: not_signed_in, organization_not_found, not_in_organization, unknown_role, not_a_manager, not_an_admin, user_not_found, blocked.';
comment on function public.set_organization_role(uuid, uuid, text) is
'Admins make a member admin, manager or staff. Refusals: not_signed_in, unknown_role, organization_not_found, not_in_organization, not_an_admin, last_admin, user_not_found.';
comment on function public.remove_organization_member(uuid, uuid) is
'Everybody may leave; admins remove anybody, managers staff. Whoever is removed leaves every room of the organization. Refusals: not_signed_in, organization_not_found, not_in_organization, not_a_manager, not_an_admin, user_not_found, last_admin.';
comment on function public.delete_organization(uuid) is
'Admins end their organization, with its rooms and stays. Refusals: not_signed_in, organization_not_found, not_in_organization, not_an_admin.';
