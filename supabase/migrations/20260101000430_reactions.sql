-- Reactions: emojis that members put on a message.

-- Functions
-- One emoji: a keycap, a flag, or pictures joined into one, each with its colour and tags.
create function private.is_emoji(p_text text)
returns boolean
language plpgsql immutable set search_path = ''
as $$
declare
  picture constant text :=
    '[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935'
    '\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001faff]'
    '\ufe0f?[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*';
begin
  return octet_length(p_text) <= 32
    and char_length(p_text) <= 8
    and p_text ~ (
      '^(?:[0-9#*]\ufe0f?\u20e3|[\U0001f1e6-\U0001f1ff]{2}|' || picture || '(?:\u200d' || picture || ')*)$'
    );
end;
$$;

-- Tables
create table public.message_reactions (
  message_id uuid not null references public.chat_messages (id) on delete cascade,
  user_id uuid not null default private.my_id() references public.profiles (id) on delete cascade,
  emoji text not null,
  room_id uuid not null default '00000000-0000-0000-0000-000000000000',
  created_at timestamptz not null default now(),
  primary key (message_id, user_id, emoji),
  constraint emoji_is_one_emoji check (private.is_emoji(emoji))
);

-- Indexes
create index message_reactions_user_idx on public.message_reactions (user_id);

-- Functions
-- The reactions to these messages, by first use. Of each emoji at most 100 people are named, and the caller if among them.
create function private.reactions_of(p_message_ids uuid[])
returns table (message_id uuid, reactions jsonb)
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
begin
  return query
  with placed as (
    select
      reaction.*,
      row_number() over (
        partition by reaction.message_id, reaction.emoji order by reaction.created_at, reaction.user_id
      ) as place
    from public.message_reactions as reaction
    where reaction.message_id = any (p_message_ids)
  ),
  emojis as (
    select
      placed.message_id,
      placed.emoji,
      min(placed.created_at) as first_used_at,
      count(*) as people,
      jsonb_agg(placed.user_id order by placed.place) filter (where placed.place <= 100 or placed.user_id = me) as user_ids
    from placed
    group by placed.message_id, placed.emoji
  )
  select
    emojis.message_id,
    jsonb_agg(
      jsonb_build_object('emoji', emojis.emoji, 'count', emojis.people, 'user_ids', emojis.user_ids)
      order by emojis.first_used_at, emojis.emoji
    )
  from emojis
  group by emojis.message_id;
end;
$$;

-- What a message's row says without a look at the reactions: one that never changed has none, and a deleted one shows none.
create function private.reactions_json(p_message public.chat_messages)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  if p_message.change_seq = 0 or p_message.is_deleted then
    return null;
  end if;
  return (select reactions from private.reactions_of(array[p_message.id]));
end;
$$;

-- Triggers
create function private.begin_reactions()
returns trigger
language plpgsql set search_path = ''
as $$
begin
  perform set_config('parley.room_of_reactions', '', true);
  return null;
end;
$$;

create trigger a_begin_reactions
before insert or delete on public.message_reactions
for each statement execute function private.begin_reactions();

-- Two statements over several rooms, in opposite orders, would wait for each other's rooms for ever.
create function private.require_one_room_of_reactions(p_room_id uuid, p_refusal text)
returns void
language plpgsql set search_path = ''
as $$
begin
  if p_room_id::text <> coalesce(nullif(current_setting('parley.room_of_reactions', true), ''), p_room_id::text) then
    perform private.refuse(p_refusal);
  end if;
  perform set_config('parley.room_of_reactions', p_room_id::text, true);
end;
$$;

-- Every reaction comes through here, by the functions or by a plain insert.
create function private.check_reaction()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
  message public.chat_messages;
begin
  if private.is_emoji(new.emoji) is not true then
    perform private.refuse('not_an_emoji');
  end if;

  -- The project's own jobs react without a caller.
  if me is null then
    select * into message from public.chat_messages where id = new.message_id;
    perform private.lock_rooms(array[message.room_id]);
  else
    new.user_id := me;
    message := private.require_message(new.message_id);
    perform private.require_one_room_of_reactions(message.room_id, 'one_room_per_insert');
    perform private.begin_reacting(me);
    message := private.lock_message(new.message_id);
    perform private.require_allowed(private.verdict_send(message.room_id, me));
  end if;

  if exists (
    select from public.message_reactions where message_id = message.id and user_id = new.user_id and emoji = new.emoji
  ) then
    -- It stays as it is, and the first time was paid for.
    perform private.return_token(me, 'react');
    return null;
  elsif message.is_deleted then
    perform private.refuse('message_deleted');
  elsif not exists (select from public.message_reactions where message_id = message.id and emoji = new.emoji)
    and private.limit_of('reactions_per_message') <= (
      select count(distinct emoji) from public.message_reactions where message_id = message.id
    )
  then
    perform private.refuse('too_many_reactions');
  end if;

  new.room_id := message.room_id;
  new.created_at := clock_timestamp();
  return new;
end;
$$;

create trigger b_check_reaction
before insert on public.message_reactions
for each row execute function private.check_reaction();

-- Also when an account ends, over all its rooms. What is removed with its message, or from a deleted one, is no news.
create function private.announce_reactions()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  reaction public.message_reactions;
  message public.chat_messages;
begin
  perform private.lock_rooms(array(select room_id from changed));
  for reaction in select * from changed order by message_id, emoji loop
    update public.chat_messages
    set change_seq = private.next_change_seq(room_id)
    where id = reaction.message_id and not is_deleted
    returning * into message;
    continue when not found;

    perform private.tell_room(
      message.room_id,
      'message-reaction',
      jsonb_build_object(
        'room_id', message.room_id,
        'message_id', message.id,
        'change_seq', message.change_seq,
        'user_id', reaction.user_id,
        'emoji', reaction.emoji,
        'action', case tg_op when 'INSERT' then 'added' else 'removed' end,
        'reactions', coalesce(private.reactions_json(message), '[]')
      )
    );
  end loop;
  return null;
