-- The HTTP door: what the edge function `api` asks for front ends that turn pages by number, name a hotel by its slug and
-- show on each message whether it was read. Everybody may call these; whoever has supabase-js rarely needs to.

-- Functions
-- The door, and the other functions that people call, count calls here, and learn whether a token is good.
create function private.count_calls(p_calls int)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
begin
  if p_calls is null or p_calls not between 1 and 100 then
    perform private.refuse('limit_out_of_range');
  end if;
  perform private.take_token(me, 'call', private.limit_of('calls_per_minute'), '1 minute', p_calls);
  return me;
end;
$$;

-- How many messages there are costs no scan: the last seq less what is hidden, and, without the deleted ones, less the
-- sums of those.
create function private.message_page(
  p_room_id uuid,
  p_limit int,
  p_offset int,
  p_before_seq bigint,
  p_after_seq bigint,
  p_before_id uuid,
  p_after_id uuid,
  p_with_deleted boolean,
  p_with_readers boolean
)
returns json
language plpgsql stable security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
declare
  me uuid := private.my_id();
  reading record;
  hidden_seq bigint;
  before_seq bigint := p_before_seq;
  after_seq bigint := p_after_seq;
  found public.chat_messages[];
  page public.chat_messages[];
begin
  perform private.require_room_member(p_room_id);
  if p_limit is null or p_limit not between 1 and 100 or p_offset is null or p_offset < 0 then
    perform private.refuse('limit_out_of_range');
  elsif num_nonnulls(p_before_seq, p_after_seq, p_before_id, p_after_id) > 1 then
    perform private.refuse('one_cursor_only');
  end if;
  hidden_seq := private.hidden_up_to_seq(me, p_room_id);
  if p_before_id is not null then
    before_seq := private.seq_in_room(p_before_id, p_room_id);
  elsif p_after_id is not null then
    after_seq := private.seq_in_room(p_after_id, p_room_id);
  end if;

  -- One more than asked for tells whether there is another page.
  if after_seq is not null then
    found := array(
      select m
      from public.chat_messages as m
      where m.room_id = p_room_id and m.seq > greatest(after_seq, hidden_seq) and (p_with_deleted or not m.is_deleted)
      order by m.seq
      limit p_limit + 1 offset p_offset
    );
  else
    found := array(
      select m
      from public.chat_messages as m
      where m.room_id = p_room_id
        and m.seq > hidden_seq
        and m.seq < coalesce(before_seq, 9223372036854775807)
        and (p_with_deleted or not m.is_deleted)
      order by m.seq desc
      limit p_limit + 1 offset p_offset
    );
  end if;
  page := found[:p_limit];

  select * into reading from private.read_seqs(p_room_id);
  return json_build_object(
    'count', (
      select case when p_with_deleted then r.last_seq - hidden_seq else present.unread_messages end
      from public.chat_rooms as r
      cross join private.unread_counts('00000000-0000-0000-0000-000000000000', array[p_room_id], hidden_seq) as present
      where r.id = p_room_id
    ),
    'has_more', cardinality(found) > cardinality(page),
    'messages', private.messages_json(page),
    'read_ids', (
      select coalesce(json_agg(m.id), '[]')
      from unnest(page) as m
      where m.seq <= case when m.sender_id = me then reading.others else reading.mine end
    ),
    'readers', case when p_with_readers then private.readers_of_page(page) end
  );
end;
$$;

-- How far a room is read. A message of another is read when I have read it, and one of mine when somebody else has.
create function private.read_seqs(p_room_id uuid)
returns table (mine bigint, others bigint)
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
begin
  select cursor_seq into mine from public.user_chat_preferences where user_id = me and room_id = p_room_id;
  mine := coalesce(mine, private.first_cursor_seq(me, p_room_id));
  others := private.read_seq_of_others(p_room_id, me);
  return next;
end;
$$;

create function private.readers_of_page(p_messages public.chat_messages[])
returns json
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select coalesce(json_object_agg(m.id, readers.list), '{}')
    from unnest(p_messages) as m
    cross join lateral (
      select json_agg(json_build_object('user_id', r.user_id, 'read_at', r.read_at) order by r.read_at, r.user_id) as list
      from private.readers_of(m.room_id, m.seq, m.sender_id, m.created_at) as r
    ) as readers
    where readers.list is not null
  );
end;
$$;

create function private.seq_in_room(p_message_id uuid, p_room_id uuid)
returns bigint
language plpgsql stable security definer set search_path = ''
as $$
declare
  message public.chat_messages := private.require_message(p_message_id);
begin
  if message.room_id <> p_room_id then
    perform private.refuse('message_not_found');
  end if;
  return message.seq;
end;
$$;

create function private.read_seq_of_others(p_room_id uuid, p_user_id uuid)
returns bigint
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select coalesce(max(last_read_seq), 0)
    from public.user_chat_preferences
    where room_id = p_room_id and user_id <> p_user_id
  );
end;
$$;

-- Of each of these rooms of mine, how far somebody else has read.
create function private.read_by_others(p_room_ids uuid[])
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
begin
  if cardinality(p_room_ids) > private.limit_of('rooms_per_read') then
    perform private.refuse('room_count_out_of_range');
  end if;
  return (
    select coalesce(jsonb_object_agg(room_id, private.read_seq_of_others(room_id, me)), '{}')
    from unnest(p_room_ids) as room_id
    where private.is_room_member(room_id, me)
  );
end;
$$;

-- Reads one message of another's, and with it all before it.
create function private.mark_message_read(p_message_id uuid)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  message public.chat_messages := private.require_message(p_message_id);
begin
  if message.sender_id = private.my_id() then
    perform private.refuse('own_message');
  end if;
  return private.mark_read(message.room_id, array[message.id]);
end;
$$;

