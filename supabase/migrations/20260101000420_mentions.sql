-- Mentions: whom a message calls by name, `@ana`, and `@all`.

-- Tables
create table public.message_mentions (
  message_id uuid not null references public.chat_messages (id) on delete cascade,
  user_id uuid references public.profiles (id) on delete cascade,
  room_id uuid not null,
  -- A key holds no nulls.
  user_key uuid not null generated always as (coalesce(user_id, '00000000-0000-0000-0000-000000000000')) stored,
  primary key (message_id, user_key)
);

-- Indexes
create index message_mentions_user_idx on public.message_mentions (user_id, room_id);

-- Functions
-- The names in a text. An address has something before its `@`, and `@ana@example.com` is one too; a name ends in a letter
-- or digit, so that "Hello @ana." calls ana.
create function private.names_in(p_content text)
returns table (name text)
language plpgsql immutable set search_path = ''
as $$
begin
  return query
  select distinct match.words[1]
  from regexp_matches(
    lower(p_content),
    '(?<![[:alnum:]_.+%/@-])@([a-z0-9](?:[a-z0-9_.-]{0,38}[a-z0-9])?)(?![[:alnum:]@])',
    'g'
  ) as match (words);
end;
$$;

-- Whom these messages mention: at most 100 people each, the caller among them if mentioned. `@all` is whoever is in the room
-- now, without the sender and those with a block between the two. A page is of few rooms: each one's people are read once.
create function private.mentions_of(p_message_ids uuid[])
returns table (message_id uuid, user_ids jsonb)
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
begin
  return query
  with mentions as materialized (
    select mention.message_id, mention.user_id, mention.room_id
    from public.message_mentions as mention
    where mention.message_id = any (p_message_ids)
  ),
  everybody as materialized (
    select rooms.room_id, audience.user_id
    from (select distinct mentions.room_id from mentions where mentions.user_id is null) as rooms
    cross join lateral (
      select people.user_id
      from private.room_audience(rooms.room_id) as people (user_id)
      order by people.user_id is distinct from me, people.user_id
      limit 101
    ) as audience
  ),
  mentioned as (
    select mentions.message_id, mentions.user_id
    from mentions
    where mentions.user_id is not null
    union
    select m.id, everybody.user_id
    from mentions
    join everybody using (room_id)
    join public.chat_messages as m on m.id = mentions.message_id
    where mentions.user_id is null
      and everybody.user_id is distinct from m.sender_id
      and not exists (
        select from public.user_blocks where blocker_id = everybody.user_id and blocked_id = m.sender_id
      )
      and not exists (
        select from public.user_blocks where blocker_id = m.sender_id and blocked_id = everybody.user_id
      )
  ),
  placed as (
    select
      mentioned.message_id,
      mentioned.user_id,
      row_number() over (
        partition by mentioned.message_id order by mentioned.user_id is distinct from me, mentioned.user_id
      ) as place
    from mentioned
  )
  select placed.message_id, jsonb_agg(placed.user_id order by placed.user_id)
  from placed
  where place <= 100
  group by placed.message_id;
end;
$$;

-- Triggers
-- Before the event that shows them: triggers run in the order of their names.
create function private.find_mentions()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' then
    delete from public.message_mentions where message_id = new.id;
  end if;

  insert into public.message_mentions (message_id, user_id, room_id)
  select new.id, profile.id, new.room_id
  from private.names_in(new.content) as mention
  join public.profiles as profile on profile.username = mention.name
  where mention.name <> 'all'
    and profile.id is distinct from new.sender_id
    and private.is_room_member(new.room_id, profile.id)
    and not private.are_blocked(profile.id, new.sender_id)
  limit private.limit_of('mentions_per_message');

  -- One row, however many are in the room.
  insert into public.message_mentions (message_id, user_id, room_id)
  select new.id, null, new.room_id from private.names_in(new.content) as mention where mention.name = 'all';
  return null;
end;
$$;

-- An encrypted message has no content here.
create trigger a_find_mentions
after insert on public.chat_messages
for each row when (new.content like '%@%' and new.message_type <> 'system' and not new.is_deleted)
execute function private.find_mentions();

-- A deleted message keeps its mentions for as long as the delete can be undone: they are not shown.
create trigger a_find_mentions_again
after update of content on public.chat_messages
for each row when (
  not old.is_deleted
  and not new.is_deleted
  and old.content is distinct from new.content
  and (old.content like '%@%' or new.content like '%@%')
)
execute function private.find_mentions();

-- Policies
alter table public.message_mentions enable row level security;

create policy "Members see the mentions in messages they may see"
on public.message_mentions for select to authenticated
using (
  room_id = any ((select private.my_room_ids())::uuid[])
  -- As the caller sees them: the policies on messages hold in here too.
  and exists (select from public.chat_messages as m where m.id = message_id and not m.is_deleted)
);

-- Grants
revoke all on public.message_mentions from anon, authenticated;
grant select on public.message_mentions to authenticated;

-- Comments
comment on table public.message_mentions is 'Whom a message mentions. Found when it is written and when it is edited.';
comment on column public.message_mentions.user_id is 'Null: everybody in the room but the sender, by @all.';
comment on column public.message_mentions.user_key is 'The person, or the nil id for everybody.';
comment on column public.message_mentions.room_id is 'The message''s: it never moves.';
