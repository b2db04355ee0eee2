-- The roles of a hosted project, with the rights they have there. Made once per cluster.

-- Requests run as one of these three; none of them logs in.
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';

-- The services' own roles.
create role authenticator login noinherit password 'postgres';
grant anon, authenticated, service_role to authenticator;
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';

create role supabase_auth_admin login noinherit createrole password 'postgres';
alter role supabase_auth_admin set search_path = 'auth';
alter role supabase_auth_admin set idle_in_transaction_session_timeout = 60000;

create role supabase_storage_admin login noinherit createrole password 'postgres';
alter role supabase_storage_admin set search_path = 'storage';
grant authenticator to supabase_storage_admin;
-- Given twice removed through authenticator, which inherits nothing: storage switches to these by name.
grant anon, authenticated, service_role to supabase_storage_admin;

create role supabase_realtime_admin login noinherit replication password 'postgres';
alter role supabase_realtime_admin set search_path = 'realtime';
grant anon, authenticated, service_role to supabase_realtime_admin;

create role supabase_functions_admin nologin noinherit createrole;

-- The owner of a project. No superuser: what a migration may do here, it may do there.
create role postgres login createdb createrole replication bypassrls password 'postgres';
grant anon, authenticated, service_role to postgres with admin option;
grant authenticator to postgres with admin option;
grant pg_monitor, pg_read_all_data, pg_signal_backend, pg_create_subscription to postgres;
alter role postgres set search_path = "$user", public, extensions;

alter role supabase_admin set search_path = "$user", public, auth, extensions;
