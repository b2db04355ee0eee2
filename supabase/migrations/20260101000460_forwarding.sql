-- Forwarding: a message of one chat, written again in others.

-- Functions
create function private.forward_message(p_message_id uuid, p_room_ids uuid[])
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  original public.chat_messages;
  target_id uuid;
  copy_id uuid;
  copy_ids uuid[] := '{}';
begin
  if (cardinality(p_room_ids) between 1 and private.limit_of('forward_rooms')) is not true then
    perform private.refuse('room_count_out_of_range');
  end if;
  original := private.require_message(p_message_id);
  perform private.require_room_member(room_id) from unnest(p_room_ids) as room_id;

  -- Each copy is a send, and a send locks its sender before its room. A token taken and given back locks the bucket.
  perform from public.profiles where id = me for key share;
  perform private.take_token(me, 'send', private.limit_of('messages_per_minute'), '1 minute');
  perform private.return_token(me, 'send');
  perform private.lock_rooms(p_room_ids || original.room_id);

  original := private.require_message(p_message_id);
  if original.is_deleted then
    perform private.refuse('message_deleted');
  elsif original.is_encrypted then
    perform private.refuse('encrypted_message');
  elsif original.message_type = 'system' then
    perform private.refuse('system_message');
  end if;

  for target_id in select distinct room_id from unnest(p_room_ids) as room_id order by room_id loop
    insert into public.chat_messages (room_id, content, message_type, metadata, forwarded_from, attachment_ids)
    values (
      target_id,
      original.content,
      original.message_type,
      original.metadata,
      original.id,
      -- New attachments over the same files.
      array(select private.uuid_v7() from unnest(original.attachment_ids))
    )
    returning id into copy_id;
    copy_ids := copy_ids || copy_id;
  end loop;

  -- Whoever syncs learns the count; nobody needs to hear of it at once.
  update public.chat_messages
  set forwarded_count = forwarded_count + cardinality(copy_ids), change_seq = private.next_change_seq(room_id)
  where id = original.id;

  return private.messages_json(array(
    select m from public.chat_messages as m where id = any (copy_ids) order by array_position(p_room_ids, room_id)
  ));
end;
$$;

create function public.forward_message(p_message_id uuid, p_room_ids uuid[])
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.forward_message(p_message_id, p_room_ids);
end;
$$;

-- Grants
grant execute on function private.forward_message(uuid, uuid[]) to authenticated;
grant execute on function public.forward_message(uuid, uuid[]) to authenticated;

-- Comments
comment on function public.forward_message(uuid, uuid[]) is
'Writes a message again in 1 to 10 chats, in all or in none: its text, type and metadata, as the caller''s. Answers the new messages, in the order of the chats. Refusals: not_signed_in, room_count_out_of_range, message_not_found, not_a_member, room_not_found, blocked, message_deleted, encrypted_message, system_message, too_many_requests.';
