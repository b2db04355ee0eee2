-- Shapes: how rooms, messages and people look to clients. One function makes each, for every answer and event.

-- Functions
-- People, by their ids, as the caller sees them. The address is shown of those who have written to me, or work with me, and
-- mine.
create function private.people_seen(p_user_ids uuid[])
returns table (id uuid, username text, first_name text, last_name text, email text, avatar_url text)
language plpgsql stable security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
declare
  me uuid := private.my_id();
  my_rooms uuid[];
begin
  -- Whoever writes is shown to the others, and asks for nobody else.
  if p_user_ids = array[me] then
    return query
    select p.id, p.username, p.first_name, p.last_name, p.email, p.avatar_url from public.profiles as p where p.id = me;
    return;
  end if;

  my_rooms := private.room_ids_of(me);
  return query
  with known as materialized (
    select me as user_id
    union
    select theirs.user_id
    from public.organization_members as mine
    join public.organization_members as theirs using (organization_id)
    where mine.user_id = me and theirs.user_id = any (p_user_ids) and theirs.shows_email
    union
    select theirs.user_id
    from public.chat_room_members as theirs
    where theirs.user_id = any (p_user_ids) and theirs.has_written and theirs.room_id = any (my_rooms)
  )
  select
    p.id,
    p.username,
    p.first_name,
    p.last_name,
    case when known.user_id is not null then p.email end,
    p.avatar_url
  from public.profiles as p
  left join known on known.user_id = p.id
  where p.id = any (p_user_ids);
end;
$$;

