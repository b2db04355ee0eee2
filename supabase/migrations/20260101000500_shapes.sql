-- Shapes: how rooms, messages and people look to clients. One function makes each, for every answer and event.

-- Functions
-- People, by their ids. The address is shown of those who have written to me, or work with me, and mine.
create function private.user_objects(p_user_ids uuid[])
returns table (user_id uuid, object jsonb)
language plpgsql stable security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
declare
  me uuid := private.my_id();
  my_rooms uuid[] := private.room_ids_of(me);
begin
  return query
  with known as materialized (
    select me as id
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
    jsonb_build_object(
      'id', p.id,
      'username', p.username,
      'first_name', p.first_name,
      'last_name', p.last_name,
      'email', case when p.id in (select id from known) then p.email end,
      'avatar_url', p.avatar_url
    )
  from public.profiles as p
  where p.id = any (p_user_ids);
end;
$$;

create function private.user_json(p_user_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (select object from private.user_objects(array[p_user_id]));
end;
$$;

-- The sender as `private.user_json` makes it.
create function private.message_json(p_message public.chat_messages, p_sender jsonb)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return private.message_json(
    p_message,
    p_sender,
    private.attachments_json(p_message),
    private.reactions_json(p_message),
    private.mentions_json(p_message)
  );
end;
$$;

-- Who has a page of messages looks what belongs to them up once for all.
create function private.message_json(
  p_message public.chat_messages, p_sender jsonb, p_attachments jsonb, p_reactions jsonb, p_mentions jsonb
)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  reply_to jsonb;
begin
  -- Most messages answer none: without a query in it, what is returned costs a tenth.
  if p_message.reply_to_id is not null then
    select jsonb_build_object('id', id, 'sender_id', sender_id, 'content', content) into reply_to
    from public.chat_messages
    where id = p_message.reply_to_id and seq > private.hidden_up_to_seq(private.my_id(), p_message.room_id);
  end if;

  return jsonb_build_object(
    'id', p_message.id,
    'room_id', p_message.room_id,
    'seq', p_message.seq,
    'change_seq', p_message.change_seq,
    'sender_id', p_message.sender_id,
    'sender', p_sender,
    'message_type', p_message.message_type,
    'content', p_message.content,
    'reply_to', reply_to,
    'forwarded_from', p_message.forwarded_from,
    'forwarded_count', p_message.forwarded_count,
    'is_edited', p_message.is_edited,
    'edited_at', p_message.edited_at,
    'is_deleted', p_message.is_deleted,
    'is_encrypted', p_message.is_encrypted,
    'encryption_key_id', p_message.encryption_key_id,
    'encrypted_content', p_message.encrypted_content,
    'attachments', coalesce(p_attachments, '[]'),
    'reactions', coalesce(p_reactions, '[]'),
    'mentions', coalesce(p_mentions, '[]'),
    'metadata', p_message.metadata,
    'client_id', p_message.client_id,
    'created_at', p_message.created_at
  );
end;
$$;

-- A message as everybody in its room is told of it. What it answers to is quoted where nobody is whom that is hidden from.
create function private.message_event(p_message public.chat_messages)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  event jsonb := jsonb_build_object(
    'room_id', p_message.room_id, 'message', private.message_json(p_message, private.user_json(p_message.sender_id))
  );
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
returns jsonb
language plpgsql stable security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
declare
  senders jsonb;
  changed_ids uuid[];
  calling_ids uuid[];
  carrying_ids uuid[];
  attachments jsonb;
  reactions jsonb;
  mentions jsonb;
begin
  select jsonb_object_agg(user_id, object) into senders
  from private.user_objects(array(select distinct sender_id from unnest(p_messages)));
  -- As for a single one: a message that never changed has no reactions, and one without `@` mentions nobody.
  select
    array_agg(id) filter (where change_seq > 0 and not is_deleted),
    array_agg(id) filter (where content like '%@%' and not is_deleted),
    array_agg(id) filter (where attachment_ids is not null and not is_deleted)
  into changed_ids, calling_ids, carrying_ids
  from unnest(p_messages);
  if changed_ids is not null then
    select jsonb_object_agg(r.message_id, r.reactions) into reactions from private.reactions_of(changed_ids) as r;
  end if;
  if calling_ids is not null then
    select jsonb_object_agg(m.message_id, m.user_ids) into mentions from private.mentions_of(calling_ids) as m;
  end if;
  if carrying_ids is not null then
    select jsonb_object_agg(a.message_id, a.attachments) into attachments from private.attachments_of(carrying_ids) as a;
  end if;

  return (
    select coalesce(
      jsonb_agg(
        private.message_json(
          m,
          senders -> m.sender_id::text,
          attachments -> m.id::text,
          reactions -> m.id::text,
          mentions -> m.id::text
        )
      ),
      '[]'
    )
    from unnest(p_messages) as m
  );
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
  return private.message_json(message, private.user_json(message.sender_id));
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
    -- Each person once, however many rooms we share.
    shown as materialized (
      select
        user_id,
        role,
        (object || jsonb_build_object('role', role))::text::json as participant,
        private.full_name(object) as name,
        object ->> 'avatar_url' as avatar_url
      from (select distinct user_id, role from people) as each
      join private.user_objects(array(select distinct user_id from people)) using (user_id)
    ),
    participants as materialized (
      select
        room_id,
        max(member_count) as member_count,
        json_agg(participant order by place) as list,
        -- What a room without a title is called: by those one meets there.
        string_agg(name, ', ' order by place) filter (where place between 1 and 3) as names,
        max(avatar_url) filter (where place = 1) as avatar_url
      from people
      join shown using (user_id, role)
      group by room_id
    ),
    last_messages as materialized (
      select (object ->> 'room_id')::uuid as room_id, object
      from jsonb_array_elements(private.messages_json(array(
        select m
        from public.chat_rooms as r
        join public.chat_messages as m on m.id = r.last_message_id
        left join public.user_chat_preferences as mine on mine.user_id = me and mine.room_id = r.id
        where r.id = any (p_room_ids) and m.seq > greatest(r.floor_seq, mine.hidden_seq)
      ))) as object
    )
    select coalesce(
      json_agg(
        json_build_object(
          'id', r.id,
          'type', r.type,
          'title', r.title,
          'name', coalesce(r.title, p.names),
          'description', r.description,
          'avatar_url', coalesce(r.avatar_url, case when r.type = 'direct' then p.avatar_url end),
          'organization_id', r.organization_id,
          'related_product', r.related_product,
          'room_number', r.room_number,
          'created_by', r.created_by,
          'created_at', r.created_at,
          'updated_at', r.updated_at,
          'last_seq', r.last_seq,
          'last_message', last_message.object,
          'participants', p.list,
          'member_count', p.member_count,
          'topic', r.topic,
          'unread_count', unread.unread_count,
          'is_archived', coalesce(mine.is_archived, false),
          'archived_at', mine.archived_at,
          'is_muted', coalesce(mine.is_muted, false),
          'muted_until', mine.muted_until,
          'last_read_message_id', mine.last_read_message_id,
          'last_read_seq', coalesce(mine.last_read_seq, 0)
        )
        order by page.nth
      ),
      '[]'
    )
    from unnest(p_room_ids) with ordinality as page (id, nth)
    join public.chat_rooms as r on r.id = page.id
    join private.unread_counts(me, p_room_ids) as unread on unread.room_id = r.id
    left join participants as p on p.room_id = r.id
    left join last_messages as last_message on last_message.room_id = r.id
    left join public.user_chat_preferences as mine on mine.user_id = me and mine.room_id = r.id
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

create function private.full_name(p_user jsonb)
returns text
language plpgsql immutable set search_path = ''
as $$
begin
  return coalesce(
    nullif(trim(concat_ws(' ', nullif(p_user ->> 'first_name', ''), nullif(p_user ->> 'last_name', ''))), ''),
    p_user ->> 'username'
  );
end;
$$;

-- Grants
grant execute on function private.my_message_json(uuid) to authenticated;
grant execute on function private.room_json(uuid) to authenticated;