end;
$$;

create trigger announce_added_reactions
after insert on public.message_reactions
referencing new table as changed
for each statement execute function private.announce_reactions();

create trigger announce_removed_reactions
after delete on public.message_reactions
referencing old table as changed
for each statement execute function private.announce_reactions();

-- Functions
-- What a reaction locks before its room. Removing is free: one removes no more than one has added.
create function private.begin_reacting(p_user_id uuid)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform from public.profiles where id = p_user_id for key share;
  perform private.take_token(p_user_id, 'react', private.limit_of('reactions_per_minute'), '1 minute');
end;
$$;

-- For the policy on deletes, which Postgres asks before it locks the row: as everywhere, the room is locked first.
create function private.lock_for_removal(p_room_id uuid)
returns boolean
-- Asked last, when the row is known to be meant.
language plpgsql volatile security definer cost 100000 set search_path = ''
as $$
begin
  perform private.require_one_room_of_reactions(p_room_id, 'one_room_per_delete');
  perform private.lock_rooms(array[p_room_id]);
  return true;
end;
$$;

create function private.add_reaction(p_message_id uuid, p_emoji text)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.message_reactions (message_id, emoji) values (p_message_id, p_emoji);
  return private.reacted(p_message_id);
end;
$$;

create function private.remove_reaction(p_message_id uuid, p_emoji text)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.lock_message(p_message_id);
  delete from public.message_reactions
  where message_id = p_message_id and user_id = private.my_id() and emoji = p_emoji;
  return private.reacted(p_message_id);
end;
$$;

create function private.toggle_reaction(p_message_id uuid, p_emoji text)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  was_mine boolean;
  is_replaced boolean;
begin
  -- A token taken and given back locks the bucket.
  perform private.begin_reacting(me);
  perform private.return_token(me, 'react');
  perform private.lock_message(p_message_id);

  was_mine := exists (
    select from public.message_reactions where message_id = p_message_id and user_id = me and emoji = p_emoji
  );
  delete from public.message_reactions
  where message_id = p_message_id and user_id = me and (emoji = p_emoji or not was_mine);
  is_replaced := found and not was_mine;
  if not was_mine then
    insert into public.message_reactions (message_id, emoji) values (p_message_id, p_emoji);
  end if;
  return private.reacted(p_message_id)
    || jsonb_build_object('reacted', not was_mine, 'replaced', is_replaced, 'emoji', p_emoji);
end;
$$;

create function private.reacted(p_message_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return jsonb_build_object(
    'message_id', p_message_id, 'reactions', coalesce(private.reactions_json(private.require_message(p_message_id)), '[]')
  );
end;
$$;

create function public.add_reaction(p_message_id uuid, p_emoji text)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.add_reaction(p_message_id, p_emoji);
end;
$$;

create function public.remove_reaction(p_message_id uuid, p_emoji text)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.remove_reaction(p_message_id, p_emoji);
end;
$$;

create function public.toggle_reaction(p_message_id uuid, p_emoji text)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.toggle_reaction(p_message_id, p_emoji);
end;
$$;

-- Policies
alter table public.message_reactions enable row level security;

create policy "Members see the reactions to messages they may see"
on public.message_reactions for select to authenticated
using (
  room_id = any ((select private.my_room_ids())::uuid[])
  -- As the caller sees them: the policies on messages hold in here too.
  and exists (select from public.chat_messages as m where m.id = message_id and not m.is_deleted)
);

create policy "Members react as themselves"
on public.message_reactions for insert to authenticated
with check (user_id = (select private.my_id()) and room_id = any ((select private.my_room_ids())::uuid[]));

create policy "Members take their own reactions back"
on public.message_reactions for delete to authenticated
using (user_id = (select private.my_id()) and private.lock_for_removal(room_id));

-- Grants
revoke all on public.message_reactions from anon, authenticated;
grant select, delete on public.message_reactions to authenticated;
grant insert (message_id, emoji) on public.message_reactions to authenticated;
grant execute on function private.is_emoji(text) to authenticated, service_role;
grant execute on function private.lock_for_removal(uuid) to authenticated;
grant execute on function private.add_reaction(uuid, text) to authenticated;
grant execute on function private.remove_reaction(uuid, text) to authenticated;
grant execute on function private.toggle_reaction(uuid, text) to authenticated;
grant execute on function public.add_reaction(uuid, text) to authenticated;
grant execute on function public.remove_reaction(uuid, text) to authenticated;
grant execute on function public.toggle_reaction(uuid, text) to authenticated;

-- Comments
comment on table public.message_reactions is 'Emojis on messages. Those on a deleted message are kept while the delete can be undone, and not shown.';
comment on column public.message_reactions.room_id is 'The message''s, given by a trigger: it never moves.';
comment on function public.add_reaction(uuid, text) is
'Puts an emoji on a message; a plain insert does the same. Again changes nothing. Answers {message_id, reactions}. Refusals: not_signed_in, message_not_found, not_a_member, not_an_emoji, message_deleted, stay_over, blocked, too_many_reactions, too_many_requests.';
comment on function public.remove_reaction(uuid, text) is
'Takes an emoji of one''s own back; a plain delete does the same. Answers {message_id, reactions}. Refusals: not_signed_in, message_not_found, not_a_member.';
comment on function public.toggle_reaction(uuid, text) is
'At most one emoji a person: the same again removes it, another one replaces what was there. Answers {message_id, reacted, replaced, emoji, reactions}. Refusals: those of add_reaction.';