create function private.user_json(p_user_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (select to_jsonb(person) from private.people_seen(array[p_user_id]) as person);
end;
$$;

-- Messages as the caller sees them, in the order given. What belongs to them is looked up for all of them at once, and only
-- where there may be any: a message that never changed has no reactions, and one without `@` mentions nobody. As json, which
-- is put together as text: each level of jsonb would take everything below it apart again.
create function private.messages_seen(p_messages public.chat_messages[])
returns table (room_id uuid, message json)
language plpgsql stable security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
declare
  me uuid := private.my_id();
  sender_ids uuid[];
  changed_ids uuid[];
  calling_ids uuid[];
  carrying_ids uuid[];
  attachments jsonb;
  reactions jsonb;
  mentions jsonb;
begin
  select
    array_agg(distinct m.sender_id),
    array_agg(m.id) filter (where m.change_seq > 0 and not m.is_deleted),
    array_agg(m.id) filter (where m.content like '%@%' and not m.is_deleted),
    array_agg(m.id) filter (where m.attachment_ids is not null and not m.is_deleted)
  into sender_ids, changed_ids, calling_ids, carrying_ids
  from unnest(p_messages) as m;
  if changed_ids is not null then
    select jsonb_object_agg(r.message_id, r.reactions) into reactions from private.reactions_of(changed_ids) as r;
  end if;
  if calling_ids is not null then
    select jsonb_object_agg(m.message_id, m.user_ids) into mentions from private.mentions_of(calling_ids) as m;
  end if;
  if carrying_ids is not null then
    select jsonb_object_agg(a.message_id, a.attachments) into attachments from private.attachments_of(carrying_ids) as a;
  end if;

  return query
  select m.room_id, row_to_json(seen)
  from unnest(p_messages) with ordinality as m
  left join private.people_seen(sender_ids) as sender on sender.id = m.sender_id
  cross join lateral (
    select
      m.id,
      m.room_id,
      m.seq,
      m.change_seq,
      m.sender_id,
      case when sender.id is not null then row_to_json(sender) end as sender,
      m.message_type,
      m.content,
      case when m.reply_to_id is not null then
        (
          select json_build_object('id', a.id, 'sender_id', a.sender_id, 'content', a.content)
          from public.chat_messages as a
          where a.id = m.reply_to_id and a.seq > private.hidden_up_to_seq(me, m.room_id)
        )
      end as reply_to,
      m.forwarded_from,
      m.forwarded_count,
      m.is_edited,
      m.edited_at,
      m.is_deleted,
      m.is_encrypted,
      m.encryption_key_id,
      m.encrypted_content,
      coalesce(attachments -> m.id::text, '[]') as attachments,
      coalesce(reactions -> m.id::text, '[]') as reactions,
      coalesce(mentions -> m.id::text, '[]') as mentions,
      m.metadata,
      m.client_id,
      m.created_at
  ) as seen
  order by m.ordinality;
end;
$$;

create function private.message_json(p_message public.chat_messages)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (select message::jsonb from private.messages_seen(array[p_message]));
end;
$$;

-- A message as everybody in its room is told of it. What it answers to is quoted where nobody is whom that is hidden from.
create function private.message_event(p_message public.chat_messages)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  event jsonb := jsonb_build_object('room_id', p_message.room_id, 'message', private.message_json(p_message));
begin
  if p_message.reply_to_id is not null and exists (
    select
    from public.chat_messages as m
    join public.user_chat_preferences as theirs on theirs.room_id = m.room_id and theirs.hidden_seq >= m.seq
    where m.id = p_message.reply_to_id
  ) then
    return jsonb_set(event, '{message,reply_to,content}', 'null', false);
  end if;
  return event;
end;
$$;

-- A page of messages, in the order given.
create function private.messages_json(p_messages public.chat_messages[])
returns json
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (select coalesce(json_agg(message), '[]') from private.messages_seen(p_messages));
end;
$$;

-- A message that the caller may read, by its id.
create function private.my_message_json(p_message_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  message public.chat_messages := private.require_message(p_message_id);
begin
  return private.message_json(message);
end;
$$;

-- A room as the caller sees it.
create function private.room_json(p_room_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.require_room_member(p_room_id);
  return (private.rooms_json(array[p_room_id]) -> 0)::jsonb;
end;
$$;

-- Rooms of the caller, in the order given. Whatever is shown of them is looked up for all of them at once. As json, which
-- is put together as text: each level of jsonb would take everything below it apart again.
create function private.rooms_json(p_room_ids uuid[])
returns json
language plpgsql stable security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
declare
  me uuid := private.my_id();
begin
  return (
    with people as materialized (
      select r.id as room_id, first_ones.*, everybody.member_count
      from public.chat_rooms as r
      cross join lateral (
        -- In what is no guest's room the audience are its members: an index has them in order.
        select m.user_id, m.role, 0 as place
        from public.chat_room_members as m
        where m.room_id = r.id and m.user_id = me
        union all
        (
          select m.user_id, m.role, row_number() over (order by m.joined_at, m.user_id)
          from public.chat_room_members as m
          where m.room_id = r.id and m.user_id <> me
          order by m.joined_at, m.user_id
          limit 19
        )
      ) as first_ones
      cross join lateral (
        select count(*) as member_count from public.chat_room_members as m where m.room_id = r.id
      ) as everybody
      where r.id = any (p_room_ids) and r.type <> 'guest'
      union all
      select r.id, guests.*
      from public.chat_rooms as r
      cross join lateral private.people_with_guest(r.id, me) as guests
      where r.id = any (p_room_ids) and r.type = 'guest'
    ),
    participants as materialized (
      select
        people.room_id,
        max(people.member_count) as member_count,
        json_agg(
          json_build_object(
            'id', person.id,
            'username', person.username,
            'first_name', person.first_name,
            'last_name', person.last_name,
            'email', person.email,
            'avatar_url', person.avatar_url,
            'role', people.role
          )
          order by people.place
        ) as list,
        -- What a room without a title is called: by those one meets there.
        string_agg(
          private.full_name(person.first_name, person.last_name, person.username), ', ' order by people.place
        ) filter (where people.place between 1 and 3) as names,
        max(person.avatar_url) filter (where people.place = 1) as avatar_url
      from people
      join private.people_seen(array(select distinct user_id from people)) as person on person.id = people.user_id
      group by people.room_id
    ),
    last_messages as materialized (
      select seen.room_id, seen.message
      from private.messages_seen(array(
        select m
        from unnest(p_room_ids) as asked (id)
        join public.chat_rooms as r on r.id = asked.id
        join public.chat_messages as m on m.id = r.last_message_id
        left join public.user_chat_preferences as mine on mine.user_id = me and mine.room_id = r.id
        where m.seq > greatest(r.floor_seq, mine.hidden_seq)
      )) as seen
    )
    select coalesce(json_agg(room order by nth), '[]')
    from unnest(p_room_ids) with ordinality as page (id, nth)
    join public.chat_rooms as r on r.id = page.id
    join private.unread_counts(me, p_room_ids) as unread on unread.room_id = r.id
    left join participants as p on p.room_id = r.id
    left join last_messages on last_messages.room_id = r.id
    left join public.user_chat_preferences as mine on mine.user_id = me and mine.room_id = r.id
    cross join lateral (
      select
        r.id,
        r.type,
        r.title,
        coalesce(r.title, p.names) as name,
        r.description,
        coalesce(r.avatar_url, case when r.type = 'direct' then p.avatar_url end) as avatar_url,
        r.organization_id,
        r.related_product,
        r.room_number,
        r.created_by,
        r.created_at,
        r.updated_at,
        r.last_seq,
        last_messages.message as last_message,
        p.list as participants,
        p.member_count,
        r.topic,
        unread.unread_count,
        coalesce(mine.is_archived, false) as is_archived,
        mine.archived_at,
        coalesce(mine.is_muted, false) as is_muted,
        mine.muted_until,
        mine.last_read_message_id,
        coalesce(mine.last_read_seq, 0) as last_read_seq
    ) as room
  );
end;
$$;

-- The first 20 people in a guest's room, this one before all, and how many they are.
create function private.people_with_guest(p_room_id uuid, p_user_id uuid)
returns table (user_id uuid, role public.chat_room_role, place bigint, member_count bigint)
language plpgsql stable security definer set search_path = ''
as $$
begin
  return query
  select
    audience.user_id,
    coalesce(m.role, 'member'),
    row_number() over (order by audience.user_id <> p_user_id, m.joined_at, audience.user_id) - 1,
    count(*) over ()
  from private.room_audience(p_room_id) as audience (user_id)
  left join public.chat_room_members as m on m.room_id = p_room_id and m.user_id = audience.user_id
  order by 3
  limit 20;
end;
$$;

create function private.full_name(p_first_name text, p_last_name text, p_username text)
returns text
language plpgsql immutable set search_path = ''
as $$
begin
  return coalesce(
    nullif(trim(concat_ws(' ', nullif(p_first_name, ''), nullif(p_last_name, ''))), ''),
    p_username
  );
end;
$$;

create function private.full_name(p_user jsonb)
returns text
language plpgsql immutable set search_path = ''
as $$
begin
  return private.full_name(p_user ->> 'first_name', p_user ->> 'last_name', p_user ->> 'username');
end;
$$;

-- Grants
grant execute on function private.my_message_json(uuid) to authenticated;
grant execute on function private.room_json(uuid) to authenticated;
