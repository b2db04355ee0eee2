-- Messages: what members write in a room, numbered without gaps.

-- Tables
create table public.chat_messages (
  id uuid primary key default private.uuid_v7(),
  room_id uuid not null references public.chat_rooms (id) on delete cascade,
  -- Given by a trigger. The default tells clients' types that they need not say it.
  seq bigint not null default 0,
  change_seq bigint not null default 0,
  sender_id uuid default private.my_id() references public.profiles (id) on delete set null,
  sender_seq bigint not null default 0,
  client_id uuid,
  message_type text not null default 'text',
  content text,
  reply_to_id uuid references public.chat_messages (id) on delete set null,
  forwarded_from uuid,
  forwarded_count bigint not null default 0,
  is_edited boolean not null default false,
  edited_at timestamptz,
  is_deleted boolean not null default false,
  deleted_at timestamptz,
  deleted_by uuid,
  is_encrypted boolean not null default false,
  encryption_key_id text,
  encrypted_content text,
  attachment_ids uuid[],
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  constraint seq_counts_from_1 check (seq > 0),
  constraint chat_messages_one_per_seq unique (room_id, seq),
  -- The sender last: a search for somebody's messages in a room must not take this one for the index in their order.
  constraint chat_messages_one_per_client_id unique (room_id, client_id, sender_id),
  constraint content_is_1_to_10000_chars check (char_length(content) between 1 and 10000),
  -- The text of an encrypted message is in its envelope alone. A file may come without a text.
  constraint encrypted_messages_have_no_clear_text
  check (is_deleted or is_encrypted = (encrypted_content is not null) and not (is_encrypted and content is not null)),
  constraint encrypted_content_is_at_most_128_kb check (octet_length(encrypted_content) <= 131072),
  constraint edited_messages_say_when check (is_edited = (edited_at is not null)),
  constraint deleted_messages_say_when check (is_deleted = (deleted_at is not null)),
  constraint message_type_is_known
  check (message_type in ('text', 'image', 'video', 'audio', 'document', 'file', 'location', 'system')),
  constraint metadata_is_a_small_object
  check (jsonb_typeof(metadata) = 'object' and octet_length(metadata::text) <= 4096)
);

-- Functions
-- What a search finds a message by. Texts without spaces would make words that are too long for an index.
create function private.message_words(p_content text)
returns tsvector
language plpgsql immutable set search_path = ''
as $$
begin
  return array_to_tsvector(array(select left(word, 100) from unnest(private.words_of(p_content)) as word));
end;
$$;

-- Indexes
-- The newest and the first of a sender after a cursor give how many that sender wrote there, without counting. An
-- account's end finds what it wrote by it too.
create unique index chat_messages_sender_idx on public.chat_messages (sender_id, room_id, seq) include (sender_seq);
create index chat_messages_changes_idx on public.chat_messages (room_id, change_seq) where change_seq > 0;
-- What never counts as unread.
create index chat_messages_uncounted_idx on public.chat_messages (room_id, seq) include (sender_id)
where is_deleted or message_type = 'system';
create index chat_messages_reply_idx on public.chat_messages (reply_to_id) where reply_to_id is not null;
create index chat_messages_words_idx on public.chat_messages using gin (private.message_words(content))
where not is_deleted;
create index chat_messages_newest_idx on public.chat_messages (created_at, id);

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
    perform private.require_allowed(private.verdict_enter(new.room_id, me));
    new.sender_id := me;
    if new.message_type = 'system' then
      perform private.refuse('unknown_message_type');
    end if;
  end if;

  new.is_encrypted := new.encrypted_content is not null;
  new.metadata := coalesce(new.metadata, '{}');
  if new.attachment_ids is not null then
    new.attachment_ids := private.checked_attachment_ids(new.room_id, new.attachment_ids);
  end if;
  if new.is_encrypted then
    if new.content is not null then
      perform private.refuse('encrypted_with_clear_text');
    elsif new.encryption_key_id is null then
      perform private.refuse('encryption_key_required');
    elsif not private.is_envelope(new.encrypted_content) then
      perform private.refuse('encrypted_content_invalid');
    end if;
  elsif coalesce(new.content, '') = '' and new.attachment_ids is null then
    perform private.refuse('content_required');
  end if;

  if char_length(new.content) > 10000 then
    perform private.refuse('content_too_long');
  elsif new.message_type is null
    or new.message_type not in ('text', 'image', 'video', 'audio', 'document', 'file', 'location', 'system')
  then
    perform private.refuse('unknown_message_type');
  elsif jsonb_typeof(new.metadata) <> 'object' or octet_length(new.metadata::text) > 4096 then
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
  new.content := nullif(new.content, '');
  return new;