-- Which of these messages are read, of whatever rooms of mine.
create function private.read_messages(p_message_ids uuid[])
returns uuid[]
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
begin
  if cardinality(p_message_ids) > 500 then
    perform private.refuse('message_count_out_of_range');
  end if;
  return array(
    select m.id
    from public.chat_messages as m
    cross join lateral private.read_seqs(m.room_id) as read_seqs
    where m.id = any (p_message_ids)
      and m.room_id = any (private.my_room_ids())
      and m.seq <= case when m.sender_id = me then read_seqs.others else read_seqs.mine end
  );
end;
$$;

create function private.locate_room(p_room_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.require_room_member(p_room_id);
  return (
    select jsonb_build_object(
      'room_id', r.id, 'type', r.type, 'organization_id', r.organization_id, 'organization_slug', o.slug
    )
    from public.chat_rooms as r
    left join public.organizations as o on o.id = r.organization_id
    where r.id = p_room_id
  );
end;
$$;

create function private.locate_message(p_message_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return private.locate_room((private.require_message(p_message_id)).room_id);
end;
$$;

create function private.locate_organization(p_slug text)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  organization public.organizations;
begin
  select * into organization from public.organizations where slug = p_slug;
  if organization.id is null then
    perform private.refuse('organization_not_found');
  elsif not exists (
    select from public.organization_members where organization_id = organization.id and user_id = me
  ) then
    perform private.refuse('not_in_organization');
  end if;
  return jsonb_build_object('id', organization.id, 'slug', organization.slug, 'name', organization.name);
end;
$$;

create function public.count_calls(p_calls int default 1)
returns uuid
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.count_calls(p_calls);
end;
$$;

create function public.message_page(
  p_room_id uuid,
  p_limit int default 20,
  p_offset int default 0,
  p_before_seq bigint default null,
  p_after_seq bigint default null,
  p_before_id uuid default null,
  p_after_id uuid default null,
  p_with_deleted boolean default true,
  p_with_readers boolean default false
)
returns json
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.message_page(
    p_room_id, p_limit, p_offset, p_before_seq, p_after_seq, p_before_id, p_after_id, p_with_deleted, p_with_readers
  );
end;
$$;

create function public.read_by_others(p_room_ids uuid[])
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.read_by_others(p_room_ids);
end;
$$;

create function public.mark_message_read(p_message_id uuid)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.mark_message_read(p_message_id);
end;
$$;

create function public.read_messages(p_message_ids uuid[])
returns uuid[]
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.read_messages(p_message_ids);
end;
$$;

create function public.locate_room(p_room_id uuid)
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.locate_room(p_room_id);
end;
$$;

create function public.locate_message(p_message_id uuid)
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.locate_message(p_message_id);
end;
$$;

create function public.locate_organization(p_slug text)
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.locate_organization(p_slug);
end;
$$;

-- Grants
grant execute on function private.count_calls(int) to authenticated;
grant execute on function private.message_page(uuid, int, int, bigint, bigint, uuid, uuid, boolean, boolean) to authenticated;
grant execute on function private.read_by_others(uuid[]) to authenticated;
grant execute on function private.mark_message_read(uuid) to authenticated;
grant execute on function private.read_messages(uuid[]) to authenticated;
grant execute on function private.locate_room(uuid) to authenticated;
grant execute on function private.locate_message(uuid) to authenticated;
grant execute on function private.locate_organization(text) to authenticated;
grant execute on function public.count_calls(int) to authenticated;
grant execute on function public.message_page(uuid, int, int, bigint, bigint, uuid, uuid, boolean, boolean) to authenticated;
grant execute on function public.read_by_others(uuid[]) to authenticated;
grant execute on function public.mark_message_read(uuid) to authenticated;
grant execute on function public.read_messages(uuid[]) to authenticated;
grant execute on function public.locate_room(uuid) to authenticated;
grant execute on function public.locate_message(uuid) to authenticated;
grant execute on function public.locate_organization(text) to authenticated;

-- Comments
comment on function public.count_calls(int) is
'Counts 1 to 100 calls of the HTTP door and the other functions, and answers who calls. Refusals: not_signed_in, limit_out_of_range, too_many_requests.';
comment on function public.message_page(uuid, int, int, bigint, bigint, uuid, uuid, boolean, boolean) is
'A page of 1 to 100 messages of a room, past `p_offset` others: newest first, or oldest first after a message. Answers {count: of all messages, has_more, messages, read_ids: of those that are read, readers: if asked for, {message_id: [{user_id, read_at}]} of those that anybody has read}. Refusals: not_signed_in, room_not_found, not_a_member, limit_out_of_range, one_cursor_only, message_not_found.';
comment on function public.read_by_others(uuid[]) is
'{room_id: seq}: how far somebody else has read in each of these rooms, at most 500, that the caller is in. Refusals: not_signed_in, room_count_out_of_range.';
comment on function public.mark_message_read(uuid) is
'Reads this message of somebody else''s and all before it. Answers as mark_read. Refusals: not_signed_in, message_not_found, not_a_member, own_message.';
comment on function public.read_messages(uuid[]) is
'Those of these messages that are read: of others'' by the caller, of the caller''s by somebody else. Messages of rooms that the caller is not in are passed over. Refusals: message_count_out_of_range, over 500.';
comment on function public.locate_room(uuid) is
'{room_id, type, organization_id, organization_slug}. Refusals: not_signed_in, room_not_found, not_a_member.';
comment on function public.locate_message(uuid) is
'The room of a message that the caller may read, as locate_room. Refusals: not_signed_in, message_not_found, not_a_member.';
comment on function public.locate_organization(text) is
'{id, slug, name} of an organization of the caller''s. Refusals: not_signed_in, organization_not_found, not_in_organization.';
