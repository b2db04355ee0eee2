-- Hosted lets `postgres` make policies on the services' tables though it owns none of them (its extension supautils
-- does that). Plain Postgres asks for ownership, so here `postgres` inherits the owners' rights, and the guard below
-- takes back everything else that an owner may do: what fails on hosted must fail here.

grant supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin to postgres with inherit true, set false;

create schema guard;

-- Protected is what stands in a service's schema, and what a service owns wherever it has been moved.
create function guard.is_protected(p_schema text, p_class oid, p_object oid)
returns boolean
language sql stable set search_path = ''
as $$
  select p_schema in ('auth', 'storage', 'realtime') or exists (
    select
    from (
      select relowner from pg_catalog.pg_class where p_class = 'pg_class'::regclass and oid = p_object
      union all
      select proowner from pg_catalog.pg_proc where p_class = 'pg_proc'::regclass and oid = p_object
      union all
      select typowner from pg_catalog.pg_type where p_class = 'pg_type'::regclass and oid = p_object
      union all
      select nspowner from pg_catalog.pg_namespace where p_class = 'pg_namespace'::regclass and oid = p_object
    ) as owners (owner)
    where owner in (
      'supabase_auth_admin'::regrole, 'supabase_storage_admin'::regrole, 'supabase_realtime_admin'::regrole
    )
  )
$$;

-- Grants have no object in the event's list, so they are found by comparing rights before and after.
create function guard.rights()
returns text
language sql stable set search_path = ''
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
    select p.oid::text || p.proacl::text
    from pg_catalog.pg_proc as p
    where p.pronamespace in ('auth'::regnamespace, 'storage'::regnamespace, 'realtime'::regnamespace)
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

create function guard.refuse_changes()
returns event_trigger
language plpgsql set search_path = ''
as $$
declare
  command record;
begin
  if current_user <> 'postgres' then
    return;
  end if;

  for command in select * from pg_catalog.pg_event_trigger_ddl_commands() loop
    -- Policies and triggers name their table, and have no schema of their own.
    continue when command.in_extension or command.object_type in ('policy', 'trigger');
    if guard.is_protected(command.schema_name, command.classid, command.objid) then
      raise exception 'must be owner of %', command.object_identity using errcode = 'insufficient_privilege';
    end if;
  end loop;

  if tg_tag in ('GRANT', 'REVOKE') and guard.rights() <> current_setting('guard.rights', true) then
    raise exception 'no privileges to grant in the schemas auth, storage and realtime'
      using errcode = 'insufficient_privilege';
  end if;
end;
$$;

create function guard.refuse_drops()
returns event_trigger
language plpgsql set search_path = ''
as $$
declare
  dropped record;
begin
  if current_user <> 'postgres' then
    return;
  end if;

  for dropped in select * from pg_catalog.pg_event_trigger_dropped_objects() loop
    continue when dropped.object_type in ('policy', 'trigger') and dropped.original;
    if dropped.schema_name in ('auth', 'storage', 'realtime') or dropped.object_name in ('auth', 'storage', 'realtime') then
      raise exception 'must be owner of %', dropped.object_identity using errcode = 'insufficient_privilege';
    end if;
  end loop;
end;
$$;

create event trigger guard_remember_rights on ddl_command_start
when tag in ('GRANT', 'REVOKE') execute function guard.remember_rights();
create event trigger guard_refuse_changes on ddl_command_end execute function guard.refuse_changes();
create event trigger guard_refuse_drops on sql_drop execute function guard.refuse_drops();

grant usage on schema guard to postgres;

-- What has been done to this database, for the stack alone.
create table guard.history (
  bootstrap text not null,
  migrations jsonb not null default '{}',
  seeded boolean not null default false
);