end;
$$;

create trigger b_check_message
before insert on public.chat_messages
for each row execute function private.check_message();

-- The room's row is the queue in which its messages stand: whoever holds it gives out the next seq.
--
-- Locks are taken in one order everywhere: a sender's profile, the rate bucket, rooms by id, messages by id, preferences.
create function private.number_message()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
  room public.chat_rooms;
begin
  -- Looked up before anything is locked or charged: most retries end here.
  if private.is_sent(new) then
    return null;
  end if;

  -- A retry is answered when its key has ended since: only what is new needs one that is in use.
  if me is not null and new.is_encrypted then
    perform private.require_key_in_use(me, new.encryption_key_id);
  end if;

  -- An account's end takes its profile first, and its rooms then: a send takes them in the same order.
  perform from public.profiles where id = new.sender_id for key share;
  if me is not null then
    perform private.take_token(me, 'send', private.limit_of('messages_per_minute'), '1 minute');
  end if;
  select * into room from public.chat_rooms where id = new.room_id for no key update;

  -- Asked again under the lock: of two retries that race, the second finds the first; and who lost the room while this
  -- waited for it has lost it.
  if private.is_sent(new) then
    perform private.return_token(me, 'send');
    return null;
  elsif me is not null then
    perform private.require_allowed(private.verdict_send(new.room_id, me));
  end if;

  -- A job may choose an id, and insert it again: `on conflict do nothing` must not cost a seq.
  if me is null and exists (select from public.chat_messages where id = new.id) then
    return null;
  end if;

  new.seq := room.last_seq + 1;
  -- Dense among what is left of a sender's: rows below the floor of a room go all together.
  new.sender_seq := 1 + coalesce(
    (
      select m.sender_seq
      from public.chat_messages as m
      where m.room_id = new.room_id and m.sender_id = new.sender_id
      order by m.seq desc
      limit 1
    ),
    0
  );
  if new.sender_seq = 1 then
    update public.chat_room_members
    set has_written = true
    where room_id = new.room_id and user_id = new.sender_id and not has_written;
    perform private.show_email(room.organization_id, new.sender_id);
  end if;
  new.created_at := clock_timestamp();
  update public.chat_rooms
  set last_seq = new.seq, last_message_id = new.id, last_message_at = new.created_at, updated_at = new.created_at
  where id = new.room_id;
  return new;
end;
$$;

-- Whether this sender's client id is known in this room. The same key with another message is refused.
create function private.is_sent(p_message public.chat_messages)
returns boolean
language plpgsql stable set search_path = ''
as $$
declare
  sent public.chat_messages;
begin
  if p_message.client_id is null then
    return false;
  end if;
  -- `offset 0` has it found by the client id: the sender would tempt Postgres to read all that person's messages here.
  select * into sent
  from (
    select * from public.chat_messages where room_id = p_message.room_id and client_id = p_message.client_id offset 0
  ) as known
  where sender_id = p_message.sender_id;
  if sent.id is null then
    return false;
  end if;

  -- What was edited or deleted since is the same message still: its key, its kind and what it answers tell.
  if (sent.message_type, sent.reply_to_id) is distinct from (p_message.message_type, p_message.reply_to_id)
    or not (sent.is_edited or sent.is_deleted)
    and (
      sent.content, sent.encrypted_content, sent.encryption_key_id, sent.attachment_ids, sent.metadata
    ) is distinct from (
      p_message.content,
      p_message.encrypted_content,
      p_message.encryption_key_id,
      p_message.attachment_ids,
      p_message.metadata
    )
  then
    perform private.refuse('client_id_reused');
  end if;
  return true;
end;
$$;

create trigger c_number_message
before insert on public.chat_messages
for each row execute function private.number_message();

-- Whoever was only added to an organization has taken part in it now. A row that somebody else holds is left for the next
-- room: it is locked before rooms elsewhere.
create function private.show_email(p_organization_id uuid, p_user_id uuid)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform
  from public.organization_members
  where organization_id = p_organization_id and user_id = p_user_id and not shows_email
  for no key update skip locked;
  if found then
    update public.organization_members
    set shows_email = true
    where organization_id = p_organization_id and user_id = p_user_id;
  end if;
end;
$$;

-- Who comes again has written before.
create function private.remember_writer()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  new.has_written := exists (
    select from public.chat_messages as m where m.room_id = new.room_id and m.sender_id = new.user_id
  );
  return new;
