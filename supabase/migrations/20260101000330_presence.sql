-- Presence: who is online. A heartbeat buys a lease; whoever stops beating is offline when it ends.

-- Tables
create table public.user_presence (
  user_id uuid primary key references public.profiles (id) on delete cascade,
  status text not null default 'offline',
  last_activity timestamptz not null default now(),
  online_until timestamptz not null default '-infinity',
  constraint status_is_online_or_offline check (status in ('online', 'offline'))
)
-- Written at every heartbeat, and so without an index on any time: that would make each of them touch the index.
with (fillfactor = 50);

-- Policies
alter table public.user_presence enable row level security;

-- Grants
revoke all on public.user_presence from anon, authenticated;
