-- Live events: what is broadcast, on which topic, and who may listen.
--
-- A broadcast is a hint, the table is the truth: `realtime.send` swallows its own failures, so that none of them fails a
-- message, and a client that sees a gap in `seq` reads what it missed. It runs in the transaction of the change: what is
-- announced is committed.

-- Functions
-- The room that a topic belongs to: `room:<id>`, later `room:<id>:<epoch>`, and `:typing` behind either. Null for any
-- other text.
create function private.room_id_of_topic(p_topic text)
returns uuid
language plpgsql immutable set search_path = ''
as $$
begin
  return substring(
    p_topic from '^room:([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?::[0-9]+)?(?::typing)?$'
  )::uuid;
end;
$$;

-- Whether the caller is a member of the room whose present topic this is, with these words behind it.
create function private.is_my_room_topic(p_topic text, p_suffix text)
returns boolean
language plpgsql stable security definer set search_path = ''
as $$
begin
  return exists (
    select
    from public.chat_rooms as r
    join public.chat_room_members as m on m.room_id = r.id
    where r.id = private.room_id_of_topic(p_topic)
      and r.topic || p_suffix = p_topic
      and m.user_id = (select private.my_id())
  );
end;
$$;

-- Triggers
-- Definer rights, since the sender may not broadcast on the room's topic.
create function private.announce_message()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  event jsonb := jsonb_build_object('room_id', new.room_id, 'message', private.message_json(new, private.user_json(new.sender_id)));
begin
  -- Realtime drops what is too large: then the ids alone, and clients read the rest.
  if octet_length(event::text) > 200000 then
    event := jsonb_build_object('room_id', new.room_id, 'message', jsonb_build_object('id', new.id, 'seq', new.seq));
  end if;
  perform realtime.send(event, 'new-message', (select topic from public.chat_rooms where id = new.room_id), true);
  return null;
end;
$$;

create trigger announce_message
after insert on public.chat_messages
for each row execute function private.announce_message();

-- Realtime does not re-check who has joined a channel. When somebody loses access, the room moves to a new topic, which
-- only those who stay are told.
create function private.leave_topics()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  room public.chat_rooms;
begin
  for room in
    select * from public.chat_rooms where id in (select room_id from left_members) order by id for no key update
  loop
    update public.chat_rooms set topic_epoch = topic_epoch + 1 where id = room.id returning * into room;
    perform realtime.send(
      jsonb_build_object('room_id', room.id, 'topic', room.topic), 'room-topic', 'user:' || user_id::text, true
    )
    from public.chat_room_members
    where room_id = room.id;
  end loop;
  return null;
end;
$$;

create trigger leave_topics
after delete on public.chat_room_members
referencing old table as left_members
for each statement execute function private.leave_topics();

-- Policies
create policy "Members hear their rooms, and users their own topic"
on realtime.messages for select to authenticated
using (
  (select realtime.topic()) = 'user:' || (select private.my_id())::text
  or (select private.is_my_room_topic(realtime.topic(), ''))
  or (select private.is_my_room_topic(realtime.topic(), ':typing'))
);

-- The check does not see the event's name, so a right to broadcast typing would be a right to forge messages: typing has
-- a topic of its own.
create policy "Members show their presence in their rooms, and that they type"
on realtime.messages for insert to authenticated
with check (
  (extension = 'presence' and (select private.is_my_room_topic(realtime.topic(), '')))
  or (extension = 'broadcast' and (select private.is_my_room_topic(realtime.topic(), ':typing')))
);

-- Grants
grant execute on function private.is_my_room_topic(text, text) to authenticated;

-- Comments
comment on function private.is_my_room_topic(text, text) is 'For policies on realtime.messages: may the caller be on this topic?';