end;
$$;

create trigger remember_writer
before insert on public.chat_room_members
for each row execute function private.remember_writer();

-- Functions
-- A message that the caller may read.
create function private.require_message(p_message_id uuid)
returns public.chat_messages
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
  return message;
end;
$$;

-- The same, with its room locked for a change of it.
create function private.lock_message(p_message_id uuid)
returns public.chat_messages
language plpgsql security definer set search_path = ''
as $$
begin
  -- Asked first, so that strangers lock nothing, and again: what this waited for may have changed the message, or taken
  -- the room from the caller.
  perform private.lock_rooms(array[(private.require_message(p_message_id)).room_id]);
  return private.require_message(p_message_id);
end;
$$;

create function private.lock_rooms(p_room_ids uuid[])
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform from public.chat_rooms where id = any (p_room_ids) order by id for no key update;
end;
$$;

-- Locks a room for a change of a message in it, and gives out the change's number. Whoever syncs asks for the changes
-- after the last one known.
create function private.next_change_seq(p_room_id uuid)
returns bigint
language plpgsql security definer set search_path = ''
as $$
declare
  change_seq bigint;
begin
  update public.chat_rooms
  set last_change_seq = last_change_seq + 1
  where id = p_room_id
  returning last_change_seq into change_seq;
  return change_seq;
end;
$$;

-- The same for many messages, whose rooms are locked: a number each.
create function private.next_change_seqs(p_message_ids uuid[])
returns table (message_id uuid, change_seq bigint)
language plpgsql security definer set search_path = ''
as $$
begin
  return query
  with changed as (
    select m.id, m.room_id, row_number() over (partition by m.room_id order by m.seq) as nth
    from public.chat_messages as m
    where m.id = any (p_message_ids)
  ),
  counted as (
    update public.chat_rooms as r
    set last_change_seq = r.last_change_seq + changes.count
    from (select changed.room_id, count(*) as count from changed group by changed.room_id) as changes
    where r.id = changes.room_id
    returning r.id, r.last_change_seq - changes.count as last_one
  )
  select changed.id, counted.last_one + changed.nth
  from changed
  join counted on counted.id = changed.room_id;
end;
$$;

-- Policies
alter table public.chat_messages enable row level security;

create policy "Members read the messages of their rooms that they may see"
on public.chat_messages for select to authenticated
using (
  room_id = any ((select private.my_room_ids())::uuid[])
  and (
    (select private.my_hidden_seqs()) is null
    or seq > coalesce(((select private.my_hidden_seqs()) ->> room_id::text)::bigint, 0)
  )
);

create policy "Members write as themselves"
on public.chat_messages for insert to authenticated
with check (
  sender_id = (select private.my_id())
  and room_id = any ((select private.my_room_ids())::uuid[])
);

-- Grants
revoke all on public.chat_messages from anon, authenticated;
grant select on public.chat_messages to authenticated;
grant insert (
  room_id,
  content,
  message_type,
  reply_to_id,
  client_id,
  attachment_ids,
  metadata,
  encrypted_content,
  encryption_key_id
)
on public.chat_messages to authenticated;
-- Whoever writes a message writes to the index of its words.
grant execute on function private.message_words(text) to authenticated, service_role;

-- Comments
comment on column public.chat_messages.seq is 'Counts from 1 in its room, without gaps: the cursor for paging, unread and catching up.';
comment on column public.chat_messages.client_id is 'Chosen by the sender, so that a retried send is recognised.';
comment on column public.chat_messages.sender_id is 'Null once the account is deleted.';
comment on column public.chat_messages.sender_seq is 'Counts this sender''s messages in this room.';
comment on column public.chat_messages.change_seq is 'The room''s change that last touched this message; 0: never changed.';
comment on column public.chat_messages.forwarded_from is 'The message that this one is a copy of, which may be gone.';
comment on column public.chat_messages.deleted_by is 'Who deleted it: kept when that account ends.';
comment on column public.chat_messages.attachment_ids is 'Its files, in their order: uploads of the sender''s that wait to be sent.';
comment on column public.chat_messages.encrypted_content is 'The envelope {v, keys: {fingerprint: wrapped key}, body}; the server reads none of it.';
comment on function private.require_message(uuid) is 'Refusals: not_signed_in, message_not_found, room_not_found, not_a_member.';
comment on function private.next_change_seq(uuid) is 'Locks the room, counts its changes up and answers the new number.';
