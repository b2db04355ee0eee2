-- Blocks: whom somebody wants to hear nothing from.

-- Tables
create table public.user_blocks (
  blocker_id uuid not null default private.my_id() references public.profiles (id) on delete cascade,
  blocked_id uuid not null references public.profiles (id) on delete cascade,
  created_at timestamptz not null default now(),
  primary key (blocker_id, blocked_id),
  constraint nobody_blocks_oneself check (blocker_id <> blocked_id)
);

-- Indexes
create index user_blocks_blocked_idx on public.user_blocks (blocked_id);

-- Triggers
-- Says in our words what the constraints would say in SQL's.
create function private.check_block()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if new.blocker_id is null then
    perform private.refuse('not_signed_in');
  elsif new.blocked_id = new.blocker_id then
    perform private.refuse('block_of_oneself');
  elsif not exists (select from public.profiles where id = new.blocked_id) then
    perform private.refuse('user_not_found');
  end if;
  return new;
end;
$$;

create trigger check_block
before insert on public.user_blocks
for each row execute function private.check_block();

-- Functions
-- Whether either has blocked the other: both sides are treated alike, so that nobody learns who did.
create function private.are_blocked(p_user_id uuid, p_other_id uuid)
returns boolean
language plpgsql stable security definer set search_path = ''
as $$
begin
  return exists (
    select
    from public.user_blocks
    where (blocker_id, blocked_id) in ((p_user_id, p_other_id), (p_other_id, p_user_id))
  );
end;
$$;

-- Those with a block between them and this person, whoever made it.
create function private.blocked_ids_of(p_user_id uuid)
returns uuid[]
language plpgsql stable security definer set search_path = ''
as $$
begin
  return array(
    select blocked_id from public.user_blocks where blocker_id = p_user_id
    union
    select blocker_id from public.user_blocks where blocked_id = p_user_id
  );
end;
$$;

create function public.block_user(p_user_id uuid)
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  insert into public.user_blocks (blocked_id) values (p_user_id) on conflict do nothing;
end;
$$;

create function public.unblock_user(p_user_id uuid)
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  if private.my_id() is null then
    perform private.refuse('not_signed_in');
  end if;
  delete from public.user_blocks where blocker_id = private.my_id() and blocked_id = p_user_id;
end;
$$;

-- Each word of the query begins a word of the username or of a name. Definer rights, since these people are strangers:
-- what is told of them is what `private.user_json` tells a stranger.
create function private.search_users(p_query text, p_limit int)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_account();
  blocked uuid[] := private.blocked_ids_of(me);
  words text[];
  prefixes tsquery;
begin
  if p_limit is null or p_limit not between 1 and 100 then
    perform private.refuse('limit_out_of_range');
  elsif char_length(p_query) > 200 then
    perform private.refuse('query_too_long');
  end if;
  words := private.words_of(p_query);
  if coalesce(char_length(array_to_string(words, '')), 0) < 2 then
    perform private.refuse('query_too_short');
  end if;
  perform private.take_token(me, 'search_users', private.limit_of('user_searches_per_minute'), '1 minute');

  -- Quotes and backslashes stand between words: none holds one.
  select string_agg('''' || word || ''':*', ' & ')::tsquery into prefixes from unnest(words) as word;
  return (
    select coalesce(jsonb_agg(private.user_json(id) order by nth), '[]')
    from (
      select id, row_number() over (order by username <> lower(p_query), username) as nth
      from (
        select p.id, p.username
        from public.profiles as p
        join auth.users as account on account.id = p.id
        where p.username = lower(p_query) and not account.is_anonymous and account.deleted_at is null
        union
        -- Of a beginning that a tenth of all people share, a thousand are enough to choose from.
        (
          select p.id, p.username
          from public.profiles as p
          join auth.users as account on account.id = p.id
          where private.name_words(p.username, p.first_name, p.last_name) @@ prefixes
            and not account.is_anonymous
            and account.deleted_at is null
          limit 1000
        )
      ) as candidates
      where id <> me and id <> all (blocked)
      order by nth
      limit p_limit
    ) as found
  );
end;
$$;

create function public.search_users(p_query text, p_limit int default 20)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.search_users(p_query, p_limit);
end;
$$;

-- Policies
alter table public.user_blocks enable row level security;

create policy "Users see whom they have blocked"
on public.user_blocks for select to authenticated
using (blocker_id = (select private.my_id()));

create policy "Users block for themselves"
on public.user_blocks for insert to authenticated
with check (blocker_id = (select private.my_id()));

create policy "Users take back their own blocks"
on public.user_blocks for delete to authenticated
using (blocker_id = (select private.my_id()));

-- Grants
revoke all on public.user_blocks from anon, authenticated;
grant select, insert (blocked_id), delete on public.user_blocks to authenticated;
grant execute on function private.search_users(text, int) to authenticated;
grant execute on function public.block_user(uuid) to authenticated;
grant execute on function public.unblock_user(uuid) to authenticated;
grant execute on function public.search_users(text, int) to authenticated;

-- Comments
comment on table public.user_blocks is 'Whom somebody has blocked. It stops direct messages and new chats, finding, mentions, push and adding, in both directions.';
comment on function public.block_user(uuid) is
'Blocks this person; again, and nothing changes. Refusals: not_signed_in, block_of_oneself, user_not_found.';
comment on function public.unblock_user(uuid) is 'Takes one''s own block back, if there is one. Refusals: not_signed_in.';
comment on function public.search_users(text, int) is
'Up to 100 people each of whose names or username has words that begin as those of the query do, without regard to accents and case; the exact username first. Answers users. Refusals: not_signed_in, anonymous_not_allowed, limit_out_of_range, query_too_short, query_too_long, too_many_requests.';
