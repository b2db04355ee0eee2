-- Everything in the three services' schemas belongs to the service, as on hosted.

do $$
declare
  service record;
  object record;
begin
  for service in
    select *
    from (values
      ('auth', 'supabase_auth_admin'), ('storage', 'supabase_storage_admin'), ('realtime', 'supabase_realtime_admin')
    ) as services (schema, owner)
  loop
    execute format('alter schema %I owner to %I', service.schema, service.owner);
    for object in
      select format('alter table %s owner to %I', oid::regclass, service.owner) as statement
      from pg_class
      where relnamespace = service.schema::regnamespace and relkind in ('r', 'p', 'v', 'm')
      union all
      select format('alter routine %s owner to %I', oid::regprocedure, service.owner)
      from pg_proc
      where pronamespace = service.schema::regnamespace
      union all
      select format('alter type %s owner to %I', oid::regtype, service.owner)
      from pg_type
      where typnamespace = service.schema::regnamespace and typtype in ('e', 'd')
    loop
      execute object.statement;
    end loop;
    execute format('grant all on schema %I to %I', service.schema, service.owner);
  end loop;
end;
$$;
