-- Chatting: the functions that start a chat, write and read.

-- Functions
-- The two rows of a new direct chat are not the caller's to insert, hence the definer rights.
create function private.start_direct_chat(p_user_id uuid, p_organization_id uuid, p_product_id text)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_account();
  product_id text := nullif(p_product_id, '');
  key text := concat_ws(':', least(me, p_user_id), greatest(me, p_user_id), p_organization_id);
  direct_room_id uuid;
begin
  if p_user_id = me then
    perform private.refuse('chat_with_oneself');
  elsif not exists (select from public.profiles where id = p_user_id) then
    perform private.refuse('user_not_found');
  elsif char_length(product_id) > 200 then
    perform private.refuse('product_too_long');
  elsif p_organization_id is not null and not exists (select from public.organizations where id = p_organization_id) then
    perform private.refuse('organization_not_found');
  end if;

  direct_room_id := private.my_direct_room_id(key);
  if direct_room_id is null then
    direct_room_id := private.create_direct_room(p_user_id, p_organization_id, product_id, key);
  end if;

  -- A chat that I deleted is listed again, as empty as I left it.
  update public.user_chat_preferences
  set is_deleted = false, deleted_at = null, updated_at = now()
  where user_id = me and room_id = direct_room_id and is_deleted;
  return direct_room_id;
end;
$$;

-- The pair's room, if both are in it still, and so in its organization: who left that in between comes back as a late
-- joiner.
create function private.my_direct_room_id(p_key text)
returns uuid
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select r.id
    from public.chat_rooms as r
    where r.direct_key = p_key and 2 = (select count(*) from public.chat_room_members where room_id = r.id)
  );
end;
$$;

create function private.create_direct_room(p_user_id uuid, p_organization_id uuid, p_product_id text, p_key text)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
  direct_room_id uuid;
begin
  perform private.lock_people(array[me, p_user_id], p_organization_id);
  perform private.take_token(me, 'direct_room', private.limit_of('direct_rooms_per_hour'), '1 hour');

  -- Both may start at the same moment: the key lets one of them make the room, and the other finds it.
  insert into public.chat_rooms (type, organization_id, related_product, direct_key, created_by)
  values ('direct', p_organization_id, p_product_id, p_key, me)
  on conflict (direct_key) do nothing
  returning id into direct_room_id;

  if direct_room_id is not null then
    insert into public.chat_room_members (room_id, user_id)
    values (direct_room_id, me), (direct_room_id, p_user_id);
    perform private.tell_created(direct_room_id);
    return direct_room_id;
  end if;

  select id into direct_room_id from public.chat_rooms where direct_key = p_key for no key update;
  insert into public.chat_room_members (room_id, user_id)
  values (direct_room_id, me), (direct_room_id, p_user_id)
  on conflict (room_id, user_id) do nothing;
  perform private.return_token(me, 'direct_room');
  return direct_room_id;
end;
$$;

create function public.start_direct_chat(
  p_user_id uuid,
  p_organization_id uuid default null,
  p_product_id text default null,
  p_content text default null
)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
declare
  direct_room_id uuid := private.start_direct_chat(p_user_id, p_organization_id, p_product_id);
begin
  if p_content is not null then
    insert into public.chat_messages (room_id, content) values (direct_room_id, p_content);
  end if;
  return private.room_json(direct_room_id);
end;
$$;

-- Definer rights, since what the triggers on messages check is checked once: the policies of a plain insert would ask for
-- all of the caller's rooms.
create function private.send_message(
  p_room_id uuid,
  p_content text,
  p_message_type text,
  p_reply_to_id uuid,
  p_attachment_ids uuid[],
  p_client_id uuid,
  p_metadata jsonb,
  p_encrypted_content text,
  p_encryption_key_id text
)
returns jsonb
language plpgsql security definer set search_path = ''
-- Planning this, and all that the triggers do, costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
declare
  me uuid := private.require_me();
  -- Asked first, while nobody has to wait for this room.
  reach jsonb := private.reach_of(p_room_id, me);
  message public.chat_messages;
  shown jsonb;
begin
  insert into public.chat_messages (
    room_id,
    content,
    message_type,
    reply_to_id,
    attachment_ids,
    client_id,
    metadata,
    encrypted_content,
    encryption_key_id
  )
  values (
    p_room_id,
    p_content,
    p_message_type,
    p_reply_to_id,
    p_attachment_ids,
    p_client_id,
    p_metadata,
    p_encrypted_content,
    p_encryption_key_id
  )
  returning * into message;

  -- Nothing inserted: this client id has been sent before, and the caller gets what it became.
  if message.id is null then
    message := private.require_message(known.id)
    from (select * from public.chat_messages where room_id = p_room_id and client_id = p_client_id offset 0) as known
    where known.sender_id = me;
    shown := private.message_json(message);
  -- What others are told of an answer may quote less than the caller sees.
  elsif p_reply_to_id is not null then
    shown := private.message_json(message);
  else
    shown := current_setting('parley.sent_message')::jsonb;
  end if;
  return reach || jsonb_build_object(
    'message', shown,
    'temp_id', message.client_id,
    'message_id', message.id,
    'timestamp', message.created_at
  );
