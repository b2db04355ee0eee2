-- Hosted lets `postgres` make, change and drop policies, and drop triggers, on the services' tables though it owns none
-- of them (its extension supautils does that). Plain Postgres asks for ownership: so `postgres` has the owners' rights
-- while such a command runs, and at no other time. Everything else that asks for ownership Postgres itself refuses.

create schema guard;

create function guard.lend_ownership()
returns event_trigger
language plpgsql security definer set search_path = ''
as $$
begin
  grant supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin to postgres with inherit true, set false;
end;
$$;

-- In the same transaction: no other session ever sees the loan, and a command that fails takes it back by failing.
create function guard.take_ownership_back()
returns event_trigger
language plpgsql security definer set search_path = ''
as $$
begin
  revoke supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin from postgres;
end;
$$;

create event trigger guard_lend_ownership on ddl_command_start
when tag in ('CREATE POLICY', 'ALTER POLICY', 'DROP POLICY', 'DROP TRIGGER') execute function guard.lend_ownership();
create event trigger guard_take_ownership_back on ddl_command_end
when tag in ('CREATE POLICY', 'ALTER POLICY', 'DROP POLICY', 'DROP TRIGGER')
execute function guard.take_ownership_back();

-- What `postgres` may use in the services' schemas it must not hand on: who else may is found by comparing the rights
-- before and after every command that can change them.

create function guard.rights()
returns text
language sql stable security definer set search_path = ''
as $$
  select pg_catalog.md5(pg_catalog.string_agg(rights, ' ' order by rights))
  from (
    select c.oid::text || c.relacl::text
    from pg_catalog.pg_class as c
    where c.relnamespace in ('auth'::regnamespace, 'storage'::regnamespace, 'realtime'::regnamespace)
    union all
    select a.attrelid::text || a.attnum::text || a.attacl::text
    from pg_catalog.pg_attribute as a
    join pg_catalog.pg_class as c on c.oid = a.attrelid
    where c.relnamespace in ('auth'::regnamespace, 'storage'::regnamespace, 'realtime'::regnamespace)
    union all
    select n.oid::text || n.nspacl::text
    from pg_catalog.pg_namespace as n
    where n.nspname in ('auth', 'storage', 'realtime')
  ) as all_rights (rights)
$$;

create function guard.remember_rights()
returns event_trigger
language plpgsql set search_path = ''
as $$
begin
  if current_user = 'postgres' then
    perform pg_catalog.set_config('guard.rights', guard.rights(), true);
  end if;
end;
$$;

create function guard.refuse_other_rights()
returns event_trigger
language plpgsql set search_path = ''
as $$
begin
  if current_user = 'postgres' and guard.rights() <> pg_catalog.current_setting('guard.rights') then
    raise exception 'no privileges to grant in the schemas auth, storage and realtime'
      using errcode = 'insufficient_privilege';
  end if;
end;
$$;

-- A schema may be created together with grants, on whatever table they are.
create event trigger guard_remember_rights on ddl_command_start
when tag in ('GRANT', 'REVOKE', 'CREATE SCHEMA') execute function guard.remember_rights();
create event trigger guard_refuse_other_rights on ddl_command_end
when tag in ('GRANT', 'REVOKE', 'CREATE SCHEMA') execute function guard.refuse_other_rights();

grant usage on schema guard to postgres;

-- What has been done to this database, for the stack alone.
create table guard.history (
  bootstrap text primary key,
  migrations jsonb not null default '{}',
  seeded boolean not null default false
);
