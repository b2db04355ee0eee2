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
-- Two inserts over several rooms, in opposite orders, would wait for each other's rooms for ever.
create function private.forget_room_of_insert()
returns trigger
language plpgsql set search_path = ''
as $$
begin
  perform set_config('parley.room_of_insert', '', true);
  return null;
end;
$$;

create trigger a_forget_room_of_insert
before insert on public.chat_messages
for each statement execute function private.forget_room_of_insert();

create function private.check_message()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
  room_of_insert text := coalesce(nullif(current_setting('parley.room_of_insert', true), ''), new.room_id::text);
begin
  if room_of_insert is distinct from new.room_id::text then
    perform private.refuse('one_room_per_insert');
  end if;
  perform set_config('parley.room_of_insert', room_of_insert, true);

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
    and not exists (select from public.chat_messages where id = new.reply_to_id and room_id = new.room_id)
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

create policy "Members read messages in their rooms"
on public.chat_messages for select to authenticated
using (room_id = any ((select private.my_room_ids())::uuid[]));

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
