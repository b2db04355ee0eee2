-- Shapes: how rooms, messages and people look to clients. One function makes each, for every answer and event.

-- Functions
-- The address of somebody who has written to me, or works with me, or is me.
create function private.may_see_email(p_user_id uuid)
returns boolean
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
begin
  return p_user_id = me
    or exists (
      select
      from public.organization_members as mine
      join public.organization_members as theirs using (organization_id)
      where mine.user_id = me and theirs.user_id = p_user_id
    )
    or exists (
      select
      from public.chat_room_members as mine
      join public.chat_room_members as theirs using (room_id)
      where mine.user_id = me and theirs.user_id = p_user_id
      and exists (select from public.chat_messages as m where m.room_id = mine.room_id and m.sender_id = p_user_id)
    );
end;
$$;

create function private.user_json(p_user_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'id', id,
      'username', username,
      'first_name', first_name,
      'last_name', last_name,
      'email', case when private.may_see_email(id) then email end,
      'avatar_url', avatar_url
    )
    from public.profiles
    where id = p_user_id
  );
end;
$$;

-- The sender as `private.user_json` makes it: who has a page of messages looks each person up once.
create function private.message_json(p_message public.chat_messages, p_sender jsonb)
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
    where id = p_message.reply_to_id;
  end if;

  return jsonb_build_object(
    'id', p_message.id,
    'room_id', p_message.room_id,
    'seq', p_message.seq,
    'change_seq', null,
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
    'attachments', '[]'::jsonb,
    'reactions', '[]'::jsonb,
    'mentions', '[]'::jsonb,
    'metadata', p_message.metadata,
    'client_id', p_message.client_id,
    'created_at', p_message.created_at
  );
end;
$$;

-- A page of messages, in the order given.
create function private.messages_json(p_messages public.chat_messages[])
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  senders jsonb;
begin
  select jsonb_object_agg(sender_id, private.user_json(sender_id)) into senders
  from (select distinct sender_id from unnest(p_messages) where sender_id is not null) as people;

  return (
    select coalesce(jsonb_agg(private.message_json(m, senders -> m.sender_id::text)), '[]')
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
  message public.chat_messages;
begin
  select * into message from public.chat_messages where id = p_message_id;
  if message.id is null then
    perform private.refuse('message_not_found');
  end if;
  perform private.require_room_member(message.room_id);
  if message.seq <= private.hidden_up_to_seq(private.my_id(), message.room_id) then
    perform private.refuse('message_not_found');
  end if;
  return private.message_json(message, private.user_json(message.sender_id));
end;
$$;

-- A room as the caller sees it.
create function private.room_json(p_room_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
  room public.chat_rooms;
  mine public.user_chat_preferences;
  participants jsonb;
  last_message jsonb;
begin
  perform private.require_room_member(p_room_id);
  select * into room from public.chat_rooms where id = p_room_id;
  select * into mine from public.user_chat_preferences where user_id = me and room_id = p_room_id;

  select jsonb_agg(private.user_json(user_id) || jsonb_build_object('role', role)) into participants
  from (
    select audience.user_id, coalesce(m.role, 'member') as role
    from private.room_audience(p_room_id) as audience (user_id)
    left join public.chat_room_members as m on m.room_id = p_room_id and m.user_id = audience.user_id
    order by audience.user_id <> me, m.joined_at, audience.user_id
    limit 20
  ) as first_ones;

  select private.message_json(m, private.user_json(m.sender_id)) into last_message
  from public.chat_messages as m
  where m.id = room.last_message_id and m.seq > private.hidden_up_to_seq(me, p_room_id);

  return jsonb_build_object(
    'id', room.id,
    'type', room.type,
    'title', room.title,
    'name', coalesce(room.title, private.full_name(participants -> 1)),
    'description', room.description,
    'avatar_url', coalesce(room.avatar_url, case when room.type = 'direct' then participants -> 1 ->> 'avatar_url' end),
    'organization_id', room.organization_id,
    'related_product', room.related_product,
    'room_number', room.room_number,
    'created_by', room.created_by,
    'created_at', room.created_at,
    'updated_at', room.updated_at,
    'last_seq', room.last_seq,
    'last_message', last_message,
    'participants', participants,
    'member_count', (select count(*) from private.room_audience(p_room_id)),
    'topic', room.topic,
    'unread_count', private.unread_count(me, p_room_id),
    'is_archived', coalesce(mine.is_archived, false),
    'archived_at', mine.archived_at,
    'is_muted', coalesce(mine.is_muted, false),
    'muted_until', mine.muted_until,
    'last_read_message_id', mine.last_read_message_id,
    'last_read_seq', coalesce(mine.last_read_seq, 0)
  );
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
