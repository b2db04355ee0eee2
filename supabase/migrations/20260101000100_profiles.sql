-- Profiles: how people are shown to each other.

-- Tables
create table public.profiles (
  id uuid primary key references auth.users (id) on delete cascade,
  username text not null,
  first_name text not null default '',
  last_name text not null default '',
  email text,
  avatar_url text,
  created_at timestamptz not null default now(),
  constraint username_is_a_mentionable_word check (username ~ '^[a-z0-9](?:[a-z0-9_.-]{0,38}[a-z0-9])?$'),
  -- `@all` calls everybody.
  constraint username_is_not_all check (username <> 'all'),
  constraint first_name_is_at_most_100_chars check (char_length(first_name) <= 100),
  constraint last_name_is_at_most_100_chars check (char_length(last_name) <= 100),
  constraint avatar_url_is_a_web_address check (avatar_url ~ '^https?://' and char_length(avatar_url) <= 2000)
);

-- Functions
-- The words of a text, small and without accents, so that Jose finds José.
create function private.words_of(p_text text)
returns text[]
language plpgsql immutable set search_path = ''
as $$
begin
  return array_remove(
    regexp_split_to_array(
      lower(regexp_replace(normalize(p_text, nfd), '[\u0300-\u036f]', '', 'g')), '[[:space:][:punct:]]+'
    ),
    ''
  );
end;
$$;

create function private.name_words(p_username text, p_first_name text, p_last_name text)
returns tsvector
language plpgsql immutable set search_path = ''
as $$
begin
  return array_to_tsvector(private.words_of(concat_ws(' ', p_username, p_first_name, p_last_name)));
end;
$$;

-- Indexes
create unique index profiles_username_idx on public.profiles (username);
create index profiles_words_idx on public.profiles using gin (private.name_words(username, first_name, last_name));

-- Triggers
create function private.to_username(p_text text)
returns text
language plpgsql immutable set search_path = ''
as $$
begin
  -- Room is left for the number that a taken name gets.
  return nullif(trim(both '_.-' from left(regexp_replace(lower(p_text), '[^a-z0-9_.-]+', '_', 'g'), 30)), '');
end;
$$;

create function private.create_profile()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  wanted text := coalesce(
    private.to_username(new.raw_user_meta_data ->> 'username'),
    private.to_username(split_part(new.email, '@', 1)),
    'guest'
  );
  free text := case when wanted = 'all' then 'all_' || substr(md5(random()::text), 1, 6) else wanted end;
begin
  loop
    insert into public.profiles (id, username, first_name, last_name, email)
    values (
      new.id,
      free,
      left(coalesce(new.raw_user_meta_data ->> 'first_name', ''), 100),
      left(coalesce(new.raw_user_meta_data ->> 'last_name', ''), 100),
      new.email
    )
    on conflict (username) do nothing;
    exit when found;
    free := wanted || '_' || substr(md5(random()::text), 1, 6);
  end loop;
  return null;
end;
$$;

create trigger create_profile
after insert on auth.users
for each row execute function private.create_profile();

create function private.follow_email()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  update public.profiles set email = new.email where id = new.id;
  return null;
end;
$$;

create trigger follow_email
after update of email on auth.users
for each row when (old.email is distinct from new.email)
execute function private.follow_email();

-- Says in our words what the constraints would say in SQL's. Definer rights, since a taken name may be a stranger's.
create function private.check_profile()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  new.first_name := coalesce(new.first_name, '');
  new.last_name := coalesce(new.last_name, '');

  if new.username is null or new.username !~ '^[a-z0-9](?:[a-z0-9_.-]{0,38}[a-z0-9])?$' then
    perform private.refuse('username_invalid');
  elsif new.username = 'all'
    or exists (select from public.profiles where username = new.username and id <> new.id)
  then
    perform private.refuse('username_taken');
  elsif greatest(char_length(new.first_name), char_length(new.last_name)) > 100 then
    perform private.refuse('name_too_long');
  elsif new.avatar_url !~ '^https?://' or char_length(new.avatar_url) > 2000 then
    perform private.refuse('avatar_url_invalid');
  end if;
  return new;
end;
$$;

create trigger check_profile
before update of username, first_name, last_name, avatar_url on public.profiles
for each row execute function private.check_profile();

-- Policies
alter table public.profiles enable row level security;

-- Whom one sees depends on who shares a room: that policy stands with the rooms.

create policy "Users change their own profile"
on public.profiles for update to authenticated
using (id = (select private.my_id()));

-- Grants
revoke all on public.profiles from anon, authenticated;
-- No one selects e-mail addresses from the table: functions show them to those who may see them.
grant select (id, username, first_name, last_name, avatar_url, created_at) on public.profiles to authenticated;
grant update (username, first_name, last_name, avatar_url) on public.profiles to authenticated;
-- Whoever changes a name writes to the index of its words.
grant execute on function private.words_of(text) to authenticated, service_role;
grant execute on function private.name_words(text, text, text) to authenticated, service_role;

-- Comments
comment on table public.profiles is 'One per account, made at sign-up from its metadata.';
comment on column public.profiles.username is 'Unique. A missing or taken one is made from the e-mail address at sign-up.';
comment on column public.profiles.email is 'Follows the account. Shown to those only who share a hotel or a talk.';
