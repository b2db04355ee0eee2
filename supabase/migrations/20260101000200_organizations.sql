-- Organizations: the hotel, shop or company whose people work together.

-- Types
create type public.organization_role as enum ('admin', 'manager', 'staff');

-- Tables
create table public.organizations (
  id uuid primary key default private.uuid_v7(),
  slug text not null,
  name text not null,
  guest_delete_window interval not null default '5 minutes',
  undo_window interval not null default '30 seconds',
  max_attachments bigint not null default 10,
  max_attachment_bytes bigint not null default 52428800,
  wipe_messages_of_deleted_accounts boolean not null default false,
  created_at timestamptz not null default now(),
  constraint slug_is_a_word_for_urls check (slug ~ '^[a-z0-9]+(?:-[a-z0-9]+)*$' and char_length(slug) <= 60),
  constraint name_is_1_to_200_chars check (char_length(name) between 1 and 200),
  constraint organizations_one_per_slug unique (slug),
  constraint guest_delete_window_is_at_most_30_days check (guest_delete_window between '0' and '30 days'),
  constraint undo_window_is_at_most_a_day check (undo_window between '0' and '1 day'),
  -- What every client is promised at most; a hotel may allow less, or no files at all.
  constraint max_attachments_is_at_most_10 check (max_attachments between 0 and 10),
  constraint max_attachment_bytes_is_at_most_50_mb check (max_attachment_bytes between 1 and 52428800)
);

create table public.organization_members (
  organization_id uuid not null references public.organizations (id) on delete cascade,
  user_id uuid not null references public.profiles (id) on delete cascade,
  role public.organization_role not null default 'staff',
  joined_at timestamptz not null default now(),
  primary key (organization_id, user_id)
);

-- Indexes
create index organization_members_user_idx on public.organization_members (user_id);

-- Functions
-- Definer rights keep the policies on organization_members from calling themselves.
create function private.my_organization_ids()
returns uuid[]
language plpgsql stable security definer set search_path = ''
as $$
begin
  return array(select organization_id from public.organization_members where user_id = (select private.my_id()));
end;
$$;

-- Policies
alter table public.organizations enable row level security;
alter table public.organization_members enable row level security;

create policy "Members read their organization"
on public.organizations for select to authenticated
using (id = any ((select private.my_organization_ids())::uuid[]));

create policy "Members see who else is in their organization"
on public.organization_members for select to authenticated
using (organization_id = any ((select private.my_organization_ids())::uuid[]));

-- Grants
revoke all on public.organizations, public.organization_members from anon, authenticated;
grant select on public.organizations, public.organization_members to authenticated;
grant execute on function private.my_organization_ids() to authenticated;

-- Comments
comment on table public.organizations is 'A hotel, shop or company. Its slug stands in URLs.';
comment on column public.organizations.guest_delete_window is 'How long a guest may delete a message of one''s own.';
comment on column public.organizations.undo_window is 'How long whoever deleted a message may bring it back. Its files are destroyed after it.';
comment on column public.organizations.max_attachments is 'How many files a message may hold.';
comment on column public.organizations.max_attachment_bytes is 'How large each file may be.';
comment on column public.organizations.wipe_messages_of_deleted_accounts is 'Whether what somebody wrote here goes with that person''s account.';
comment on table public.organization_members is 'Who works in an organization, and as what.';
comment on function private.my_organization_ids() is 'The organizations of the caller: one array, for policies.';
