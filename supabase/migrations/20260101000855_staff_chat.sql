-- Staff chat: what the people of an organization write among themselves, for the HTTP door. The chats of its guests are
-- not among it.

-- Functions
-- The caller's direct and group chats in an organization.
create function private.staff_room_ids(p_organization_id uuid)
returns uuid[]
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.require_organization_role(p_organization_id);
  return array(
    select r.id
    from unnest(private.my_room_ids()) as my (room_id)
    join public.chat_rooms as r on r.id = my.room_id
    where r.organization_id = p_organization_id and r.type <> 'guest'
  );
end;
$$;

-- A page of them, the newest first, by number or from the room on where the page beside it ends.
create function private.staff_rooms(
  p_organization_id uuid,
  p_archived boolean,
  p_type text,
  p_query text,
  p_unread boolean,
  p_limit int,
  p_offset int,
  p_from timestamptz,
  p_from_id uuid,
  p_backwards boolean
)
returns json
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  room_ids uuid[];
  query tsquery;
  found uuid[];
  page uuid[];
begin
  if p_limit is null or p_limit not between 1 and 100 or p_offset is null or p_offset < 0 then
    perform private.refuse('limit_out_of_range');
  end if;
  -- Words hold nothing that a tsquery would read as its own. A query without a word finds nothing.
  select string_agg(format('''%s'':*', left(word, 100)), ' & ')::tsquery into query
  from unnest(private.words_of(left(p_query, 1000))) as word;

  room_ids := array(
    select r.id
    from unnest(private.staff_room_ids(p_organization_id)) as my (room_id)
    join public.chat_rooms as r on r.id = my.room_id
    left join public.user_chat_preferences as mine on mine.user_id = me and mine.room_id = r.id
    where (p_archived is null or coalesce(mine.is_archived, false) = p_archived)
      -- A chat that I deleted is there again once somebody writes in it.
      and (mine.is_deleted is not true or r.last_seq > mine.cleared_seq)
      and (p_type is null or r.type::text = p_type)
      and (
        coalesce(trim(p_query), '') = ''
        or private.message_words(concat_ws(' ', r.title, r.description)) @@ query
        or exists (
          select
          from public.chat_room_members as other
          join public.profiles as p on p.id = other.user_id
          where other.room_id = r.id
            and other.user_id <> me
            and private.name_words(p.username, p.first_name, p.last_name) @@ query
        )
      )
  );
  if p_unread then
    room_ids := array(select room_id from private.unread_counts(me, room_ids) where unread_count > 0);
  end if;

  -- One more than asked for tells whether there is another page.
  found := array(
    select r.id
    from public.chat_rooms as r
    where r.id = any (room_ids)
      and (
        p_from is null
        or case
          when p_backwards then (r.updated_at, r.id) > (p_from, p_from_id)
          else (r.updated_at, r.id) < (p_from, p_from_id)
        end
      )
    order by
      case when p_backwards then r.updated_at end,
      case when p_backwards then r.id end,
      r.updated_at desc,
      r.id desc
    limit p_limit + 1 offset p_offset
  );
  page := array(select id from public.chat_rooms where id = any (found[:p_limit]) order by updated_at desc, id desc);
  return json_build_object(
    'count', cardinality(room_ids),
    'has_more', cardinality(found) > p_limit,
    'rooms', private.rooms_json(page)
  );
end;
$$;

-- The room that all of these messages are in.
create function private.locate_messages(p_message_ids uuid[])
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  room_ids uuid[];
begin
  if cardinality(p_message_ids) > 500 then
    perform private.refuse('message_count_out_of_range');
  end if;
  room_ids := array(select distinct (private.require_message(id)).room_id from unnest(p_message_ids) as id);
  if cardinality(room_ids) <> 1 then
    perform private.refuse('message_not_found');
  end if;
  return private.locate_room(room_ids[1]);
end;
$$;

create function private.locate_attachment(p_attachment_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  attachment_room_id uuid;
begin
  -- An upload of one's own that was not sent, or a file of a message.
  select room_id into attachment_room_id
  from public.media_assets
  where id = p_attachment_id and owner_id = me and state in ('pending', 'verified');
  if attachment_room_id is null then
    select room_id into attachment_room_id from public.message_attachments where id = p_attachment_id;
  end if;
  if attachment_room_id is null then
    perform private.refuse('attachment_not_found');
  end if;
  return private.locate_room(attachment_room_id);
end;
$$;

create function public.staff_rooms(
  p_organization_id uuid,
  p_archived boolean default false,
  p_type text default null,
  p_query text default null,
  p_unread boolean default false,
  p_limit int default 20,
  p_offset int default 0,
  p_from timestamptz default null,
  p_from_id uuid default null,
  p_backwards boolean default false
)
returns json
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.staff_rooms(
    p_organization_id, p_archived, p_type, p_query, p_unread, p_limit, p_offset, p_from, p_from_id, p_backwards
  );
end;
$$;

create function public.locate_messages(p_message_ids uuid[])
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.locate_messages(p_message_ids);
end;
$$;

create function public.locate_attachment(p_attachment_id uuid)
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.locate_attachment(p_attachment_id);
end;
$$;

-- Grants
grant execute on function private.staff_rooms(uuid, boolean, text, text, boolean, int, int, timestamptz, uuid, boolean)
to authenticated;
grant execute on function private.locate_messages(uuid[]) to authenticated;
grant execute on function private.locate_attachment(uuid) to authenticated;
grant execute on function public.staff_rooms(uuid, boolean, text, text, boolean, int, int, timestamptz, uuid, boolean)
to authenticated;
grant execute on function public.locate_messages(uuid[]) to authenticated;
grant execute on function public.locate_attachment(uuid) to authenticated;

-- Comments
comment on function public.staff_rooms(uuid, boolean, text, text, boolean, int, int, timestamptz, uuid, boolean) is
'A page of 1 to 100 of the caller''s direct and group chats in an organization, past `p_offset` others, the newest updated_at first; or before the updated_at and id of a room, or after them with p_backwards. Archived ones or the others, or with null both; of a type (direct, group); with all words of a query, or words that begin so, in the title and description or in the name of somebody there; with unread messages. Answers {count: of all that fit, has_more, rooms}. Refusals: not_signed_in, organization_not_found, not_in_organization, limit_out_of_range.';
comment on function public.locate_messages(uuid[]) is
'The room that these messages are in, as locate_room; when they are in several, they are not found. Refusals: not_signed_in, message_count_out_of_range, message_not_found, not_a_member.';
comment on function public.locate_attachment(uuid) is
'The room of a file that the caller uploaded or may see, as locate_room. Refusals: not_signed_in, attachment_not_found, not_a_member.';
