-- Audit: who did what to which message, for the admins of the organization. It is written once and never changed.
--
-- Plain ids without foreign keys: the account, the room and the organization may end, what they did stays.

-- Tables
create table public.message_audit (
  id uuid not null default private.uuid_v7(),
  organization_id uuid,
  room_id uuid not null,
  message_id uuid,
  actor_id uuid,
  action text not null,
  reason text,
  ip_address inet,
  created_at timestamptz not null default clock_timestamp(),
  primary key (id, created_at),
  constraint action_is_a_machine_word check (action ~ '^[a-z]+(_[a-z]+)*$')
)
partition by range (created_at);

-- Should the job that makes the months ahead stop, deleting goes on.
create table private.message_audit_without_month partition of public.message_audit default;

-- Indexes
create index message_audit_organization_idx on public.message_audit (organization_id, created_at);

-- Triggers
create function private.refuse_change()
returns trigger
language plpgsql set search_path = ''
as $$
begin
  perform private.refuse('append_only');
  return null;
end;
$$;

create trigger refuse_change
before update or delete on public.message_audit
for each row execute function private.refuse_change();

create trigger refuse_truncate
before truncate on public.message_audit
for each statement execute function private.refuse_change();

-- Functions
-- What concerns a whole room, as clearing it does, names no message.
create function private.audit(p_room_id uuid, p_message_id uuid, p_action text, p_reason text default null)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.message_audit (organization_id, room_id, message_id, actor_id, action, reason, ip_address)
  select organization_id, id, p_message_id, private.my_id(), p_action, nullif(p_reason, ''), private.caller_address()
  from public.chat_rooms
  where id = p_room_id;
end;
$$;

-- Where the request comes from, as what stands before the API says: or, of a call through the HTTP door, which is the
-- caller of the API then, as the door says under its signature. Of `x-forwarded-for` only the last address is the
-- gateway's own word: a client may have written those before it. On hosted Supabase Cloudflare's header names the client, and
-- the last address may be a proxy's; elsewhere the gateway is to remove that header (docs/operations.md).
create function private.caller_address()
returns inet
language plpgsql stable security definer set search_path = ''
as $$
declare
  headers jsonb;
  hops text[];
  address inet;
begin
  headers := nullif(current_setting('request.headers', true), '');
  hops := string_to_array(headers ->> 'x-forwarded-for', ',');
  address := trim(coalesce(
    private.signed_address(headers ->> 'x-parley-address'), headers ->> 'cf-connecting-ip', hops[cardinality(hops)]
  ));
  -- A network is nobody's address.
  return case when address = host(address)::inet then address end;
exception
  when data_exception then
    return null;
end;
$$;

-- `<address>;<seconds since 1970>;<signature>`, which is the HMAC-SHA-256 of `<address>;<seconds>;<user id>` in hex, with the
-- secret that the functions share with the database. Null when it is not that, or older than a minute.
create function private.signed_address(p_header text)
returns text
language plpgsql stable security definer set search_path = ''
as $$
declare
  parts text[] := string_to_array(p_header, ';');
  secret text;
begin
  if cardinality(parts) is distinct from 3 then
    return null;
  end if;
  select decrypted_secret into secret from vault.decrypted_secrets where name = 'parley_job_secret';
  if abs(extract(epoch from clock_timestamp()) - parts[2]::bigint) <= 60
    and parts[3] = encode(
      extensions.hmac(concat_ws(';', parts[1], parts[2], private.my_id()), secret, 'sha256'), 'hex'
    )
  then
    return parts[1];
  end if;
  return null;
end;
$$;

-- A month each, from this one to three ahead.
create function private.make_audit_partitions()
returns void
language plpgsql set search_path = ''
as $$
declare
  month timestamp;
begin
  for month in
    select date_trunc('month', now() at time zone 'UTC') + ahead * interval '1 month' from generate_series(0, 3) as ahead
  loop
    if to_regclass(format('private.message_audit_%s', to_char(month, 'YYYY_MM'))) is null then
      execute format(
        'create table private.message_audit_%s partition of public.message_audit for values from (%L) to (%L)',
        to_char(month, 'YYYY_MM'),
        month at time zone 'UTC',
        (month + interval '1 month') at time zone 'UTC'
      );
    end if;
  end loop;
end;
$$;

-- Jobs
select private.make_audit_partitions();
select cron.schedule('make_audit_partitions', '10 0 * * *', 'select private.make_audit_partitions()');

-- Policies
alter table public.message_audit enable row level security;

create policy "Admins read what was done in their organization"
on public.message_audit for select to authenticated
using (organization_id = any ((select private.my_administered_ids())::uuid[]));

-- Grants
revoke all on public.message_audit from anon, authenticated, service_role;
grant select on public.message_audit to authenticated, service_role;

-- Comments
comment on table public.message_audit is 'Append-only: who did what to which message, when, why and from where. A partition a month; to let old ones go, drop theirs.';
comment on column public.message_audit.action is 'edit, delete, hard_delete, undo_delete, clear_for_everyone, …';
comment on column public.message_audit.actor_id is 'Who did it. Null: a job of the project.';
comment on column public.message_audit.ip_address is 'As the gateway reports it. Null where there is none.';
comment on function private.audit(uuid, uuid, text, text) is 'Writes down what the caller does to a message, or to a room as a whole.';
