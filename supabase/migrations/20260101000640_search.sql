-- Search: messages in one's own rooms, by the beginnings of their words.
--
-- Words are what stands between spaces and punctuation, in small letters and without accents. Chinese, Japanese and Thai
-- write none between theirs: there a search finds how such a run of letters begins, and nothing in the middle of it.

-- Functions
-- The rooms that a search looks through, with the seq up to which each hides its messages from this person.
create function private.searched_rooms(p_user_id uuid, p_room_id uuid, p_organization_id uuid)
returns table (room_ids uuid[], hidden_seqs jsonb, messages bigint)
language plpgsql stable security definer set search_path = ''
as $$
begin
  if p_room_id is not null then
    room_ids := array[p_room_id];
    hidden_seqs := jsonb_build_object(p_room_id, private.hidden_up_to_seq(p_user_id, p_room_id));
  else
    room_ids := case
      when p_organization_id is null then private.my_room_ids() else private.staff_room_ids(p_organization_id)
    end;
    hidden_seqs := private.my_hidden_seqs();
  end if;
  select sum(last_seq - coalesce((hidden_seqs ->> id::text)::bigint, 0)) into messages
  from public.chat_rooms
  where id = any (room_ids);
  return next;
end;
$$;

-- Three ways, all newest first, and each exact:
-- - few messages are read through, all of them;
-- - of many, the newest are, where a common word is found soon: more and more of them, for as long as those are fewer than
--   all messages that seem to have the words;
-- - a rarer word goes by the index, which has to look at each message that has it, whosever it is. Where that would be more
--   than the caller's own messages, these are read through after all.
create function private.search_messages(
  p_query text, p_room_id uuid, p_limit int, p_before timestamptz, p_before_id uuid, p_organization_id uuid
)
returns json
-- Planned once: it is the same plan for every word.
language plpgsql stable security definer set search_path = '' set plan_cache_mode = 'force_generic_plan'
as $$
declare
  few constant bigint := 2000;
  me uuid := private.require_me();
  words text[];
  query tsquery;
  patterns text[];
  rooms record;
  before_time timestamptz := coalesce(p_before, 'infinity');
  before_id uuid := coalesce(p_before_id, '00000000-0000-0000-0000-000000000000');
  newest bigint := 500;
  all_messages constant bigint := (select reltuples from pg_catalog.pg_class where oid = 'public.chat_messages'::regclass);
  likely_matches double precision;
  found public.chat_messages[];
begin
  if p_room_id is not null then
    perform private.require_room_member(p_room_id);
  end if;
  if p_limit is null or p_limit not between 1 and private.limit_of('search_results') then
    perform private.refuse('limit_out_of_range');
  end if;
  words := array(select distinct left(word, 100) from unnest(private.words_of(left(p_query, 1000))) as word);
  if cardinality(words) = 0 then
    return '[]';
  end if;
  -- Words hold no punctuation, and so nothing that a tsquery or a pattern would read as its own.
  query := (select string_agg(format('''%s'':*', word), ' & ') from unnest(words) as word);
  -- A message in plain ASCII holds its words as they are, and `ilike` sees sooner whether it does.
  patterns := array(select '%' || word || '%' from unnest(words) as word);
  select * into rooms from private.searched_rooms(me, p_room_id, p_organization_id);

  if rooms.messages > few then
    loop
      with candidates as materialized (
        select m
        from public.chat_messages as m
        where (m.created_at, m.id) < (before_time, before_id)
        order by m.created_at desc, m.id desc
        limit newest
      )
      select
        array(
          select m
          from candidates
          where (m).room_id = any (rooms.room_ids)
            and (m).seq > coalesce((rooms.hidden_seqs ->> (m).room_id::text)::bigint, 0)
            and not (m).is_deleted
            and ((m).content ilike all (patterns) or octet_length((m).content) > char_length((m).content))
            and private.message_words((m).content) @@ query
          limit p_limit
        ),
        (select count(*) from candidates where (m).content ilike all (patterns))::double precision / newest * all_messages
      into found, likely_matches;
      if cardinality(found) = p_limit then
        return private.messages_json(found);
      end if;
      newest := newest * 8;
      exit when newest > least(likely_matches, rooms.messages);
    end loop;

    if likely_matches < rooms.messages then
      found := array(
        select m
        from (
          -- Planned by itself, or the limit would tempt Postgres to walk by time and read every message on the way; and
          -- `is true`, or it would look up every message of a large account's rooms.
          select m
          from public.chat_messages as m
          where private.message_words(m.content) @@ query
            and not m.is_deleted
            and (m.room_id = any (rooms.room_ids)) is true
            and m.seq > coalesce((rooms.hidden_seqs ->> m.room_id::text)::bigint, 0)
            and (m.created_at, m.id) < (before_time, before_id)
          offset 0
        ) as matches
        order by (m).created_at desc, (m).id desc
        limit p_limit
      );
      return private.messages_json(found);
    end if;
  end if;

  found := array(
    with candidates as materialized (
      select m
      from public.chat_messages as m
      where m.room_id = any (rooms.room_ids)
        and m.seq > coalesce((rooms.hidden_seqs ->> m.room_id::text)::bigint, 0)
        and (m.created_at, m.id) < (before_time, before_id)
        and not m.is_deleted
        and (m.content ilike all (patterns) or octet_length(m.content) > char_length(m.content))
      order by m.created_at desc, m.id desc
    )
    select m from candidates where private.message_words((m).content) @@ query limit p_limit
  );
  return private.messages_json(found);
end;
$$;

create function public.search_messages(
  p_query text,
  p_room_id uuid default null,
  p_limit int default 20,
  p_before timestamptz default null,
  p_before_id uuid default null,
  p_organization_id uuid default null
)
returns json
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.search_messages(p_query, p_room_id, p_limit, p_before, p_before_id, p_organization_id);
end;
$$;

-- Grants
grant execute on function private.search_messages(text, uuid, int, timestamptz, uuid, uuid) to authenticated;
grant execute on function public.search_messages(text, uuid, int, timestamptz, uuid, uuid) to authenticated;

-- Comments
comment on function public.search_messages(text, uuid, int, timestamptz, uuid, uuid) is
'The messages in one''s rooms, or in one of them, or in one''s direct and group chats of an organization, that have all of these words or words that begin so; newest first, 1 to 100. The next page is before the created_at and the id of the last one. Refusals: not_signed_in, room_not_found, not_a_member, organization_not_found, not_in_organization, limit_out_of_range.';