end;
$$;

create function public.send_message(
  p_room_id uuid,
  p_content text default null,
  p_message_type text default 'text',
  p_reply_to_id uuid default null,
  p_attachment_ids uuid[] default null,
  p_client_id uuid default null,
  p_metadata jsonb default null,
  p_encrypted_content text default null,
  p_encryption_key_id text default null
)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.send_message(
    p_room_id,
    p_content,
    p_message_type,
    p_reply_to_id,
    p_attachment_ids,
    p_client_id,
    p_metadata,
    p_encrypted_content,
    p_encryption_key_id
  );
end;
$$;

-- How many others a message reaches at once, and how many when they come back.
create function private.reach_of(p_room_id uuid, p_sender_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  others uuid[] := array_remove(array(select private.room_audience(p_room_id)), p_sender_id);
  online bigint := (select count(*) from public.user_presence where user_id = any (others) and online_until > now());
begin
  return jsonb_build_object('delivered_to_count', online, 'queued_for_count', cardinality(others) - online);
end;
$$;

create function private.get_messages(p_room_id uuid, p_before_seq bigint, p_after_seq bigint, p_limit int)
returns json
language plpgsql stable security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
declare
  first_seq bigint;
  page public.chat_messages[];
begin
  perform private.require_room_member(p_room_id);
  if p_limit is null or p_limit not between 1 and 100 then
    perform private.refuse('limit_out_of_range');
  elsif p_before_seq is not null and p_after_seq is not null then
    perform private.refuse('one_cursor_only');
  end if;
  first_seq := private.hidden_up_to_seq(private.my_id(), p_room_id);

  if p_after_seq is not null then
    page := array(
      select m
      from public.chat_messages as m
      where room_id = p_room_id and seq > greatest(p_after_seq, first_seq)
      order by seq
      limit p_limit
    );
  else
    page := array(
      select m
      from public.chat_messages as m
      where room_id = p_room_id and seq > first_seq and seq < coalesce(p_before_seq, 9223372036854775807)
      order by seq desc
      limit p_limit
    );
  end if;
  return private.messages_json(page);
end;
$$;

create function public.get_messages(
  p_room_id uuid, p_before_seq bigint default null, p_after_seq bigint default null, p_limit int default 50
)
returns json
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.get_messages(p_room_id, p_before_seq, p_after_seq, p_limit);
end;
$$;

-- Grants
grant execute on function private.start_direct_chat(uuid, uuid, text) to authenticated;
grant execute on function private.get_messages(uuid, bigint, bigint, int) to authenticated;
grant execute on function private.send_message(uuid, text, text, uuid, uuid[], uuid, jsonb, text, text) to authenticated;
grant execute on function public.start_direct_chat(uuid, uuid, text, text) to authenticated;
grant execute on function public.send_message(uuid, text, text, uuid, uuid[], uuid, jsonb, text, text) to authenticated;
grant execute on function public.get_messages(uuid, bigint, bigint, int) to authenticated;

-- Comments
comment on function public.start_direct_chat(uuid, uuid, text, text) is
'The direct chat with this person, made if there is none; a given text is sent. Answers a room. Refusals: not_signed_in, anonymous_not_allowed, chat_with_oneself, user_not_found, product_too_long, organization_not_found, not_in_organization, blocked, content_required, content_too_long, too_many_requests.';
comment on function public.send_message(uuid, text, text, uuid, uuid[], uuid, jsonb, text, text) is
'Writes a message of 1 to 10,000 characters, or one with files: uploads of one''s own that wait to be sent. Sent again with the same client id, it answers the first one. Answers {message, temp_id, message_id, delivered_to_count, queued_for_count, timestamp}. Refusals: not_signed_in, room_not_found, not_a_member, stay_over, content_required, content_too_long, unknown_message_type, metadata_too_large, message_not_found, client_id_reused, blocked, encrypted_with_clear_text, encryption_key_required, encrypted_content_invalid, unknown_encryption_key, attachment_not_found, attachment_not_verified, attachment_used, too_many_attachments, too_many_requests.';
comment on function public.get_messages(uuid, bigint, bigint, int) is
'A page of 1 to 100 messages: newest first, or oldest first after a given seq. Refusals: not_signed_in, room_not_found, not_a_member, limit_out_of_range, one_cursor_only.';
