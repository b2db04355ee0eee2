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

-- A direct chat with a block between its two can be read, not written in.
create function private.require_unblocked_room(p_room_id uuid)
returns void
language plpgsql stable security definer set search_path = ''
as $$
begin
  if exists (
    select
    from public.chat_room_members
    where room_id = p_room_id
      and user_id <> private.my_id()
      and private.are_blocked(user_id, private.my_id())
  ) then
    perform private.refuse('blocked');
  end if;
end;
$$;

-- Policies
alter table public.user_blocks enable row level security;

create policy "Users see whom they have blocked"
on public.user_blocks for select to authenticated
using (blocker_id = (select private.my_id()));

-- Grants
revoke all on public.user_blocks from anon, authenticated;
grant select on public.user_blocks to authenticated;

-- Comments
comment on table public.user_blocks is 'Whom somebody has blocked. It stops direct messages and new chats, finding, mentions, push and adding, in both directions.';
