-- The baseline: tables, indexes and the unread count as the mobile app's requirements write them down, in a schema of
-- their own, beside ours in the same database.

create schema document;

create table document.chat_rooms (
  id uuid primary key,
  type text,
  title text,
  members uuid[] not null,
  last_message_id uuid,
  updated_at timestamp
);

create table document.chat_messages (
  id uuid primary key default gen_random_uuid(),
  room_id uuid not null references document.chat_rooms (id),
  sender_id uuid not null,
  content text,
  is_deleted boolean default false,
  created_at timestamp default clock_timestamp()
);

create table document.user_chat_preferences (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  room_id uuid not null references document.chat_rooms (id),
  is_archived boolean default false,
  archived_at timestamp,
  messages_cleared_at timestamp,
  is_deleted boolean default false,
  last_read_message_id uuid,
  last_read_at timestamp,
  manually_marked_unread boolean default false,
  unique (user_id, room_id)
);

create table document.message_reads (
  message_id uuid not null,
  user_id uuid not null,
  read_at timestamp default clock_timestamp(),
  primary key (message_id, user_id)
);

create function document.calculate_unread_count(p_user_id uuid, p_room_id uuid)
returns integer
language plpgsql
as $$
declare
  v_count integer;
  v_last_read_msg_id uuid;
  v_manually_unread boolean;
  v_cleared_at timestamp;
begin
  select last_read_message_id, manually_marked_unread, messages_cleared_at
  into v_last_read_msg_id, v_manually_unread, v_cleared_at
  from document.user_chat_preferences
  where user_id = p_user_id and room_id = p_room_id;

  if v_manually_unread then
    select count(*) into v_count
    from document.chat_messages
    where room_id = p_room_id
      and sender_id != p_user_id
      and is_deleted = false
      and created_at > coalesce(v_cleared_at, '1970-01-01'::timestamp);
    return greatest(v_count, 1);
  end if;

  if v_last_read_msg_id is not null then
    select count(*) into v_count
    from document.chat_messages
    where room_id = p_room_id
      and sender_id != p_user_id
      and created_at > (select created_at from document.chat_messages where id = v_last_read_msg_id)
      and created_at > coalesce(v_cleared_at, '1970-01-01'::timestamp)
      and is_deleted = false;
  else
    select count(*) into v_count
    from document.chat_messages
    where room_id = p_room_id
      and sender_id != p_user_id
      and created_at > coalesce(v_cleared_at, '1970-01-01'::timestamp)
      and is_deleted = false;
  end if;
  return v_count;
end;
$$;

-- "Update the room's last message", in the transaction of the message.
create function document.touch_room()
returns trigger
language plpgsql
as $$
begin
  update document.chat_rooms set last_message_id = new.id, updated_at = new.created_at where id = new.room_id;
  return null;
end;
$$;

-- A statement's loop of commits inside the server: what clients and the network cost is in neither column.
create procedure document.repeat(p_statement text, p_times int)
language plpgsql
as $$
begin
  for i in 1 .. p_times loop
    execute p_statement;
    commit;
  end loop;
end;
$$;

-- How long a statement takes, in milliseconds: the median of some runs after two that warm the caches.
create function document.time_of(p_statement text, p_times int)
returns double precision
language plpgsql
as $$
declare
  began timestamptz;
  times double precision[] := '{}';
begin
  for i in -1 .. p_times loop
    began := clock_timestamp();
    execute p_statement;
    if i > 0 then
      times := times || extract(epoch from clock_timestamp() - began)::double precision * 1000;
    end if;
  end loop;
  return (select percentile_cont(0.5) within group (order by milliseconds) from unnest(times) as milliseconds);
end;
$$;

grant usage on schema document to public;
grant execute on all functions in schema document to public;
grant execute on all procedures in schema document to public;
grant select on all tables in schema document to public;
