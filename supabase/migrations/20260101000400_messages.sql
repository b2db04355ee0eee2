-- Messages: what members write in a room, numbered without gaps.

-- Tables
create table public.chat_messages (
  id uuid primary key default private.uuid_v7(),
  room_id uuid not null references public.chat_rooms (id) on delete cascade,
  -- Given by a trigger. The default tells clients' types that they need not say it.
  seq bigint not null default 0,
  sender_id uuid default private.my_id() references public.profiles (id) on delete set null,
  client_id uuid,
  message_type text not null default 'text',
  content text not null,
  reply_to_id uuid references public.chat_messages (id) on delete set null,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  constraint seq_counts_from_1 check (seq > 0),
  constraint chat_messages_one_per_seq unique (room_id, seq),
  constraint chat_messages_one_per_client_id unique (room_id, sender_id, client_id),
  constraint content_is_1_to_10000_chars check (char_length(content) between 1 and 10000),
  constraint message_type_is_known
  check (message_type in ('text', 'image', 'video', 'audio', 'document', 'file', 'location', 'system')),
  constraint metadata_is_a_small_object
  check (jsonb_typeof(metadata) = 'object' and octet_length(metadata::text) <= 4096)
);

-- Indexes
create index chat_messages_sender_idx on public.chat_messages (sender_id, room_id);
create index chat_messages_reply_idx on public.chat_messages (reply_to_id) where reply_to_id is not null;

-- Triggers
-- One insert writes to one room: two over several rooms, in opposite orders, would wait for each other's rooms for ever.
-- And it writes so many messages at most: it holds the room until its end, and everybody else there waits.
create function private.begin_insert()
returns trigger
language plpgsql set search_path = ''
as $$
begin
  perform set_config('parley.room_of_insert', '', true);
  perform set_config('parley.messages_of_insert', '0', true);
  return null;
end;
$$;

create trigger a_begin_insert
before insert on public.chat_messages
for each statement execute function private.begin_insert();

create function private.require_small_insert(p_room_id uuid)
returns void
language plpgsql set search_path = ''
as $$
declare
  messages int := current_setting('parley.messages_of_insert')::int + 1;
begin
  if p_room_id::text <> coalesce(nullif(current_setting('parley.room_of_insert'), ''), p_room_id::text) then
    perform private.refuse('one_room_per_insert');
  elsif messages > 100 then
    perform private.refuse('too_many_messages');
  end if;
  perform set_config('parley.room_of_insert', p_room_id::text, true);
  perform set_config('parley.messages_of_insert', messages::text, true);
end;
$$;

create function private.check_message()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
begin
  perform private.require_small_insert(new.room_id);

  -- The project's own jobs write without a caller; callers write as themselves, in their rooms.
  if me is not null then
    perform private.require_room_member(new.room_id);
    new.sender_id := me;
    if new.message_type = 'system' then
      perform private.refuse('unknown_message_type');
    end if;
  end if;

  if coalesce(new.content, '') = '' then
    perform private.refuse('content_required');
  elsif char_length(new.content) > 10000 then
    perform private.refuse('content_too_long');
  elsif new.message_type is null
    or new.message_type not in ('text', 'image', 'video', 'audio', 'document', 'file', 'location', 'system')
  then
    perform private.refuse('unknown_message_type');
  elsif jsonb_typeof(new.metadata) is distinct from 'object' or octet_length(new.metadata::text) > 4096 then
    perform private.refuse('metadata_too_large');
  elsif new.reply_to_id is not null
    and not exists (
      select
      from public.chat_messages as m
      where m.id = new.reply_to_id and m.room_id = new.room_id and m.seq > private.hidden_up_to_seq(me, m.room_id)
    )
  then
    perform private.refuse('message_not_found');
  end if;
  return new;
end;
$$;

create trigger b_check_message
before insert on public.chat_messages
for each row execute function private.check_message();

-- The room's row is the queue in which its messages stand: whoever holds it gives out the next seq.
create function private.number_message()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  room public.chat_rooms;
  sent public.chat_messages;
begin
  -- An account's end takes its profile first, and its rooms then: a send takes them in the same order.
  perform from public.profiles where id = new.sender_id for key share;
  select * into room from public.chat_rooms where id = new.room_id for no key update;

  -- Looked up under the lock: of two retries that race, the second finds the first.
  if new.client_id is not null then
    select * into sent
    from public.chat_messages
    where room_id = new.room_id and sender_id = new.sender_id and client_id = new.client_id;
    if sent.id is not null then
      perform private.require_same_message(sent, new);
      return null;
    end if;
  end if;

  -- A job may choose an id, and insert it again: `on conflict do nothing` must not cost a seq.
  if private.my_id() is null and exists (select from public.chat_messages where id = new.id) then
    return null;
  end if;

  new.seq := room.last_seq + 1;
  new.created_at := clock_timestamp();
  update public.chat_rooms
  set last_seq = new.seq, last_message_id = new.id, last_message_at = new.created_at, updated_at = new.created_at
  where id = new.room_id;
  return new;
end;
$$;

create function private.require_same_message(p_sent public.chat_messages, p_again public.chat_messages)
returns void
language plpgsql stable set search_path = ''
as $$
begin
  if (p_sent.content, p_sent.message_type, p_sent.reply_to_id, p_sent.metadata)
    is distinct from (p_again.content, p_again.message_type, p_again.reply_to_id, p_again.metadata)
  then
    perform private.refuse('client_id_reused');
  end if;
end;
$$;

create trigger c_number_message
before insert on public.chat_messages
for each row execute function private.number_message();

-- Policies
alter table public.chat_messages enable row level security;

create policy "Members read the messages of their rooms that they may see"
on public.chat_messages for select to authenticated
using (
  room_id = any ((select private.my_room_ids())::uuid[])
  and not exists (
    select
    from public.user_chat_preferences as mine
    where mine.user_id = (select private.my_id())
      and mine.room_id = chat_messages.room_id
      and mine.visible_from_seq >= chat_messages.seq
  )
);

create policy "Members write as themselves"
on public.chat_messages for insert to authenticated
with check (
  sender_id = (select private.my_id())
  and room_id = any ((select private.my_room_ids())::uuid[])
);

-- Functions
create function public.calculate_unread_count(p_user_id uuid, p_room_id uuid)
returns int
language plpgsql stable security invoker set search_path = ''
as $$
declare
  cursor_seq bigint;
begin
  -- Row level security shows a caller only their own preferences: somebody else's count is not told.
  select mine.cursor_seq into cursor_seq
  from public.user_chat_preferences as mine
  where mine.user_id = p_user_id and mine.room_id = p_room_id;

  return (
    select count(*)
    from public.chat_messages
    where room_id = p_room_id and seq > cursor_seq and sender_id is distinct from p_user_id
  );
end;
$$;

-- Grants
revoke all on public.chat_messages from anon, authenticated;
grant select on public.chat_messages to authenticated;
grant insert (room_id, content, message_type, reply_to_id, client_id, metadata) on public.chat_messages to authenticated;
grant execute on function public.calculate_unread_count(uuid, uuid) to authenticated, service_role;

-- Comments
comment on column public.chat_messages.seq is 'Counts from 1 in its room, without gaps: the cursor for paging, unread and catching up.';
comment on column public.chat_messages.client_id is 'Chosen by the sender, so that a retried send is recognised.';
comment on column public.chat_messages.sender_id is 'Null once the account is deleted.';
comment on function public.calculate_unread_count(uuid, uuid) is
'How many messages of others stand after this person''s cursor in this room. Only one''s own is told; else 0.';
