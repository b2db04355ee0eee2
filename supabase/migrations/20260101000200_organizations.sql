-- Organizations: the hotel, shop or company whose people work together.

-- Types
create type public.organization_role as enum ('admin', 'manager', 'staff');

-- Tables
create table public.organizations (
  id uuid primary key default private.uuid_v7(),
  slug text not null,
  name text not null,
  created_at timestamptz not null default now(),
  constraint slug_is_a_word_for_urls check (slug ~ '^[a-z0-9]+(?:-[a-z0-9]+)*$' and char_length(slug) <= 60),
  constraint name_is_1_to_200_chars check (char_length(name) between 1 and 200),
  constraint organizations_one_per_slug unique (slug)
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
comment on table public.organization_members is 'Who works in an organization, and as what.';
comment on function private.my_organization_ids() is 'The organizations of the caller: one array, for policies.';
