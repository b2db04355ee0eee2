-- Live events: what is broadcast, on which topic, and who may listen.
--
-- A broadcast is a hint, the table is the truth: none that fails also fails a message, and a client that sees a gap in
-- `seq` reads what it missed. It is written in the transaction of the change: what is announced is committed.

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
    where r.id = private.room_id_of_topic(p_topic)
      and r.topic || p_suffix = p_topic
      and private.is_room_member(r.id, private.my_id())
  );
end;
$$;

-- What `realtime.send` does, for several topics at once: each event of its own would cost a subtransaction. Ids that rise
-- with the time keep new rows together in their index; random ones would write a page of it for each.
create function private.broadcast(p_topics text[], p_event text, p_payload jsonb)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  fitting jsonb := private.fit_event(p_payload);
begin
  insert into realtime.messages (id, topic, extension, event, private, payload)
  select private.uuid_v7(), topic, 'broadcast', p_event, true, fitting from unnest(p_topics) as topic;
exception
  when others then
    raise warning 'The event % was not broadcast: %', p_event, sqlerrm;
end;
$$;

-- What is told to a room, and to one person on all their devices.
create function private.tell_room(p_room_id uuid, p_event text, p_payload jsonb)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.broadcast(array(select topic from public.chat_rooms where id = p_room_id), p_event, p_payload);
end;
$$;

create function private.tell_user(p_user_id uuid, p_event text, p_payload jsonb)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.broadcast(array['user:' || p_user_id::text], p_event, p_payload);
end;
$$;

-- Realtime drops what is too large: then the ids alone are told, and clients read the rest. Few events are worth measuring
-- in full: as text they are six times as long at most.
create function private.fit_event(p_payload jsonb)
returns jsonb
language plpgsql immutable set search_path = ''
as $$
begin
  if pg_column_size(p_payload) < 30000 or octet_length(p_payload::text) <= 200000 then
    return p_payload;
  end if;
  return p_payload || jsonb_build_object(
    'message',
    jsonb_build_object(
      'id', p_payload #> '{message,id}', 'seq', p_payload #> '{message,seq}', 'change_seq', p_payload #> '{message,change_seq}'
    )
  );
end;
$$;

-- Triggers
-- Definer rights, since the sender may not broadcast on the room's topic. In a small room, whoever is online hears it on
-- their own topic too, without being in the room's channel; others sync.
create function private.announce_message()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  event jsonb := private.message_event(new);
  audience uuid[] := array(select private.room_audience(new.room_id, 51));
begin
  perform private.broadcast(
    array(
      select topic from public.chat_rooms where id = new.room_id
      union all
      select 'user:' || user_id::text
      from public.user_presence
      where cardinality(audience) <= 50 and user_id = any (audience) and online_until > now()
    ),
    'new-message',
    event
  );
  -- Whoever sends is answered with it.
  perform set_config('parley.sent_message', event ->> 'message', true);
  return null;
end;
$$;

create trigger announce_message
after insert on public.chat_messages
for each row execute function private.announce_message();

-- Realtime does not re-check who has joined a channel. When somebody loses access, the room moves to a new topic, which
-- only those who stay are told.
create function private.move_topics(p_room_ids uuid[])
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  room public.chat_rooms;
begin
  for room in
    select * from public.chat_rooms where id = any (p_room_ids) order by id for no key update
  loop
    update public.chat_rooms set topic_epoch = topic_epoch + 1 where id = room.id returning * into room;
    perform private.tell_user(user_id, 'room-topic', jsonb_build_object('room_id', room.id, 'topic', room.topic))
    from private.room_audience(room.id) as audience (user_id)
    join public.user_presence as presence using (user_id)
    where presence.online_until > now();
  end loop;
end;
$$;

create function private.leave_topics()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.move_topics(array(select room_id from left_members));

  -- A room that ends with its organization or its last member tells nobody who left.
  perform
    private.tell_room(room_id, 'member-left', event), private.tell_user(user_id, 'member-left', event)
  from (
    select room_id, user_id, jsonb_build_object('room_id', room_id, 'user_id', user_id) as event
    from left_members
    where room_id in (select id from public.chat_rooms)
  ) as farewells;
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
