-- Groups: who is let in, promoted, and gone.
--
-- Locks are taken in the order of a send: profiles by id, organization members, the rate bucket, then the room.

-- Triggers
-- Says in our words what the constraints would say in SQL's. Admins change their groups with a plain update.
create function private.check_room()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  -- The project's own jobs change rooms without a caller.
  if tg_op = 'UPDATE' then
    if private.my_id() is not null then
      perform private.require_allowed(private.verdict_manage(new.id, private.my_id()));
    end if;
    new.history_for_new_members := coalesce(new.history_for_new_members, old.history_for_new_members);
    new.updated_at := clock_timestamp();
  end if;

  if trim(new.title) = '' or char_length(new.title) > 200 then
    perform private.refuse('title_invalid');
  elsif char_length(new.description) > 2000 then
    perform private.refuse('description_too_long');
  elsif new.avatar_url !~ '^https?://' or char_length(new.avatar_url) > 2000 then
    perform private.refuse('avatar_url_invalid');
  end if;
  return new;
end;
$$;

create trigger check_new_room
before insert on public.chat_rooms
for each row execute function private.check_room();

create trigger check_room
before update of title, description, avatar_url, history_for_new_members on public.chat_rooms
for each row execute function private.check_room();

create function private.announce_room_update()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.tell_room(new.id, 'room-updated', private.room_event(new));
  return null;
end;
$$;

create trigger announce_room_update
after update of title, description, avatar_url, history_for_new_members on public.chat_rooms
for each row when (
  (old.title, old.description, old.avatar_url, old.history_for_new_members)
  is distinct from (new.title, new.description, new.avatar_url, new.history_for_new_members)
)
execute function private.announce_room_update();

create function private.announce_role()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.tell_member('member-updated', new);
  return null;
end;
$$;

create trigger announce_role
after update of role on public.chat_room_members
for each row when (old.role <> new.role)
execute function private.announce_role();

-- Whose account ends leaves every room as anybody does. The profile is locked by then, as before a send; the rooms are
-- locked here all at once, in order, with all others in which the end of the account touches anything, and the files after
-- them.
create function private.leave_all_rooms()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform
  from public.chat_rooms
  where id in (
      select room_id from public.chat_room_members where user_id = old.id
      union
      select room_id from public.chat_messages where sender_id = old.id
      union
      select room_id from public.message_mentions where user_id = old.id
      union
      select room_id from public.message_reactions where user_id = old.id
      union
      select room_id from public.guest_stays where guest_user_id = old.id
      union
      select id from public.chat_rooms where created_by = old.id
      union
      select r.id
      from public.organization_members as theirs
      join public.chat_rooms as r on r.organization_id = theirs.organization_id
      where theirs.user_id = old.id and r.type = 'guest' and r.closed_at is null
    )
  order by id
  for update;
  perform from public.media_assets where owner_id = old.id order by id for no key update;

  perform private.part_with_messages(old.id);
  perform private.leave_room(room_id, old.id) from public.chat_room_members where user_id = old.id;
  return old;
end;
$$;

create trigger leave_all_rooms
before delete on public.profiles
for each row execute function private.leave_all_rooms();

-- What somebody wrote stays without its sender, or goes for good where the organization wants that. Whoever is there hears
-- the room move to another topic, and syncs.
create function private.part_with_messages(p_user_id uuid)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  written uuid[] := array(select id from public.chat_messages where sender_id = p_user_id);
  wiped uuid[] := array(
    select m.id
    from public.chat_messages as m
    join public.chat_rooms as r on r.id = m.room_id
    join public.organizations as o on o.id = r.organization_id
    where m.sender_id = p_user_id and m.message_type <> 'system' and o.wipe_messages_of_deleted_accounts
  );
  wiped_rooms uuid[] := array(select distinct room_id from public.chat_messages where id = any (wiped));
begin
  -- A trigger a message that updates the room each time would take minutes for some accounts.
  perform set_config('parley.changes_many', 'on', true);
  update public.chat_messages as m
  set sender_id = nullif(m.sender_id, p_user_id), change_seq = changes.change_seq
  -- Who mentioned them shows one name less, and who answered them quotes nobody.
  from private.next_change_seqs(
    written
    || array(select message_id from public.message_mentions where user_id = p_user_id)
    || array(select id from public.chat_messages where reply_to_id = any (written))
  ) as changes
  where m.id = changes.message_id;

  with emptied as (
    update public.chat_messages as m
    set
      is_deleted = true,
      deleted_at = clock_timestamp(),
      content = private.placeholder(content is not null or encrypted_content is not null, private.has_attachments(m)),
      metadata = '{}',
      is_encrypted = false,
      encryption_key_id = null,
      encrypted_content = null
    where id = any (wiped) and not is_deleted
    returning room_id, seq
  ),
  summed as (
    insert into private.uncounted_messages as sums (room_id, sender_id, block_size, block, messages)
    select room_id, '00000000-0000-0000-0000-000000000000'::uuid, size, seq / size, count(*)
    from emptied, unnest(array[64, 4096, 262144]) as size
    group by 1, 2, 3, 4
    on conflict (room_id, sender_id, block_size, block) do update set messages = sums.messages + excluded.messages
  )
  update public.chat_rooms as r
  set uncounted_messages = uncounted_messages + of_room.messages
  from (select room_id, count(*) as messages from emptied group by room_id) as of_room
  where r.id = of_room.room_id;
  perform set_config('parley.changes_many', '', true);
  perform private.wipe_messages(wiped);
  perform private.move_last_message_back(m)
  from public.chat_rooms as r
  join public.chat_messages as m on m.id = r.last_message_id
  where m.id = any (wiped);
  -- What somebody's own messages took off that person's counts, nobody asks for any more.
  delete from private.uncounted_messages
  where sender_id = p_user_id and room_id in (select room_id from public.chat_messages where id = any (written));
  perform private.audit(room_id, null, 'wipe_account') from unnest(wiped_rooms) as room_id;
  perform private.move_topics(wiped_rooms);
end;
$$;

-- Functions
-- What everybody in a room is told of it: nothing that differs from one to the other.
create function private.room_event(p_room public.chat_rooms)
returns jsonb
language plpgsql stable set search_path = ''
as $$
begin
  return jsonb_build_object(
    'room_id', p_room.id,
    'room', jsonb_build_object(
      'id', p_room.id,
      'type', p_room.type,
      'title', p_room.title,
      'description', p_room.description,
      'avatar_url', p_room.avatar_url,
      'organization_id', p_room.organization_id,
      'related_product', p_room.related_product,
      'room_number', p_room.room_number,
      'created_by', p_room.created_by,
      'created_at', p_room.created_at,
      'updated_at', p_room.updated_at,
      'last_seq', p_room.last_seq,
      'topic', p_room.topic,
      'history_for_new_members', p_room.history_for_new_members
    )
  );
end;
$$;

-- Tells a room, and whoever it concerns, about a member. No address: not everybody there may see it.
create function private.tell_member(p_event text, p_member public.chat_room_members)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  event jsonb := jsonb_build_object(
    'room_id', p_member.room_id,
    'user_id', p_member.user_id,
    'role', p_member.role,
    'joined_at', p_member.joined_at,
    'user', private.user_json(p_member.user_id) || '{"email": null}'
  );
begin
  perform private.tell_room(p_member.room_id, p_event, event);
  perform private.tell_user(p_member.user_id, p_event, event);
end;
$$;

-- Tells everybody in a new room of it.
create function private.tell_created(p_room_id uuid)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  event jsonb;
begin
  select private.room_event(r) into event from public.chat_rooms as r where id = p_room_id;
  perform private.tell_room(p_room_id, 'room-created', event);
  perform private.tell_user(user_id, 'room-created', event) from private.room_audience(p_room_id) as audience (user_id);
end;
$$;

-- The people the caller names, locked as somebody to add: they and their places in the organization stay until this
-- transaction ends.
create function private.lock_people(p_user_ids uuid[], p_organization_id uuid)
returns uuid[]
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
  people uuid[] := array(select distinct id from unnest(p_user_ids) as id where id is not null);
begin
  if cardinality(people) > private.limit_of('members_per_call') then
    perform private.refuse('too_many_members');
  end if;

  perform from public.profiles where id = any (people) order by id for key share;
  -- Of a guest without an account nobody knows who it is.
  if cardinality(people) > (select count(*) from auth.users where id = any (people) and not is_anonymous) then
    perform private.refuse('user_not_found');
  elsif exists (select from unnest(people) as id where private.are_blocked(id, me)) then
    perform private.refuse('blocked');
  end if;

  if p_organization_id is not null then
    perform
    from public.organization_members
    where organization_id = p_organization_id and user_id = any (people)
    order by user_id
    for key share;
    if cardinality(people) > (
      select count(*) from public.organization_members where organization_id = p_organization_id and user_id = any (people)
    ) then
      perform private.refuse('not_in_organization');
    end if;
  end if;
  return people;
end;
$$;

create function private.create_group_chat(
  p_title text, p_member_ids uuid[], p_description text, p_avatar_url text, p_organization_id uuid
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_account();
  people uuid[];
  group_id uuid;
begin
  if p_organization_id is not null then
    perform private.require_organization_role(p_organization_id);
  end if;
  people := private.lock_people(array(select unnest(p_member_ids)) || me, p_organization_id);
  perform private.take_token(me, 'group_room', private.limit_of('group_rooms_per_hour'), '1 hour');

  insert into public.chat_rooms (type, title, description, avatar_url, organization_id, created_by)
  values ('group', p_title, nullif(p_description, ''), nullif(p_avatar_url, ''), p_organization_id, me)
  returning id into group_id;
  insert into public.chat_room_members (room_id, user_id, role)
  select group_id, id, case when id = me then 'owner' else 'member' end::public.chat_room_role
  from unnest(people) as id;

  perform private.tell_created(group_id);
  return private.room_json(group_id);
end;
$$;

create function private.add_room_members(p_room_id uuid, p_user_ids uuid[])
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  people uuid[];
  member public.chat_room_members;
begin
  -- Asked first, so that strangers lock nothing, and again: while this waited for the room, the caller may have lost it.
  perform private.require_allowed(private.verdict_manage(p_room_id, me));
  people := private.lock_people(
    -- Who is there already is nobody to add: neither a block nor anything else matters.
    array(
      select id
      from unnest(p_user_ids) as id
      where id not in (select user_id from public.chat_room_members where room_id = p_room_id)
    ),
    (select organization_id from public.chat_rooms where id = p_room_id)
  );
  perform private.lock_rooms(array[p_room_id]);
  perform private.require_allowed(private.verdict_manage(p_room_id, me));

  for member in
    insert into public.chat_room_members (room_id, user_id)
    select p_room_id, id from unnest(people) as id
    on conflict (room_id, user_id) do nothing
    returning *
  loop
    perform private.tell_member('member-joined', member);
  end loop;
  return private.room_json(p_room_id);
end;
$$;

-- The only way out of a room. The last one out takes it along, with its messages; a guest's room stays with the hotel. A
-- group without an admin gets the longest-standing member as one.
create function private.leave_room(p_room_id uuid, p_user_id uuid)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  room public.chat_rooms;
begin
  select * into room from public.chat_rooms where id = p_room_id for update;
  delete from public.chat_room_members where room_id = p_room_id and user_id = p_user_id;
  if not found or room.type = 'guest' then
    return;
  end if;

  if not exists (select from public.chat_room_members where room_id = p_room_id) then
    delete from public.chat_rooms where id = p_room_id;
  elsif room.type = 'group'
    and not exists (select from public.chat_room_members where room_id = p_room_id and role in ('owner', 'admin'))
  then
    update public.chat_room_members
    set role = 'admin'
    where room_id = p_room_id
      and user_id = (
        select user_id
        from public.chat_room_members
        where room_id = p_room_id
        order by joined_at, user_id
        limit 1
      );
  end if;
end;
$$;

create function private.remove_room_member(p_room_id uuid, p_user_id uuid)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  left_room jsonb;
begin
  perform private.require_removal(p_room_id, p_user_id);
  -- The last one out deletes the room: locked for that from the start.
  perform from public.chat_rooms where id = p_room_id for update;
  perform private.require_removal(p_room_id, p_user_id);

  -- Whoever leaves is answered the room as it was: afterwards it is none of theirs.
  if p_user_id = me then
    left_room := private.room_json(p_room_id);
  end if;
  perform private.leave_room(p_room_id, p_user_id);
  return coalesce(left_room, private.room_json(p_room_id));
end;
$$;

create function private.require_removal(p_room_id uuid, p_user_id uuid)
returns void
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
begin
  if p_user_id = me then
    perform private.require_allowed(private.verdict_leave(p_room_id, me));
  else
    perform private.require_allowed(private.verdict_manage(p_room_id, me));
    perform private.require_rank(p_room_id, p_user_id);
  end if;
end;
$$;

-- Admins neither remove an owner nor make one.
create function private.require_rank(p_room_id uuid, p_user_id uuid)
returns void
language plpgsql stable security definer set search_path = ''
as $$
begin
  if not exists (select from public.chat_room_members where room_id = p_room_id and user_id = p_user_id) then
    perform private.refuse('user_not_found');
  elsif private.room_role(p_room_id, p_user_id) = 'owner'
    and private.room_role(p_room_id, private.my_id()) <> 'owner'
  then
    perform private.refuse('not_an_owner');
  end if;
end;
$$;

create function private.set_member_role(p_room_id uuid, p_user_id uuid, p_role text)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
begin
  if (p_role = any (enum_range(null::public.chat_room_role)::text[])) is not true then
    perform private.refuse('unknown_role');
  end if;
  perform private.require_allowed(private.verdict_manage(p_room_id, me));
  perform private.lock_rooms(array[p_room_id]);
  perform private.require_allowed(private.verdict_manage(p_room_id, me));
  perform private.require_rank(p_room_id, p_user_id);

  if p_role = 'owner' and private.room_role(p_room_id, me) <> 'owner' then
    perform private.refuse('not_an_owner');
  elsif p_role = 'member' and not exists (
    select
    from public.chat_room_members
    where room_id = p_room_id and user_id <> p_user_id and role in ('owner', 'admin')
  ) then
    perform private.refuse('last_admin');
  end if;

  update public.chat_room_members
  set role = p_role::public.chat_room_role
  where room_id = p_room_id and user_id = p_user_id;
  return private.room_json(p_room_id);
end;
$$;

create function public.create_group_chat(
  p_title text,
  p_member_ids uuid[],
  p_description text default null,
  p_avatar_url text default null,
  p_organization_id uuid default null
)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.create_group_chat(p_title, p_member_ids, p_description, p_avatar_url, p_organization_id);
end;
$$;

create function public.add_room_members(p_room_id uuid, p_user_ids uuid[])
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.add_room_members(p_room_id, p_user_ids);
end;
$$;

create function public.remove_room_member(p_room_id uuid, p_user_id uuid)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.remove_room_member(p_room_id, p_user_id);
end;
$$;

create function public.set_member_role(p_room_id uuid, p_user_id uuid, p_role text)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.set_member_role(p_room_id, p_user_id, p_role);
end;
$$;

-- Policies
-- Who of the members may, and why not, is the trigger's to say.
create policy "Members change their groups, if they may"
on public.chat_rooms for update to authenticated
using (id = any ((select private.my_room_ids())::uuid[]));

-- Grants
grant update (title, description, avatar_url, history_for_new_members) on public.chat_rooms to authenticated;
grant execute on function private.create_group_chat(text, uuid[], text, text, uuid) to authenticated;
grant execute on function private.add_room_members(uuid, uuid[]) to authenticated;
grant execute on function private.remove_room_member(uuid, uuid) to authenticated;
grant execute on function private.set_member_role(uuid, uuid, text) to authenticated;
grant execute on function public.create_group_chat(text, uuid[], text, text, uuid) to authenticated;
grant execute on function public.add_room_members(uuid, uuid[]) to authenticated;
grant execute on function public.remove_room_member(uuid, uuid) to authenticated;
grant execute on function public.set_member_role(uuid, uuid, text) to authenticated;

-- Comments
comment on function private.leave_room(uuid, uuid) is 'Takes a member out of a room, by the rules for whoever leaves. Its transaction may hold no room with a larger id.';
comment on function public.create_group_chat(text, uuid[], text, text, uuid) is
'A group of up to 500 people, to which more can be added; the caller is its owner. In an organization, of its members only. Answers a room. Refusals: not_signed_in, anonymous_not_allowed, organization_not_found, not_in_organization, too_many_members, user_not_found, blocked, too_many_requests, title_invalid, description_too_long, avatar_url_invalid.';
comment on function public.add_room_members(uuid, uuid[]) is
'Admins add up to 500 people at once; whoever is there already stays as they are. Answers the room. Refusals: not_signed_in, room_not_found, not_a_member, not_a_group, not_an_admin, too_many_members, user_not_found, blocked, not_in_organization.';
comment on function public.remove_room_member(uuid, uuid) is
'Members leave, admins remove others. The last one out takes the group along; without an admin, the longest-standing member becomes one. Answers the room, to who leaves as it was before. Refusals: not_signed_in, room_not_found, not_a_member, not_a_group, not_an_admin, not_an_owner, user_not_found.';
comment on function public.set_member_role(uuid, uuid, text) is
'Admins make a member owner, admin or member; owners are made and unmade by owners. Answers the room. Refusals: not_signed_in, unknown_role, room_not_found, not_a_member, not_a_group, not_an_admin, user_not_found, not_an_owner, last_admin.';
